"""What the columns of a point table are called. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge_config.mistakes.key_hints import SYNONYMS
from edge_config.mistakes.problems import Problem, hint
from edge_config.mistakes.shape import declared
from edge_config.models.settings import Settings
from edge_config.models.tag import TagConfig
from edge_config.tables.header import OWN, is_own, spelled
from edge_config.tables.sheet import Odd, Row

HEADERS = {
    "名称": "name",
    "测点": "name",
    "测点名称": "name",
    "点位": "name",
    "点位名称": "name",
    "变量名": "name",
    "变量名称": "name",
    "地址": "address",
    "寄存器": "address",
    "寄存器地址": "address",
    "单位": "unit",
    "角色": "role",
    "类别": "role",
    "中文名": "label_zh",
    "中文名称": "label_zh",
    "描述": "label_zh",
    "英文名": "label_en",
    "英文名称": "label_en",
    "倍率": "scale",
    "系数": "scale",
    "偏移": "offset",
    "偏移量": "offset",
    "下限": "minimum",
    "最小值": "minimum",
    "上限": "maximum",
    "最大值": "maximum",
    "无效码": "no_value",
    "无效值": "no_value",
    "读写": "access",
    "读写属性": "access",
    "读写权限": "access",
    "r/w": "access",
    "rw": "access",
    "写下限": "write_minimum",
    "写上限": "write_maximum",
    "死区": "deadband",
    "最大静默": "max_silence_ms",
    "最大静默毫秒": "max_silence_ms",
    "资产编号": "asset_no",
    "设备编号": "asset_no",
}
"""Chinese headers; any other must be a key of a tag or ``address.<field>``."""

UNREAD = (
    *("权限", "说明"),
    *("comment", "note"),
)
"""Columns that engineers keep beside those of :func:`edge_config.tables.header.is_own`."""

_FIELDS = {
    "数据类型": "type",
    "类型": "type",
    "字节序": "order",
    "字序": "order",
    "功能码": "table",
    "寄存器类型": "table",
    "位": "bit",
    "长度": "length",
}
"""Headers of other products that mean a field of the address."""

TAG_KEYS = frozenset(declared(TagConfig))
_LEAST_TITLES = 2

Columns = Mapping[int, str]
"""Position of a column → key of a tag, or ``address.<field>``."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the titles of columns may say.

    Attributes:
        keys: keys of a tag, and ``address.<field>`` for the fields of the driver's address.
        fields: title of such a field in either language, as ``spelled`` gives it → the field.
    """

    keys: frozenset[str]
    fields: Mapping[str, str]

    def key(self, word: str) -> str:
        """The key that a title means; what it says itself if it means none."""
        head, point, field = word.partition(".")
        head = HEADERS.get(head.strip("_"), head.strip("_"))
        if not point:
            return head
        field = field.strip("_")
        return f"{head}.{self.fields.get(field, field)}"

    def is_title(self, word: str) -> bool:
        """Whether a title names a column that is read or ignored."""
        return self.key(word) in self.keys or _is_ignored(word)


def words_for(address: type[Settings]) -> Words:
    """What columns may hold where tags have addresses of this model."""
    fields = declared(address)
    titles = {
        spelled(title): name
        for name, field in fields.items()
        for title in (field.title_zh, field.title_en)
    }
    return Words(frozenset({*TAG_KEYS, *(f"address.{name}" for name in fields)}), titles)


def columns_of(
    header: Row, words: Words, table: str, problems: list[Problem]
) -> tuple[Columns, set[int]]:
    """Which column holds which key.

    Args:
        header: the row of titles.
        words: what columns may hold.
        table: name of the file, for messages.
        problems: grows by columns that are unknown, repeated or missing.

    Returns:
        The columns that are read, and the positions of those that are not.
    """
    columns: dict[int, str] = {}
    unread: set[int] = set()
    for position, title in enumerate(header.cells):
        key = words.key(spelled(title))
        if key in columns.values():
            message = "the column is there twice"
            problems.append(Problem(table, message, header.number, title, table=True))
        elif key in words.keys:
            columns[position] = key
        elif title:
            unread.add(position)
            if not _is_ignored(spelled(title)):
                message = f"unknown column{_hint(title, key, words)}"
                problems.append(Problem(table, message, header.number, title, table=True))
    return columns, unread


def titles_again(
    rows: Sequence[Row], columns: Columns, words: Words, table: str
) -> Iterator[Problem]:
    """Rows that name the columns once more: in another language, or at the top of each page."""
    known = {*TAG_KEYS, *columns.values()}
    least = max(_LEAST_TITLES, len(columns) / 2)
    for row in rows:
        filled = [cell for cell in map(row.cell, columns) if cell]
        if len(filled) < least:  # as most rows of a table with many columns
            continue
        if sum(words.key(spelled(cell)) in known for cell in filled) >= least:
            said = "names the columns once more; delete this row"
            yield Problem(table, said, row.number, table=True)


def missing(columns: Columns, header: Row, table: str) -> list[Problem]:
    """What no table can do without."""
    keys = set(columns.values())
    parts = {key for key in keys if key.startswith("address.")}
    lacking = [key for key in ("name", "address") if key not in keys]
    if parts and "address" in lacking:
        lacking.remove("address")
    found = [(key, "the column is missing") for key in lacking]
    if "address" in keys and parts:
        found.append(("address", f"stands beside {min(parts)!r}; keep one form of address"))
    return [Problem(table, said, header.number, key, table=True) for key, said in found]


def merged(header: Row, table: str) -> list[Problem]:
    """A header whose titles belong to several columns or rows cannot be read."""
    return [
        Problem(table, str(odd), header.number, header.cell(position), table=True)
        for position, odd in header.odd.items()
        if odd.kind is Odd.MERGED and header.cell(position)
    ]


def _is_ignored(word: str) -> bool:
    return word in UNREAD or is_own(word)


def _hint(title: str, key: str, words: Words) -> str:
    for word in (key, _FIELDS.get(key), SYNONYMS.get(key)):
        if f"address.{word}" in words.keys:
            return f"; did you mean 'address.{word}'?"
    own = f"; one that you keep for yourself begins with {' or '.join(OWN)}"
    return hint(title, [*words.keys, *HEADERS]) or own
