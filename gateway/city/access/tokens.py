"""API tokens: a program asks in the name of a user, for at most what the user may.

A token is ``qulink_<id>_<secret>``. The id is public; of the secret a digest is kept.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.city.access import users
from gateway.city.access.audit import Action, note
from gateway.city.access.principal import (
    PERMISSIONS,
    Permission,
    Principal,
    Scope,
    parse_scope,
)
from gateway.city.access.users import User
from gateway.city.db.schema.access import api_token
from gateway.core.days import DAY_MS
from gateway.relational.database import alone
from gateway.web.access.store import digest_of, new_secret

GRANTABLE = (
    Permission.FIGURES,
    Permission.ENTERPRISES,
    Permission.EXPORT,
    Permission.FINDINGS,
)
"""What a token may be given: what the API answers, and nothing that changes anything."""
DAYS = 90
"""How long a token holds unless its maker says otherwise."""
MOST_DAYS = 366
MOST_OF_A_USER = 20
_LONGEST_PURPOSE = 100
_USED_MS = 60_000
"""Last use is kept to the minute: not each request is a change of the database."""
_FORM = re.compile(r"qulink_([0-9a-f]{12})_([\w-]{43})", re.ASCII)


class TokenRefusal(StrEnum):
    """Why a token is not made, or not revoked: keys of the catalogue's ``token.refusal``."""

    PURPOSE = "purpose"
    PERMISSIONS = "permissions"
    SCOPE = "scope"
    DAYS = "days"
    MANY = "many"
    USER = "user"
    UNKNOWN = "unknown"


