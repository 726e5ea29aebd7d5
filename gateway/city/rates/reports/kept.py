"""Figures that were computed, kept in a file: the first page after a start need not wait for them.

To compute a month of a million machines takes seconds. What is kept is shown with the time that it
is of, while a fresh figure is made.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import msgspec

from gateway.city.rates.cells.cell import Cell, percent
from gateway.city.rates.cells.dimensions import CITY, Cells
from gateway.city.rates.cells.excused import Excused
from gateway.city.rates.cells.spread import Spread
from gateway.city.rates.cells.statistics import Statistics
from gateway.city.rates.model import Definition
from gateway.city.rates.period import Status
from gateway.city.rates.reports.table import RateMonth

KEPT_FILE = "figures.json"
"""In the city's data folder; may be deleted at any time."""


class _Told(msgspec.Struct, array_like=True):
    """Statistics; quartiles and assumed machines are exact fractions."""

    quartiles: tuple[str, str, str] | None
    in_scope: int
    verified: int
    missing: int
    assumed: str | None
    undetermined: int
    excused: tuple[int, int, int, int] | None = None


class _Cell(msgspec.Struct, array_like=True):
    """A cell; ``mean`` is an exact fraction, ``known`` whether there is a rate at all."""

    networked: int
    equipment: int
    enterprises: int
    mean: str | None
    known: bool
    told: _Told | None


class KeptMonth(msgspec.Struct):
    """A month that was computed; attributes as of :class:`RateMonth`."""

    definition: str
    definition_hash: str
    month: str
    status: Status
    as_of_ms: int
    computed_ms: int
    demonstration: bool
    cells: dict[str, dict[str, _Cell]]
    names: dict[str, str]


def kept(month: RateMonth) -> KeptMonth:
    """A month as it is kept."""
    cells = {
        by: {key: _kept_cell(part) for key, part in parts.items()}
        for by, parts in month.cells.items()
    }
    return KeptMonth(
        month.definition.id,
        month.definition_hash,
        month.month,
        month.status,
        month.as_of_ms,
        month.computed_ms,
        month.demonstration,
        cells,
        dict(month.names),
    )


KeptMonths = dict[tuple[str, str], msgspec.Raw]
"""Months as the file has them, by definition and month."""


def kept_by_key(months: Iterable[RateMonth]) -> KeptMonths:
    """Months as they are kept; one of ten thousand enterprises takes a tenth of a second."""
    return {
        (one.definition.id, one.month): msgspec.Raw(msgspec.json.encode(kept(one)))
        for one in months
    }


def recalled(one: KeptMonth, definitions: Mapping[str, Definition]) -> RateMonth | None:
    """A month that was kept; None if it must be computed anew.

    That is so if its definition has been changed since, if it counts who answers at the moment,
    or if what is kept makes no sense.
    """
    definition = definitions.get(one.definition)
    if definition is None or definition.hash != one.definition_hash:
        return None
    cells = _cells(one)
    if cells is None or definition.measure == "answering":
        return None
    return RateMonth(
        definition=definition,
        definition_hash=one.definition_hash,
        month=one.month,
        status=one.status,
        as_of_ms=one.as_of_ms,
        computed_ms=one.computed_ms,
        demonstration=one.demonstration,
        cells=cells,
        names=one.names,
    )


def read(path: Path) -> list[KeptMonth]:
    """What a file keeps; nothing if it cannot be read: figures can be computed anew."""
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(path.read_bytes(), type=list[KeptMonth])
    return []


def write(path: Path, content: Sequence[KeptMonth | msgspec.Raw] | msgspec.Struct) -> None:
    """Write a file whole or not at all; a full disk costs the next start some seconds."""
    part = path.with_suffix(".part")
    with contextlib.suppress(OSError):
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(content))
        part.replace(path)


def _kept_cell(part: Cell) -> _Cell:
    mean, known = None if part.mean is None else str(part.mean), part.pooled is not None
    told = None if part.statistics is None else _kept_statistics(part.statistics)
    return _Cell(part.networked, part.equipment, part.enterprises, mean, known, told)


def _kept_statistics(one: Statistics) -> _Told:
    quartiles = one.spread and (str(one.spread[0]), str(one.spread[1]), str(one.spread[2]))
    assumed = None if one.assumed is None else str(one.assumed)
    return _Told(
        quartiles, one.in_scope, one.verified, one.missing, assumed, one.undetermined, one.excused
    )


def _cells(one: KeptMonth) -> Cells | None:
    try:
        cells = {
            by: {key: _cell(part) for key, part in parts.items()} for by, parts in one.cells.items()
        }
    except (ValueError, ZeroDivisionError):  # no fraction
        return None
    return cells if CITY in cells.get(CITY, {}) else None


def _cell(one: _Cell) -> Cell:
    pooled = percent(one.networked, one.equipment) if one.known else None
    mean = None if one.mean is None else Fraction(one.mean)
    told = None if one.told is None else _statistics(one.told)
    return Cell(one.networked, one.equipment, one.enterprises, pooled, mean, told)


def _statistics(one: _Told) -> Statistics:
    return Statistics(
        None if one.quartiles is None else Spread(*map(Fraction, one.quartiles)),
        one.in_scope,
        one.verified,
        one.missing,
        None if one.assumed is None else Fraction(one.assumed),
        one.undetermined,
        None if one.excused is None else Excused(*one.excused),
    )
