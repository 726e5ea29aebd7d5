"""Who of a provider's users is who here: linked by name, or by a group. Functions of a connection.

A subject of an issuer is one person for ever; names and mail addresses are not, so nobody is found
by them.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from edge_config.models.people.oidc import OidcConfig, OidcGroup
from gateway.city.access import users
from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, Role, administrator, parse_scope
from gateway.city.access.users import Refusal, User, UserError
from gateway.city.db.schema.access import outside_login
from gateway.relational.database import alone

LONGEST_SUBJECT = 255
"""Characters (OpenID Connect Core 1.0, section 2)."""
_PROVIDER = administrator("oidc")


class NobodyError(Exception):
    """A user of the provider is nobody here; ``key`` says why in the catalogue's ``outside``."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Linked:
    """A subject of a provider that logs in as a user.

    Attributes:
        subject: as the provider calls it, for ever.
        name: of the user.
        by_group: its groups there decide role and scope.
    """

    subject: str
    name: str
    by_group: bool


def linked(connection: Connection, issuer: str, name: str | None = None) -> Sequence[Linked]:
    """Who of a provider logs in here, in order of users; as one user, if one is named."""
    columns = outside_login.c
    query = select(columns.subject, columns.user_name, columns.by_group)
    query = query.where(columns.issuer == issuer).order_by(columns.user_name, columns.subject)
    if name is not None:
        query = query.where(columns.user_name == name)
    return [Linked(*row) for row in connection.execute(query)]


def link(
    connection: Connection, by: Principal, issuer: str, subject: str, name: str, now_ms: int
) -> None:
    """Let a subject of a provider log in as a user.

    Raises:
        UserError: no such user, no subject, or it is another's.
    """
    alone(connection, "users")
    if not (subject.isprintable() and 0 < len(subject) <= LONGEST_SUBJECT):
        raise UserError(Refusal.SUBJECT)
    if users.find(connection, name) is None:
        raise UserError(Refusal.UNKNOWN)
    known = _linked(connection, issuer, subject)
    if known is not None and known.user_name != name:
        raise UserError(Refusal.LINKED)
    if known is None:
        _insert(connection, issuer, subject, name, by_group=False)
        note(connection, now_ms, by.name, Action.USER_LINKED, name, f"{issuer} {subject}")


def unlink(
    connection: Connection, by: Principal, issuer: str, subject: str, name: str, now_ms: int
) -> None:
    """Let a subject log in as a user no more; sessions of the user end, whoever began them.

    Raises:
        UserError: the subject does not log in as that user.
    """
    alone(connection, "users")
    columns = outside_login.c
    of = (columns.issuer == issuer, columns.subject == subject, columns.user_name == name)
    if not connection.execute(delete(outside_login).where(*of)).rowcount:
        raise UserError(Refusal.UNKNOWN)
    users.end_sessions(connection, name, now_ms)
    note(connection, now_ms, by.name, Action.USER_UNLINKED, name, f"{issuer} {subject}")


def known_by(
    connection: Connection, config: OidcConfig, claims: Mapping[str, Any], now_ms: int
) -> str:
    """Name of the user that somebody is here; who is one by a group is what the group is now.

    Raises:
        NobodyError: nobody, or one who may not log in.
    """
    alone(connection, "users")
    subject = str(claims["sub"])
    row = _linked(connection, config.issuer, subject)
    group = _group(config.groups, claims.get(config.groups_claim))
    if row is None:
        if group is None:
            raise NobodyError("nobody")
        return _add(connection, config.issuer, claims, group, now_ms)
    user = users.find(connection, row.user_name)
    if user is None or user.disabled_ms is not None:
        raise NobodyError("disabled")
    if row.by_group:
        _follow(connection, user, group, now_ms)
    return user.name


def lose(connection: Connection, issuer: str, subject: str, now_ms: int) -> None:
    """End sessions and tokens of who is in no group any more."""
    row = _linked(connection, issuer, subject)
    if row is not None and row.by_group:
        users.end_sessions(connection, row.user_name, now_ms)
        users.end_tokens(connection, row.user_name, now_ms)


def _follow(connection: Connection, user: User, group: OidcGroup | None, now_ms: int) -> None:
    """Role and scope are those of the group."""
    if group is None:
        raise NobodyError("no_group")
    role, scope = Role(group.role), parse_scope(group.scope)
    if (user.role, user.scope) == (role, scope):
        return
    try:
        users.change(connection, _PROVIDER, now_ms, user.name, role, scope)
    except UserError as error:  # nobody else could keep users
        raise NobodyError("last") from error


def _add(
    connection: Connection, issuer: str, claims: Mapping[str, Any], group: OidcGroup, now_ms: int
) -> str:
    """Make a user of who is in a group; a name that is in use here is never taken over."""
    subject = str(claims["sub"])
    role, scope = Role(group.role), parse_scope(group.scope)
    digest = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()
    shown = str(claims.get("name") or claims.get("preferred_username") or subject)[:100]
    for name in (str(claims.get("preferred_username", "")), f"oidc-{digest[:12]}"):
        user = User(name, shown, role, scope, now_ms, _PROVIDER.name, None, is_invited=True)
        try:
            users.add(connection, _PROVIDER, user)
        except UserError as error:
            if error.refusal not in {Refusal.NAME, Refusal.TAKEN}:
                raise NobodyError("nobody") from error
            continue
        _insert(connection, issuer, subject, name, by_group=True)
        return name
    raise NobodyError("nobody")


def _group(groups: Sequence[OidcGroup], said: object) -> OidcGroup | None:
    """The first group of ours that somebody is in."""
    own: Collection[object] = said if isinstance(said, list) else [said]
    return next((one for one in groups if one.group in own), None)


def _linked(connection: Connection, issuer: str, subject: str) -> Any:
    columns = outside_login.c
    query = select(columns.user_name, columns.by_group)
    return connection.execute(
        query.where(columns.issuer == issuer, columns.subject == subject)
    ).first()


def _insert(
    connection: Connection, issuer: str, subject: str, name: str, *, by_group: bool
) -> None:
    row = {"issuer": issuer, "subject": subject, "user_name": name, "by_group": by_group}
    connection.execute(insert(outside_login).values(row))
