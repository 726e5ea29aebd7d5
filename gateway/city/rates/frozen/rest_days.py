"""The days of rest that a stored result left out: a calendar may be written otherwise later."""

import hashlib

from sqlalchemy import Connection, select

from gateway.city.db.schema.rates import rest_days
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.inquiry import Inquiry
from gateway.relational.upsert import insert_for


def said_of(inquiry: Inquiry) -> str | None:
    """The days of rest of an inquiry's window, as text; None: it leaves out none."""
    window, calendar = inquiry.window, inquiry.calendar
    return None if calendar is None else calendar.text(window.first, window.as_of)


def digest_of(text: str | None) -> str | None:
    """SHA-256 of a text of :func:`said_of`, 64 hex digits."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def keep(connection: Connection, text: str) -> None:
    """Keep the days of rest that a result rests on; equal ones are kept once."""
    add = insert_for(connection, rest_days).on_conflict_do_nothing()
    connection.execute(add, [{"digest": digest_of(text), "days": text}])


def kept(connection: Connection, digest: str, inquiry: Inquiry) -> Calendar:
    """The calendar of an inquiry's window, as a result of that digest had it.

    Raises:
        LookupError: they were not kept.
    """
    text = connection.scalar(select(rest_days.c.days).where(rest_days.c.digest == digest))
    if text is None:
        raise LookupError(digest)
    return Calendar.of_text(text, {day.year for day in inquiry.window.days()})
