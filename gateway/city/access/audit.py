"""The audit log: who did what to the city, and when. Rows are added, never changed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.access import audit


class Action(StrEnum):
    """What is written down."""

    LOGIN = "login"
    GUESSES = "wrong-tokens"
    LOGOUT = "logout"
    SESSIONS_ENDED = "sessions-ended"
    ENROLLED = "enrolled"
    RENEWED = "renewed"
    REVOKED = "revoked"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; ``at_ms`` is UTC milliseconds."""

    at_ms: int
    who: str
    action: str
    subject: str
    detail: str


def note(
    connection: Connection,
    at_ms: int,
    who: str,
    action: Action,
    subject: str = "",
    detail: str = "",
) -> None:
    """Write down that something was done, in the transaction that does it.

    Args:
        connection: of the city's database.
        at_ms: UTC milliseconds.
        who: user of the system, or address of a visitor; cut at 100 characters.
        action: what was done.
        subject: to what; cut at 200 characters.
        detail: more of it, never a secret; cut at 300 characters.
    """
    row = {"at_ms": at_ms, "who": who[:100], "action": action.value}
    row |= {"subject": subject[:200], "detail": detail[:300]}
    connection.execute(insert(audit).values(row))


def entries(connection: Connection, since_ms: int = 0) -> Sequence[Entry]:
    """All rows since a time, oldest first."""
    columns = (audit.c.at_ms, audit.c.who, audit.c.action, audit.c.subject, audit.c.detail)
    query = select(*columns).where(audit.c.at_ms >= since_ms).order_by(audit.c.id)
    return [Entry(*row) for row in connection.execute(query)]


def system_user() -> str:
    """Who runs this command, by the system's word: not by a variable that anybody may set."""
    try:
        import pwd  # noqa: PLC0415 - not on Windows

        name = pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    behind = os.environ.get("SUDO_USER", "") if name == "root" else ""
    return f"{name} ({behind})" if behind else name
