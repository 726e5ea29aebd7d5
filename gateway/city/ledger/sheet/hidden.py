"""Rows and sheets that nobody sees who opens the file. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from edge_config.tables.sheet import row_list
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.reading import LedgerSheet


class Hidden(StrEnum):
    """What becomes of them; only the person who imports can know."""

    REFUSE = "refuse"
    TAKE = "take"
    LEAVE = "leave"


_ADVICE = "show what belongs into the ledger and delete the rest, or import with --hidden take or "
_ADVICE += "--hidden leave"
_DONE = {Hidden.TAKE: "taken along", Hidden.LEAVE: "left out"}


def visible_part(
    sheet: LedgerSheet, hidden: Hidden, problems: list[Problem], notes: list[Problem]
) -> LedgerSheet | None:
    """The sheet with the rows that count; None if none does.

    Args:
        sheet: a table of the ledger.
        hidden: what becomes of what is hidden.
        problems: grows if that is refused.
        notes: grows if it is taken or left.
    """
    found = list(_told(sheet, hidden))
    (problems if hidden is Hidden.REFUSE else notes).extend(found)
    if hidden is Hidden.TAKE:
        return sheet
    visible = [row for row in sheet.rows if not row.is_hidden]
    return None if sheet.is_hidden else replace(sheet, rows=visible)


def _told(sheet: LedgerSheet, hidden: Hidden) -> Iterator[Problem]:
    """One sentence about the sheet, or about its rows."""
    rows: Sequence[int] = [row.number for row in sheet.rows if row.is_hidden]
    if sheet.is_hidden:
        yield Problem(
            sheet.label, 0, "", _sentence(f"this sheet of {len(sheet.rows)} rows", hidden)
        )
    elif rows:
        listed = f"rows {row_list(rows)} (by hand or by a filter)"
        yield Problem(sheet.label, rows[0], "", _sentence(listed, hidden))


def _sentence(what: str, hidden: Hidden) -> str:
    done = _DONE.get(hidden)
    return f"hidden and {done}: {what}" if done else f"hidden: {what}; {_ADVICE}"
