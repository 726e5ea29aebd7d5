"""Where the table begins in a sheet: titles, dates and authors stand above headers. Pure."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from unicodedata import normalize

from edge_config.tables.merges import Area, area_of
from edge_config.tables.sheet import INVISIBLE, Odd, Row

_LOOKED_AT = 20
"""Rows in which the header is looked for."""
_LEAST_KNOWN = 2
"""A row with one known word may be a title, as “设备名称：冲床”."""
_WITHOUT_INVISIBLE = dict.fromkeys(map(ord, INVISIBLE))
_REMARK = re.compile(r"\((?:十进制|dec(?:imal)?|必填|选填|可选|名称|optional|required|\*)\)$")
"""What people add to a title without changing what it means. 十六进制 would change it."""


@lru_cache(4_096)  # cells of a row are looked at too, and most are the same as those above
def spelled(title: str) -> str:
    """A title reduced to what must match: ``资产编号（必填） *`` → ``资产编号``."""
    word = normalize("NFKC", title).translate(_WITHOUT_INVISIBLE)
    word = "".join(word.casefold().split()) if not word.isascii() else word.casefold()
    return _REMARK.sub("", "_".join(word.split()).rstrip("*_")).strip("_")


def header_at(rows: Sequence[Row], is_known: Callable[[str], bool]) -> int | None:
    """Which of the rows names the columns.

    Args:
        rows: of one sheet.
        is_known: whether a title, as :func:`spelled`, names a column.

    Returns:
        Position of the first row with the most known titles; None if none has two.
    """
    known = [sum(map(is_known, map(spelled, row.cells))) for row in rows[:_LOOKED_AT]]
    most = max(known, default=0)
    return known.index(most) if most >= _LEAST_KNOWN else None


def header_of(rows: Sequence[Row], at: int) -> tuple[Row, int]:
    """The header as one row, and the position behind it.

    A title may be merged over two rows or more, beside those that stand below a common one::

        | 资产编号 |      设备       |
        |         | 名称  |  状态   |

    Args:
        rows: of one sheet.
        at: position of the row of the header that names most columns.
    """
    header, over = rows[at], dict[int, Area]()
    for place, odd in header.odd.items():
        area = area_of(odd.detail) if odd.kind is Odd.MERGED else None
        if area and area.first_column == area.last_column and area.first_row < area.last_row:
            over[place] = area
    if not over:
        return header, at + 1
    first, last = min(one.first_row for one in over.values()), header.number
    last = max(last, *(one.last_row for one in over.values()))
    block = [row for row in rows if first <= row.number <= last]
    titles = {place: _first(block, place, area) for place, area in over.items()}
    end = block[-1]
    width = max(len(end.cells), 1 + max(over))
    cells = [titles.get(place, end.cell(place)) for place in range(width)]
    left = {place: one for place, one in end.odd.items() if place not in over}
    return end._replace(cells=cells, odd=left), rows.index(end) + 1


def _first(block: Sequence[Row], place: int, area: Area) -> str:
    return next((row.cell(place) for row in block if row.number == area.first_row), "")


NUMBERING = ("序号", "no", "no.", "#", "index")
OWN = ("备注", "remark")
"""With what the titles of columns begin that people keep for themselves."""


def is_own(word: str) -> bool:
    """Whether a title, as :func:`spelled` gives it, is of a column for people only."""
    return word in NUMBERING or word.startswith(OWN)
