"""Users of the console: invited and changed by administrators, who never know a password."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, Role, Scope, demand_fitting, parse_scope
from gateway.city.db.schema.access import api_token, city_user, console_session, outside_login
from gateway.relational.database import alone

_NAME = re.compile(r"[^\W_][\w.@-]{1,63}", re.ASCII)
_LONGEST_DISPLAY_NAME = 100
_RESERVED = frozenset({"token", "local", "anonymous"})
"""Names of principals that are no users."""


class Refusal(StrEnum):
    """Why something about a user is refused: keys of the catalogue's table ``refusal``."""

    NAME = "name"
    DISPLAY_NAME = "display_name"
    TAKEN = "taken"
    UNKNOWN = "unknown"
    LAST = "last"
    USERS = "users"
    SUBJECT = "subject"
    LINKED = "linked"


class UserError(ValueError):
    """Something about a user is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class User:
    """A user.

    Attributes:
        name: by which the user logs in.
        display_name: of the person.
        role: what the user may do.
        scope: whose rows the user sees.
        created_ms: UTC milliseconds.
        created_by: name of who has.
        disabled_ms: UTC milliseconds; None: may log in.
        is_invited: has yet to choose a password.
    """

    name: str
    display_name: str
    role: Role
    scope: Scope
    created_ms: int
    created_by: str
    disabled_ms: int | None
    is_invited: bool

    @property
    def principal(self) -> Principal:
        """Who the user is to the city."""
        return Principal(self.name, self.role, self.scope)


def listed(connection: Connection) -> Sequence[User]:
    """All users, in order of their names."""
    rows = connection.execute(select(city_user).order_by(city_user.c.name))
    return [_user(row) for row in rows]


def find(connection: Connection, name: str) -> User | None:
    """A user; None: there is none of that name."""
    row = connection.execute(select(city_user).where(city_user.c.name == name)).first()
    return None if row is None else _user(row)


def has_any(connection: Connection) -> bool:
    """Whether the city has users."""
    return bool(connection.scalar(select(func.count()).select_from(city_user)))


def add(connection: Connection, by: Principal, user: User) -> None:
    """Add a user who cannot log in yet.

    Raises:
        UserError: a bad name, or one that is or was another's.
        ScopeError: the role cannot have such a scope.
    """
    demand_fitting(user.role, user.scope)
    _demand_names(user.name, user.display_name)
    alone(connection, "users")
    same = func.lower(city_user.c.name) == user.name.lower()
    if connection.execute(select(city_user.c.name).where(same)).first() is not None:
        raise UserError(Refusal.TAKEN)
    row = {"name": user.name, "display_name": user.display_name, "role": user.role.value}
    row |= {"scope": str(user.scope), "created_by": by.name[:100]}
    connection.execute(insert(city_user).values(**row, created_ms=user.created_ms))
    detail = f"{user.role}, {user.scope}"
    note(connection, user.created_ms, by.name, Action.USER_ADDED, user.name, detail)


def change(
    connection: Connection, by: Principal, now_ms: int, name: str, role: Role, scope: Scope
) -> None:
    """Give a user another role and scope; sessions of the user end.

    Raises:
        UserError: no such user, or nobody would be left to keep users.
        ScopeError: the role cannot have such a scope.
    """
    demand_fitting(role, scope)
    before = _known(connection, name)
    if role is not Role.ADMINISTRATOR:
        _demand_another_administrator(connection, name)
    _write(connection, name, role=role.value, scope=str(scope))
    end_sessions(connection, name, now_ms)
    detail = f"{before.role}, {before.scope} → {role}, {scope}"
    note(connection, now_ms, by.name, Action.USER_CHANGED, name, detail)


def disable(connection: Connection, by: Principal, now_ms: int, name: str) -> None:
    """Let a user log in no more; sessions and API tokens of the user end.

    Raises:
        UserError: no such user, or nobody would be left to keep users.
    """
    _known(connection, name)
    _demand_another_administrator(connection, name)
    _write(connection, name, disabled_ms=now_ms)
    end_sessions(connection, name, now_ms)
    end_tokens(connection, name, now_ms)
    note(connection, now_ms, by.name, Action.USER_DISABLED, name)


def reset(connection: Connection, by: Principal, now_ms: int, name: str) -> None:
    """Take every way in that a user has away; one that was disabled may be invited again.

    Password, API tokens, and subjects of a provider: who has had the user's password may have
    connected another one. Those by a group stay, as the provider decides about them.

    Raises:
        UserError: no such user.
    """
    _known(connection, name)
    outside = outside_login.c
    own = delete(outside_login).where(outside.user_name == name, outside.by_group.is_(False))
    connection.execute(own)
    _write(connection, name, password="", disabled_ms=None)
    end_sessions(connection, name, now_ms)
    end_tokens(connection, name, now_ms)
    note(connection, now_ms, by.name, Action.USER_RESET, name)


def set_password(connection: Connection, name: str, hashed: str, now_ms: int) -> None:
    """Keep the hash of a password that a user has chosen; earlier sessions of the user end."""
    _write(connection, name, password=hashed)
    end_sessions(connection, name, now_ms)
    note(connection, now_ms, name, Action.PASSWORD_SET, name)


def password_of(connection: Connection, name: str) -> str:
    """The hash of a password; empty: there is no such user, or none who may log in."""
    query = select(city_user.c.password)
    query = query.where(city_user.c.name == name, city_user.c.disabled_ms.is_(None))
    return connection.scalar(query) or ""


def end_sessions(connection: Connection, name: str, now_ms: int) -> None:
    """End all sessions of a user; open streams end with them."""
    columns = console_session.c
    living = update(console_session).where(columns.user_name == name, columns.ended_ms.is_(None))
    connection.execute(living.values(ended_ms=now_ms))


def end_tokens(connection: Connection, name: str, now_ms: int) -> None:
    """End all API tokens of a user."""
    columns = api_token.c
    living = update(api_token).where(columns.user_name == name, columns.revoked_ms.is_(None))
    connection.execute(living.values(revoked_ms=now_ms))


def _known(connection: Connection, name: str) -> User:
    alone(connection, "users")
    found = find(connection, name)
    if found is None:
        raise UserError(Refusal.UNKNOWN)
    return found


def _demand_another_administrator(connection: Connection, name: str) -> None:
    others = (
        one.role is Role.ADMINISTRATOR and one.disabled_ms is None and not one.is_invited
        for one in listed(connection)
        if one.name != name
    )
    found = find(connection, name)
    if found is not None and found.role is Role.ADMINISTRATOR and not any(others):
        raise UserError(Refusal.LAST)


def _demand_names(name: str, display_name: str) -> None:
    if _NAME.fullmatch(name) is None or name.casefold() in _RESERVED:
        raise UserError(Refusal.NAME)
    if not (display_name.isprintable() and 0 < len(display_name) <= _LONGEST_DISPLAY_NAME):
        raise UserError(Refusal.DISPLAY_NAME)


def _write(connection: Connection, name: str, **values: object) -> None:
    connection.execute(update(city_user).where(city_user.c.name == name).values(values))


def _user(row: Row[Any]) -> User:
    return User(
        row.name, row.display_name, Role(row.role), parse_scope(row.scope),
        row.created_ms, row.created_by, row.disabled_ms, not row.password,
    )  # fmt: skip