class TokenError(ValueError):
    """Something about a token is refused."""

    def __init__(self, refusal: TokenRefusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class State(StrEnum):
    """What has become of a token: keys of the catalogue's ``token.state``."""

    HOLDS = "holds"
    EXPIRED = "expired"
    REVOKED = "revoked"
    EMPTY = "empty"  # its user may nothing of what it was made for any more


@dataclass(frozen=True, slots=True)
class Wish:
    """What a token is to be.

    Attributes:
        purpose: of whom it is for, in a few words.
        permissions: of :data:`GRANTABLE`.
        scope: whose rows; None: all that its user sees, at any time.
        days: how long it holds, 1…:data:`MOST_DAYS`.
    """

    purpose: str
    permissions: frozenset[Permission]
    scope: Scope | None = None
    days: int = DAYS


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret; times are UTC milliseconds.

    Attributes:
        id: public.
        user_name: in whose name it asks.
        purpose: as its maker wrote it.
        permissions: it was made for.
        scope: it was made for; None: that of its user, whatever that is.
        made_ms: when it was made.
        made_by: by whom.
        until_ms: it expires then.
        used_ms: last use, to the minute; None: never.
        revoked_ms: None: it was not.
    """

    id: str
    user_name: str
    purpose: str
    permissions: frozenset[Permission]
    scope: Scope | None
    made_ms: int
    made_by: str
    until_ms: int
    used_ms: int | None
    revoked_ms: int | None

    def state(self, owner: User, now_ms: int) -> State:
        """What has become of it."""
        if self.revoked_ms is not None or owner.disabled_ms is not None:
            return State.REVOKED
        if self.until_ms <= now_ms:
            return State.EXPIRED
        return State.HOLDS if self.principal(owner) is not None else State.EMPTY

    def principal(self, owner: User) -> Principal | None:
        """Who asks by it: what it was made for, as far as its user may it now; None: nothing."""
        left = self.permissions & PERMISSIONS[owner.role]
        scope = owner.scope if self.scope is None else owner.scope.narrowed(self.scope)
        if not left or scope is None:
            return None
        return Principal(f"{owner.name}/{self.id}", owner.role, scope, left)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a token that was shown comes to; only who knows its secret is told.

    Attributes:
        state: what has become of it.
        principal: who asks; None unless it holds.
        until_ms: it expires then.
    """

    state: State
    principal: Principal | None
    until_ms: int


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _FORM.fullmatch(text) is not None


def make(
    connection: Connection, by: Principal, name: str, wish: Wish, now_ms: int
) -> tuple[Token, str]:
    """Make a token for a user; gives it and its text, which is kept nowhere.

    Raises:
        TokenError: no such user, or more than the user may.
    """
    alone(connection, "users")
    owner = users.find(connection, name)
    if owner is None or owner.disabled_ms is not None:
        raise TokenError(TokenRefusal.USER)
    _demand(connection, owner, wish, now_ms)
    number, secret = secrets.token_hex(6), new_secret()
    made = Token(
        number, name, wish.purpose, wish.permissions, wish.scope, now_ms, by.name[:100],
        now_ms + wish.days * DAY_MS, None, None,
    )  # fmt: skip
    connection.execute(insert(api_token).values(**_row(made), digest=digest_of(secret)))
    detail = f"{name}: {_words(made.permissions)}, {made.scope or 'scope of its user'}"
    note(connection, now_ms, by.name, Action.TOKEN_MADE, number, f"{detail}, {wish.days} days")
    return made, f"qulink_{number}_{secret}"


def listed(connection: Connection, name: str | None = None) -> Sequence[tuple[Token, User]]:
    """Tokens with their users, the newest first.

    Args:
        connection: of the city's database.
        name: of a user; None: of all.
    """
    query = select(api_token).order_by(api_token.c.made_ms.desc(), api_token.c.id)
    if name is not None:
        query = query.where(api_token.c.user_name == name)
    owners = {one.name: one for one in users.listed(connection)}
    return [(_token(row), owners[row.user_name]) for row in connection.execute(query)]


def revoke(
    connection: Connection, by: Principal, number: str, now_ms: int, owner: str | None = None
) -> None:
    """End a token; one that has ended stays so.

    Args:
        connection: of the city's database.
        by: who does.
        number: id of the token.
        now_ms: UTC milliseconds.
        owner: whose it must be; None: anybody's.

    Raises:
        TokenError: there is no such token.
    """
    own = api_token.c.id == number
    row = connection.execute(select(api_token).where(own)).first()
    if row is None or owner not in {None, row.user_name}:
        raise TokenError(TokenRefusal.UNKNOWN)
    if row.revoked_ms is None:
        connection.execute(update(api_token).where(own).values(revoked_ms=now_ms))
        note(connection, now_ms, by.name, Action.TOKEN_REVOKED, number, row.user_name)


def shown(connection: Connection, text: str, now_ms: int) -> Shown | None:
    """What a token comes to that somebody has shown; its use is written down.

    Returns:
        None: it is none, or its secret is wrong.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    number, secret = match.groups()
    row = connection.execute(select(api_token).where(api_token.c.id == number)).first()
    # Without a row a digest is compared, too: an id is no secret, but need not be told either.
    kept = row.digest if row is not None else digest_of("")
    if not hmac.compare_digest(digest_of(secret), kept) or row is None:
        return None
    token, owner = _token(row), users.find(connection, row.user_name)
    assert owner is not None  # noqa: S101 - users are never deleted
    state = token.state(owner, now_ms)
    if state is not State.HOLDS:
        return Shown(state, None, token.until_ms)
    if token.used_ms is None or now_ms - token.used_ms >= _USED_MS:
        used = update(api_token).where(api_token.c.id == number)
        connection.execute(used.values(used_ms=now_ms))
    return Shown(state, token.principal(owner), token.until_ms)


def _demand(connection: Connection, owner: User, wish: Wish, now_ms: int) -> None:
    """Refuse a token that would be more than its user, or nobody could tell what it is for."""
    if not (wish.purpose.isprintable() and 0 < len(wish.purpose) <= _LONGEST_PURPOSE):
        raise TokenError(TokenRefusal.PURPOSE)
    if not wish.permissions or not wish.permissions <= PERMISSIONS[owner.role] & {*GRANTABLE}:
        raise TokenError(TokenRefusal.PERMISSIONS)
    if not 1 <= wish.days <= MOST_DAYS:
        raise TokenError(TokenRefusal.DAYS)
    if wish.scope is not None and owner.scope.narrowed(wish.scope) != wish.scope:
        raise TokenError(TokenRefusal.SCOPE)
    known = listed(connection, owner.name)
    if sum(one.state(owner, now_ms) is State.HOLDS for one, _ in known) >= MOST_OF_A_USER:
        raise TokenError(TokenRefusal.MANY)


def _row(token: Token) -> dict[str, Any]:
    names = ("id", "user_name", "purpose", "made_ms", "made_by", "until_ms")
    scope = "" if token.scope is None else str(token.scope)
    row = {name: getattr(token, name) for name in names}
    return row | {"permissions": _words(token.permissions), "scope": scope}


def _words(permissions: frozenset[Permission]) -> str:
    return " ".join(sorted(permissions))


def _token(row: Row[Any]) -> Token:
    return Token(
        row.id, row.user_name, row.purpose, frozenset(map(Permission, row.permissions.split())),
        parse_scope(row.scope) if row.scope else None, row.made_ms, row.made_by, row.until_ms,
        row.used_ms, row.revoked_ms,
    )  # fmt: skip
