"""What a person has given a point table that is written anew: titles, own columns, rows above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_config.files.point_columns import columns_of, words_for
from edge_config.files.point_table import PointTable, found
from edge_config.models.ledger_number import key_of
from edge_config.models.settings import Settings
from edge_config.points.changes import Key
from edge_config.points.columns import AddressForm, Language
from edge_config.tables.sheet import Row


@dataclass(frozen=True, slots=True)
class Kept:
    """The layout of a table that is there.

    Attributes:
        sheet: title of its sheet; empty for CSV.
        titles: key → title, from left to right.
        own: titles of the columns that are not read.
        cells: what stands in these for a tag.
        above: rows over the header.
    """

    sheet: str
    titles: Mapping[str, str]
    own: Sequence[str]
    cells: Mapping[Key, Sequence[str]]
    above: Sequence[Sequence[str]]

    @property
    def form(self) -> AddressForm:
        """How its addresses stand."""
        return "text" if "address" in self.titles else "fields"

    @property
    def language(self) -> Language:
        """In which its titles are."""
        return "en" if self.titles.get("name", "").isascii() else "zh"


def kept_of(table: PointTable, address: type[Settings]) -> Kept:
    """The layout of a table without mistakes.

    Raises:
        ConfigError: it cannot be read.
    """
    words = words_for(address)
    sheet, at = found(table, words)
    header, rows = sheet.rows[at], sheet.rows[at + 1 :]
    columns, unread = columns_of(header, words, table.name, [])
    places = {key: position for position, key in columns.items()}
    own = sorted(position for position in unread if header.cell(position))

    def key(row: Row) -> Key:
        machine = row.cell(places["asset_no"]) if "asset_no" in places else ""
        return key_of(machine), row.cell(places["name"])

    return Kept(
        sheet.title,
        {key: header.cell(position) for key, position in places.items()},
        [header.cell(position) for position in own],
        {key(row): [row.cell(position) for position in own] for row in rows},
        _above(sheet.rows[:at], header.number),
    )


def _above(rows: Sequence[Row], header: int) -> list[Sequence[str]]:
    """The rows over the header, those that are empty included: its number may be configured."""
    by_number: Mapping[int, Sequence[str]] = {row.number: row.cells for row in rows}
    return [by_number.get(number, ()) for number in range(1, header)]
