"""Who asks the city for something, what their role lets them do, and whose rows they see. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the city."""

    ADMINISTRATOR = "administrator"
    BUREAU = "bureau-officer"  # of the city's economy bureau
    COUNTY = "county-officer"
    PARK = "park-operator"  # of a functional area
    ENTERPRISE = "enterprise"
    AUDITOR = "auditor"  # reads, the audit log too
    INTEGRATOR = "integrator"  # connects machines of enterprises


class Permission(StrEnum):
    """What may be done; the rows that it is done with are the scope's."""

    FIGURES = "figures"  # see rates and what they are defined by
    ENTERPRISES = "enterprises"  # see rows of enterprises, their machines, gateways and gaps
    READINGS = "readings"  # see values that machines sent
    EXPORT = "export"  # take rows or figures away as a file
    CORRECT = "correct"  # rows of the ledger, results of frozen months
    IMPORT_LEDGER = "import-ledger"
    ENROL = "enrol"  # gateways; stop and start the lines of a demonstration
    RELEASE = "release-identifiers"  # and have the node asked again
    LABELS = "print-labels"
    USERS = "manage-users"
    AUDIT_LOG = "read-audit-log"
    RESOLVE_OUTSIDE = "resolve-outside"  # ask resolvers that others run
    FINDINGS = "see-findings"  # what is worth a check on site, and samples for it
    EXPLAIN = "explain-findings"  # say why there is nothing to one; enter looks on site
    DRAW = "draw-samples"  # of the whole city, and end them
    WATCH = "watch"  # keep a watch-list, acknowledge alerts
    OPERATE = "operate"  # see counters and the state of the parts


_READ = frozenset({Permission.FIGURES, Permission.ENTERPRISES, Permission.EXPORT})
_OFFICER = _READ | {
    Permission.READINGS,
    Permission.LABELS,
    Permission.RESOLVE_OUTSIDE,
    Permission.FINDINGS,
    Permission.EXPLAIN,
    Permission.WATCH,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.BUREAU: _OFFICER
    | {Permission.CORRECT, Permission.DRAW, Permission.IMPORT_LEDGER, Permission.RELEASE},
    Role.COUNTY: _OFFICER,
    Role.PARK: _READ | {Permission.WATCH},
    Role.ENTERPRISE: _READ | {Permission.READINGS, Permission.LABELS, Permission.WATCH},
    Role.AUDITOR: _READ | {Permission.AUDIT_LOG, Permission.FINDINGS},
    Role.INTEGRATOR: _READ
    | {Permission.READINGS, Permission.LABELS, Permission.ENROL, Permission.WATCH},
}
"""What each role may do; nothing else is asked anywhere."""


class ScopeKind(StrEnum):
    """By what a scope names its rows."""

    ALL = "all"
    COUNTIES = "county"  # GB/T 2260
    AREAS = "area"  # functional areas
    ENTERPRISES = "enterprise"  # USCC


SCOPES: dict[Role, frozenset[ScopeKind]] = {
    Role.ADMINISTRATOR: frozenset({ScopeKind.ALL}),
    Role.BUREAU: frozenset({ScopeKind.ALL}),
    Role.COUNTY: frozenset({ScopeKind.COUNTIES}),
    Role.PARK: frozenset({ScopeKind.AREAS}),
    Role.ENTERPRISE: frozenset({ScopeKind.ENTERPRISES}),
    Role.AUDITOR: frozenset({ScopeKind.ALL}),  # the audit log names everybody
    Role.INTEGRATOR: frozenset({ScopeKind.ENTERPRISES}),
}
"""By what the rows of each role may be named."""


class ScopeError(ValueError):
    """A text is no scope, or a role cannot have it; the message says what is."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows somebody sees: as county and functional area of an enterprise are now.

    Attributes:
        kind: by what the rows are named.
        keys: codes of counties or functional areas, or USCCs; none for all rows.
    """

    kind: ScopeKind
    keys: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what would read as one thing and mean another.

        Raises:
            ScopeError: names beside "all", or none where there must be some.
        """
        if (self.kind is ScopeKind.ALL) == bool(self.keys):
            raise ScopeError(f"a scope of {self.kind} names {len(self.keys)} of them")

    @property
    def is_whole(self) -> bool:
        """Whether every row is seen."""
        return self.kind is ScopeKind.ALL

    def covers(self, uscc: str, county: str, area: str) -> bool:
        """Whether the rows of an enterprise are seen.

        Args:
            uscc: of the enterprise.
            county: its GB/T 2260 code.
            area: code of its functional area; empty: it is in none.
        """
        named = {
            ScopeKind.COUNTIES: county,
            ScopeKind.AREAS: area,
            ScopeKind.ENTERPRISES: uscc,
        }
        return self.is_whole or named[self.kind] in self.keys

    def narrowed(self, to: "Scope") -> "Scope | None":
        """What of another scope lies in this one; None: nothing, or it is named otherwise."""
        if self.is_whole or to.is_whole:
            return to if self.is_whole else self
        keys = self.keys & to.keys
        return Scope(self.kind, keys) if keys and self.kind is to.kind else None

    def __str__(self) -> str:
        """As it is written and kept: ``all``, ``county 330822 330881``."""
        return " ".join((self.kind, *sorted(self.keys)))


EVERYTHING = Scope(ScopeKind.ALL)


def parse_scope(text: str) -> Scope:
    """A scope as people write it: ``all``, ``county 330822 330881``, ``area QZ-ZZXC``.

    Raises:
        ScopeError: it is none.
    """
    kind, *keys = text.replace(",", " ").replace(":", " ").split() or [""]
    try:
        return Scope(ScopeKind(kind), frozenset(keys))
    except ValueError as error:
        raise ScopeError(
            f"'{text}' is no scope; write 'all', or 'county', 'area' or 'enterprise' and their "
            "codes, as 'county 330822 330881'"
        ) from error


def demand_fitting(role: Role, scope: Scope) -> None:
    """Refuse a scope that a role cannot have.

    Raises:
        ScopeError: says which it can have.
    """
    if scope.kind not in SCOPES[role]:
        kinds = " or ".join(sorted(SCOPES[role]))
        raise ScopeError(f"the scope of the role {role} is named by {kinds}, not by {scope.kind}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        name: of the user; ``token`` and ``local`` for who has shown the console's token, or needs
            none; of the system's user for commands.
        role: decides what is allowed.
        scope: decides whose rows are seen.
        only: what an API token narrows that to; None: nothing does.
    """

    name: str
    role: Role
    scope: Scope
    only: frozenset[Permission] | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the role, and the token that was shown, allow something."""
        is_left = self.only is None or permission in self.only
        return is_left and permission in PERMISSIONS[self.role]


def administrator(name: str) -> Principal:
    """Somebody who may do everything with all rows."""
    return Principal(name, Role.ADMINISTRATOR, EVERYTHING)
