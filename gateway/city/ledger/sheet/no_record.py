"""Rows of a table that are about no machine and no enterprise: sums, notes, headers. Pure."""

import re
from collections.abc import Sequence

from edge_config.tables.header import spelled
from edge_config.tables.sheet import Row
from gateway.city.ledger.sheet.columns.column import Column

_SUMS = re.compile(r"(?:合计|总计|小计|共计|总数|汇总|sum|(?:sub)?total)s?(?![0-9a-z])")

_CODE_LENGTH = 18
_CODE = re.compile(r"[0-9a-z]{8}")
"""What stands in the column of credit codes may be one, if a wrong one."""
_NUMBERS = ("甲乙丙丁戊己庚辛壬癸", "abcdefghij")
"""With what printed tables count the columns that hold no figures."""
_SHOWN = 20
"""Characters of a note that are told."""
_FEWEST = 3
"""Cells of a row that counts columns."""


def no_record(row: Row, header: Row, layout: Sequence[tuple[int, Column]]) -> str | None:
    """Why a row is no record, and what to do with it; None if it may be one.

    A row of sums names no enterprise; a machine that is called 合计 has one. Neither does a note
    (注：…, 填表人：…, units below the header), which fills hardly a column that must be filled.

    Args:
        row: below the header.
        header: names the columns; a table that was printed on several pages repeats it.
        layout: which column stands where.
    """
    at = next((place for place, column in layout if column.key == "uscc"), None)
    written = row.cell(at) if at is not None else ""
    if len(written) == _CODE_LENGTH and written.isascii():
        return None  # as nearly every row, of which there are a hundred thousand
    words, code = [spelled(text) for text in row.cells], spelled(written)
    if words == [spelled(text) for text in header.cells]:
        return "repeats the header; delete the row"
    if _counts_columns([word for word in words if word]):
        return "counts the columns, no record; delete the row"
    sums = (text for text, word in zip(row.cells, words, strict=True) if _SUMS.match(word))
    said = next(sums, None)
    if said is not None and (not code or _SUMS.match(code)):
        return f"is a row of sums ({said[:_SHOWN]}), no record; delete the row"
    if at is not None and not _CODE.search(code) and _is_note(row, layout):
        said = next(filter(None, row.cells), "")
        return f"is a note ({_plain(said)}), no record; delete the row, or fill its columns"
    return None


def _is_note(row: Row, layout: Sequence[tuple[int, Column]]) -> bool:
    """Whether less than half of what must be filled beside the credit code is."""
    needed = [place for place, one in layout if one.required and one.key != "uscc"]
    return 2 * sum(bool(row.cell(place)) for place in needed) < len(needed)


def _counts_columns(words: Sequence[str]) -> bool:
    """``甲 乙 1 2 3``, or ``1 2 3``: printed tables count their columns below the header."""
    lettered = next((n for n, word in enumerate(words) if word.isdecimal()), len(words))
    letters = "".join(words[:lettered])
    counted = [str(n) for n in range(1, len(words) - lettered + 1)]
    is_begun = not letters or any(alphabet.startswith(letters) for alphabet in _NUMBERS)
    return len(words) >= _FEWEST and is_begun and list(words[lettered:]) == counted


def _plain(text: str) -> str:
    """The beginning of a text, without what would end a fact of a sentence."""
    return " ".join(text.replace(";", "，").replace(": ", "：").split())[:_SHOWN]
