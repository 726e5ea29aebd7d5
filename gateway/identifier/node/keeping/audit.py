"""Who did what at the node, and when; and how many identifiers a user registered on a day."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from gateway.core.days import DAY_MS, day_of
from gateway.identifier.node.keeping.tables import audit, registered
from gateway.relational.upsert import insert_for


class Action(StrEnum):
    """What is written down."""

    LOGIN = "login"
    GUESSES = "wrong-logins"
    REGISTERED = "registered"
    UPDATED = "updated"
    WITHDRAWN = "withdrawn"
    TEMPLATE = "template"
    APPLIED = "prefix-applied"
    ALLOTTED = "prefix-allotted"
    REFUSED = "prefix-refused"
    SUSPENDED = "prefix-suspended"
    DELEGATED = "prefix-delegated"
    USER = "user-added"
    DISABLED = "user-disabled"
    PASSWORD = "password-set"  # noqa: S105 - the name of an action
    CREDENTIAL = "credential-made"
    REVOKED = "credential-revoked"
    KEY = "key-set"
    UNKEYED = "key-dropped"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; ``at_ms`` is UTC milliseconds."""

    at_ms: int
    who: str
    action: str
    subject: str
    detail: str
    id: int


def note(
    connection: Connection, at_ms: int, who: str, action: Action, subject: str, detail: str = ""
) -> None:
    """Write down that something was done, in the transaction that does it.

    Args:
        connection: of the node's database.
        at_ms: UTC milliseconds.
        who: user, or address of a visitor; cut at 100 characters.
        action: what was done.
        subject: to what; cut at 255 characters.
        detail: more of it, never a secret; cut at 300 characters.
    """
    row = {"at_ms": at_ms, "who": who[:100], "action": action.value}
    row |= {"subject": subject[:255], "detail": detail[:300]}
    connection.execute(insert(audit).values(row))


def newest(connection: Connection, limit: int, before_id: int | None = None) -> list[Entry]:
    """The newest entries, newest first.

    Args:
        connection: of the node's database.
        limit: most of them.
        before_id: only those that were written before the one of this number.
    """
    of = audit.c
    query = select(of.at_ms, of.who, of.action, of.subject, of.detail, of.id)
    if before_id is not None:
        query = query.where(of.id < before_id)
    return [Entry(*row) for row in connection.execute(query.order_by(of.id.desc()).limit(limit))]


def registered_today(connection: Connection, user_name: str, now_ms: int) -> int:
    """How many identifiers a user has registered on the day (Asia/Shanghai)."""
    of = registered.c
    day = day_of(now_ms).isoformat()
    query = select(of.count).where(of.user_name == user_name, of.day == day)
    return connection.scalar(query) or 0


def forget_registered(connection: Connection, now_ms: int) -> None:
    """Forget what users have registered on days before the one before."""
    before = day_of(now_ms - DAY_MS).isoformat()
    connection.execute(delete(registered).where(registered.c.day < before))


def count_registered(connection: Connection, user_name: str, now_ms: int, count: int) -> None:
    """Add to what a user has registered on the day."""
    row = {"user_name": user_name, "day": day_of(now_ms).isoformat(), "count": count}
    statement = insert_for(connection, registered).values(row)
    keys = [registered.c.user_name, registered.c.day]
    change = {"count": registered.c.count + count}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=change))
