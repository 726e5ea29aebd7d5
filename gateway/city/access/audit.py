"""The audit log: who did what to the city, and when. Rows are added, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, insert, or_, select, tuple_

from gateway.city.access.chain import next_digest
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
    DECLARED = "declared"
    LEDGER_IMPORT = "ledger-import"
    LEDGER_CORRECTION = "ledger-correction"
    LEDGER_RENAMING = "ledger-renaming"
    LEDGER_WITHDRAWAL = "ledger-withdrawal"
    LEDGER_STOPS = "ledger-stops"
    LEDGER_STOP_END = "ledger-stop-end"
    LEDGER_UNDO = "ledger-undo"
    LEDGER_AGREEMENTS = "ledger-agreements"
    LEDGER_AGREEMENT_END = "ledger-agreement-end"
    LEDGER_SCHEDULES = "ledger-schedules"
    LEDGER_SCHEDULE_END = "ledger-schedule-end"
    SAMPLED = "sampled"
    SAMPLE_DRAWN = "sample-drawn"
    FINDING_EXPLAINED = "finding-explained"
    FINDING_REOPENED = "finding-reopened"
    LEDGER_ERASURE = "ledger-erasure"
    ERASURE_BEGUN = "erasure-begun"
    ERASED = "erased"
    ERASED_LATE = "erased-late"
    COMMANDED = "commanded"
    ANSWERED = "command-answered"
    RELEASED = "identifiers-released"
    ADOPTED = "identifiers-adopted"
    ASKED_AGAIN = "identifiers-asked-again"
    VIEWED = "enterprise-viewed"
    EXPORTED = "exported"
    USER_ADDED = "user-added"
    USER_CHANGED = "user-changed"
    USER_DISABLED = "user-disabled"
    USER_RESET = "user-reset"
    PASSWORD_SET = "password-set"  # noqa: S105 - the name of an action
    USER_LINKED = "user-linked"
    USER_UNLINKED = "user-unlinked"
    LOGIN_REFUSED = "login-refused"
    TOKEN_MADE = "token-made"  # noqa: S105 - as above
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - as above
    ALERT_SEEN = "alert-acknowledged"
    WATCHED = "watch-changed"
    CONTACT = "alert-contact-set"


class Place(NamedTuple):
    """Where an entry stands in the log. The id parts those of one millisecond."""

    at_ms: int
    id: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; ``at_ms`` is UTC milliseconds."""

    at_ms: int
    who: str
    action: str
    subject: str
    detail: str
    id: int

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.at_ms, self.id)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are asked for; empty fields ask for all.

    Attributes:
        action: a value of :class:`Action`.
        who: part of a user's name or of an address.
        subject: a gateway's id, or whatever else something was done to, up to a blank.
        since_ms: UTC milliseconds of the first.
        until_ms: UTC milliseconds behind the last; None: up to now.
    """

    action: str = ""
    who: str = ""
    subject: str = ""
    since_ms: int = 0
    until_ms: int | None = None


EVERYTHING = EntryFilter()


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some entries, the newest first, and whether there are more on either side."""

    entries: list[Entry]
    has_newer: bool
    has_older: bool


def note(
    connection: Connection,
    at_ms: int,
    who: str,
    action: Action,
    subject: str = "",
    detail: str = "",
) -> None:
    """Write down that something was done, in the transaction that does it.

    Other transactions that write entries wait for its end: the entries are a chain.

    Args:
        connection: of the city's database.
        at_ms: UTC milliseconds.
        who: user of the system, or address of a visitor; cut at 100 characters.
        action: what was done.
        subject: to what; cut at 200 characters.
        detail: more of it, never a secret; cut at 300 characters.
    """
    content = (at_ms, who[:100], action.value, subject[:200], detail[:300])
    row = dict(zip(("at_ms", "who", "action", "subject", "detail"), content, strict=True))
    digest = next_digest(connection, content)
    connection.execute(insert(audit).values(**row, digest=digest))


def entries(connection: Connection, wanted: EntryFilter = EVERYTHING) -> Sequence[Entry]:
    """All that are asked for, oldest first."""
    query = _filtered(wanted).order_by(audit.c.at_ms, audit.c.id)
    return [Entry(*row) for row in connection.execute(query)]


def log_page(
    connection: Connection,
    wanted: EntryFilter,
    limit: int,
    before: Place | None = None,
    after: Place | None = None,
) -> LogPage:
    """A page of the log: the newest, or those next to a place.

    A page goes by where it begins, not by its number: what is written meanwhile moves nothing.

    Args:
        connection: of the city's database.
        wanted: which entries.
        limit: most entries of a page.
        before: older than the entry of this place.
        after: newer than the entry of this place; counts if ``before`` is None.
    """
    place = tuple_(audit.c.at_ms, audit.c.id)
    query = _filtered(wanted)
    if after is not None and before is None:
        later = query.where(place > after).order_by(audit.c.at_ms, audit.c.id)
        found = _some(connection, later, limit + 1)
        return LogPage(found[:limit][::-1], has_newer=len(found) > limit, has_older=True)
    if before is not None:
        query = query.where(place < before)
    found = _some(connection, query.order_by(audit.c.at_ms.desc(), audit.c.id.desc()), limit + 1)
    return LogPage(found[:limit], has_newer=before is not None, has_older=len(found) > limit)


def _some(connection: Connection, query: Select[Any], limit: int) -> list[Entry]:
    return [Entry(*row) for row in connection.execute(query.limit(limit))]


def _filtered(wanted: EntryFilter) -> Select[Any]:
    of = audit.c
    query = select(of.at_ms, of.who, of.action, of.subject, of.detail, of.id)
    query = query.where(of.at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        query = query.where(of.at_ms < wanted.until_ms)
    if wanted.action:
        query = query.where(of.action == wanted.action)
    if wanted.who:
        query = query.where(of.who.icontains(wanted.who, autoescape=True))
    if wanted.subject:
        # A month that was corrected is "ENR-A 2026-03 vintage 2"; gw-1 is not to find gw-10.
        begins = of.subject.startswith(f"{wanted.subject} ", autoescape=True)
        query = query.where(or_(of.subject == wanted.subject, begins))
    return query
