"""What is asked about a month by all definitions at once, and whether two engines say the same."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import CITY, Cells, all_cells
from gateway.city.rates.compute import Period
from gateway.city.rates.engines.engine import Engine
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.tallies import tallies_of
from gateway.core.days import day_of


def month_inquiries(
    connection: Connection,
    definitions: Iterable[Definition],
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
) -> list[Inquiry]:
    """What definitions that count machines ask about a month; instantaneous ones of the running.

    Args:
        connection: the city's database.
        definitions: the records.
        month: ``YYYY-MM``; None: the running one.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now.

    Raises:
        MonthError: no month, one that has not begun, or one before the city began.
    """
    period = period_of(month, now_ms, began_on(connection))
    return [
        Inquiry(one, period, now_ms, demonstration, answering)
        for one in definitions
        if one.measure not in _not_of(period, now_ms)
    ]


def _not_of(period: Period, now_ms: int) -> tuple[str, ...]:
    return ("ledger",) if period.as_of == day_of(now_ms) else ("ledger", "answering")


class Compared(NamedTuple):
    """A definition's figures of a month by two engines.

    Attributes:
        definition: the record.
        networked: K of the city.
        equipment: N of the city.
        differences: cells that are otherwise: dimension, key, K and N here and there.
    """

    definition: Definition
    networked: int
    equipment: int
    differences: tuple[tuple[str, str, str, str], ...]


def compare(connection: Connection, engine: Engine, inquiries: Sequence[Inquiry]) -> list[Compared]:
    """Count a month by this process and by an engine, on one snapshot, and compare every cell.

    Args:
        connection: the city's database, on one snapshot.
        engine: the other one.
        inquiries: about one month.

    Raises:
        EngineError: the engine cannot be asked.
    """
    own, other = tallies_of(connection, inquiries), tallies_of(connection, inquiries, engine=engine)
    return [
        _compared(inquiry.definition, all_cells(here), all_cells(there))
        for inquiry, (here, _), (there, _) in zip(inquiries, own, other, strict=True)
    ]


def _compared(definition: Definition, here: Cells, there: Cells) -> Compared:
    differences = [
        (dimension, key, _said(cells.get(key)), _said(there[dimension].get(key)))
        for dimension, cells in here.items()
        for key in sorted(cells.keys() | there[dimension].keys())
        if cells.get(key) != there[dimension].get(key)
    ]
    city = here[CITY][CITY]
    return Compared(definition, city.networked, city.equipment, tuple(differences))


def _said(cell: Cell | None) -> str:
    """What two cells may differ in: K, N, and how many machines are undetermined."""
    if cell is None:
        return "—"
    told = cell.statistics
    unknown = f" ({told.undetermined} undetermined)" if told and told.undetermined else ""
    return f"{cell.networked}/{cell.equipment}{unknown}"
