"""One-time links: the first administrator and every invited user choose a password by one.

What is kept of a link is the digest of its secret, so nobody can open it who was not given it.
"""

from sqlalchemy import Connection, delete, insert, select, update

from edge_config.models.base import split_listen
from edge_config.models.people.console import CityConsoleConfig
from gateway.city.access import users
from gateway.city.access.principal import EVERYTHING, Principal, Role, administrator
from gateway.city.access.users import Refusal, User, UserError
from gateway.city.db.schema.access import one_time_link
from gateway.core.days import DAY_MS
from gateway.relational.database import alone
from gateway.web.access.store import digest_of, new_secret

LIFE_MS = 3 * DAY_MS
"""So long a link opens its page."""
ADDRESS = "/invitation"
"""Of the page, as a link names it: ``/invitation/<secret>``."""
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
FIRST = ""
"""Name of who is none yet: the first administrator, who chooses one."""


def invite(connection: Connection, by: Principal, user: User) -> str:
    """Add a user; gives the secret of the user's link. Raises as :func:`users.add` says."""
    users.add(connection, by, user)
    return _make(connection, user.name, user.created_ms)


def invite_again(connection: Connection, by: Principal, now_ms: int, name: str) -> str:
    """Take a user's password away; gives the secret of a new link.

    Raises:
        UserError: no such user.
    """
    users.reset(connection, by, now_ms, name)
    return _make(connection, name, now_ms)


def invite_first(connection: Connection, now_ms: int, *, anew: bool) -> str | None:
    """The secret of a link for the first administrator; an earlier one ends.

    Args:
        connection: of the city's database.
        now_ms: UTC milliseconds.
        anew: also where an earlier one can still be used.

    Returns:
        None: there are users, or an earlier link can still be used.
    """
    alone(connection, "users")
    if users.has_any(connection):
        return None
    if not anew and _living(connection, FIRST, now_ms):
        return None
    return _make(connection, FIRST, now_ms)


def invited(connection: Connection, secret: str, now_ms: int) -> str | None:
    """Whose a link is, :data:`FIRST` included; None: it has never been, was used or is over."""
    of = one_time_link.c
    query = select(of.user_name).where(of.digest == digest_of(secret))
    name = connection.scalar(query.where(of.used_ms.is_(None), of.until_ms > now_ms))
    is_late = name == FIRST and users.has_any(connection)
    return None if name is None or is_late else str(name)


def accept(
    connection: Connection, secret: str, now_ms: int, hashed: str, chosen: tuple[str, str]
) -> None:
    """Use a link: keep a user's password, and make the first administrator.

    Args:
        connection: of the city's database.
        secret: of the link.
        now_ms: UTC milliseconds.
        hashed: the password, hashed.
        chosen: name and display name of the first administrator.

    Raises:
        UserError: the link is of no use any more, or the name cannot be.
    """
    alone(connection, "users")
    name = invited(connection, secret, now_ms)
    if name is None:
        raise UserError(Refusal.UNKNOWN)
    used = update(one_time_link).where(one_time_link.c.digest == digest_of(secret))
    connection.execute(used.values(used_ms=now_ms))
    if name == FIRST:
        name, display_name = chosen
        first = User(
            name, display_name, Role.ADMINISTRATOR, EVERYTHING, now_ms, name, None, True
        )  # fmt: skip
        users.add(connection, administrator("one-time link"), first)
    users.set_password(connection, name, hashed, now_ms)


def link_of(console: CityConsoleConfig, secret: str) -> str:
    """A one-time link as it is handed to somebody.

    The first of ``console.hosts`` is how the console is reached, else where it listens.
    """
    host, port = split_listen(console.listen)
    if console.hosts:
        host = console.hosts[0]
    elif host in _ANYWHERE:
        host = "localhost"
    scheme = "https" if console.tls is not None else "http"
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}{ADDRESS}/{secret}"


def _make(connection: Connection, name: str, now_ms: int) -> str:
    """A new link; earlier ones of the same user end."""
    connection.execute(delete(one_time_link).where(one_time_link.c.user_name == name))
    secret = new_secret()
    row = {"digest": digest_of(secret), "user_name": name, "until_ms": now_ms + LIFE_MS}
    connection.execute(insert(one_time_link).values(row))
    return secret


def _living(connection: Connection, name: str, now_ms: int) -> bool:
    of = one_time_link.c
    query = select(of.digest).where(of.user_name == name, of.used_ms.is_(None))
    return connection.execute(query.where(of.until_ms > now_ms)).first() is not None
