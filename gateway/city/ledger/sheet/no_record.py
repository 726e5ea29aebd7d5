"""Rows of a table that are about no machine and no enterprise: sums, and headers again. Pure."""

import re
from collections.abc import Sequence

from edge_config.tables.header import spelled
from edge_config.tables.sheet import Row
from gateway.city.ledger.sheet.columns.column import Column

_SUMS = re.compile(r"(?:合计|总计|小计|共计|总数|汇总|sum|(?:sub)?total)s?(?![0-9a-z])")

_CODE_LENGTH = 18


def no_record(row: Row, header: Row, layout: Sequence[tuple[int, Column]]) -> str | None:
    """Why a row is no record, and what to do with it; None if it may be one.

    A row of sums names no enterprise; a machine that is called 合计 has one.

    Args:
        row: below the header.
        header: names the columns; a table that was printed on several pages repeats it.
        layout: which column stands where.
    """
    at = next((place for place, column in layout if column.key == "uscc"), None)
    written = row.cell(at) if at is not None else ""
    if len(written) >= _CODE_LENGTH and at is not None and written != header.cell(at):
        return None  # as nearly every row, of which there are a hundred thousand
    words, code = [spelled(text) for text in row.cells], spelled(written)
    if words == [spelled(text) for text in header.cells]:
        return "repeats the header; delete the row"
    sums = (text for text, word in zip(row.cells, words, strict=True) if _SUMS.match(word))
    said = next(sums, None)
    if said is None or (code and not _SUMS.match(code)):
        return None
    return f"is a row of sums ({said[:20]}), no record; delete the row"
