"""Rows, columns and sheets that nobody sees who opens the file. Pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum

from edge_config.tables.header import is_own, spelled
from edge_config.tables.sheet import Row, row_list
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.reading import LedgerSheet


class Hidden(StrEnum):
    """What becomes of them; only the person who imports can know."""

    REFUSE = "refuse"
    TAKE = "take"
    LEAVE = "leave"


_ADVICE = (
    "show what belongs into the ledger and delete the rest, or import with --hidden take or "
    "--hidden leave"
)
_DONE = {Hidden.TAKE: "hidden and taken along", Hidden.LEAVE: "hidden and left out"}


def visible_part(
    sheet: LedgerSheet, hidden: Hidden, problems: list[Problem], notes: list[Problem]
) -> LedgerSheet | None:
    """The sheet with the rows and columns that count; None if none does.

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
    if sheet.is_hidden:
        return None
    # Of a file that is refused all columns are read on, so that all mistakes are told at once.
    left = sheet.hidden_columns if hidden is Hidden.LEAVE else frozenset()
    header, *rows = (
        _without(row, left)
        for row in (sheet.header, *sheet.rows)
        if row is sheet.header or not row.is_hidden
    )
    return replace(sheet, header=header, rows=rows)


def _without(row: Row, columns: AbstractSet[int]) -> Row:
    """A row as one who does not see some columns would have it."""
    if not columns:
        return row
    cells = ["" if place in columns else text for place, text in enumerate(row.cells)]
    return row._replace(cells=cells, odd={p: o for p, o in row.odd.items() if p not in columns})


def _told(sheet: LedgerSheet, hidden: Hidden) -> Iterator[Problem]:
    """One sentence about the sheet, or one about its rows and one for each column."""
    rows: Sequence[int] = [row.number for row in sheet.rows if row.is_hidden]
    if sheet.is_hidden:
        yield Problem(
            sheet.label, 0, "", _sentence(f"this sheet of {len(sheet.rows)} rows", hidden)
        )
        return
    if rows:
        listed = f"rows {row_list(rows)} (by hand or by a filter)"
        yield Problem(sheet.label, rows[0], "", _sentence(listed, hidden))
    for place, title in enumerate(sheet.header.cells):
        if title and place in sheet.hidden_columns and not is_own(spelled(title)):
            yield Problem(sheet.label, sheet.header.number, title, _sentence("this column", hidden))


def _sentence(what: str, hidden: Hidden) -> str:
    done = _DONE.get(hidden)
    return f"{done}: {what}" if done else f"hidden: {what}; {_ADVICE}"
