"""Who asks, and by which rules of the node."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway.identifier.node import rules
from gateway.identifier.node.keeping import prefixes, users
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.visibility import Seen


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks.

    Attributes:
        user: name; empty: nobody.
        role: what the user is; None: nobody.
        enterprise: for which the user acts; empty: for none.
        prefixes: that the enterprise has, in upper case, and whether it registers there now: not
            while one is suspended, nor while another node answers for it.
    """

    user: str = ""
    role: Role | None = None
    enterprise: str = ""
    prefixes: Mapping[str, bool] = field(default_factory=dict)

    @property
    def is_reviewer(self) -> bool:
        """Whether this one decides on prefixes, and sees what the node has done."""
        return self.role in (Role.REVIEWER, Role.ADMINISTRATOR)

    def owns(self, prefix: str) -> bool:
        """Whether identifiers of a prefix are this one's: to see, whatever becomes of it."""
        return rules.nearest(prefix, self.prefixes) is not None

    def may_register(self, prefix: str) -> bool:
        """Whether this one registers, changes and deletes identifiers of a prefix now."""
        own = rules.nearest(prefix, self.prefixes)
        return own is not None and self.prefixes[own]

    def nearness(self, prefix: str) -> Seen:
        """Which items of identifiers of a prefix this one sees."""
        if self.role is None:
            return Seen.EVERYBODY
        return Seen.ENTERPRISE if self.owns(prefix) else Seen.MEMBER


NOBODY = Principal()


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds at one node.

    Attributes:
        prefix: of the node, as ``88.999``: nothing else is registered or allotted here.
        per_day: identifiers that one user may register on a day; None: any number.
        visibility: of items whose template does not say who sees them, by ``idType``.
    """

    prefix: str
    per_day: int | None = None
    visibility: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, whatever it is about.

    Attributes:
        principal: who asks.
        terms: of the node.
        now_ms: when, UTC milliseconds.
    """

    principal: Principal
    terms: Terms
    now_ms: int


def principal_of(connection: Connection, user_name: str | None) -> Principal:
    """A user as principal; :data:`NOBODY` if there is none who may do anything."""
    user = users.find(connection, user_name) if user_name else None
    if user is None or user.disabled_ms is not None:
        return NOBODY
    own = prefixes.held(connection, user.enterprise) if user.enterprise else {}
    return Principal(user.name, user.role, user.enterprise, own)
