"""Compute a stored vintage anew, by the ledger as it was known when it was computed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.erasing.standing import maps_erased
from gateway.city.ledger.bitemporal.knowledge import check_known
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import CITY, DIMENSIONS, Cells, all_cells
from gateway.city.rates.cells.statistics import Statistics
from gateway.city.rates.definitions import builtin_definitions, definition_of, record_of
from gateway.city.rates.frozen import rest_days
from gateway.city.rates.frozen.results import StoredTable, latest_vintage, vintage_table
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.tallies import tallies_of


class NotReproducibleError(ValueError):
    """A vintage cannot be computed anew; the message says why."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that is another one now; None: there is no such cell."""

    dimension: str
    key: str
    stored: Cell | None
    computed: Cell | None


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A vintage, and what it is when it is computed anew; evidence is taken as it is now."""

    table: StoredTable
    cells: Cells
    differences: tuple[Difference, ...]


def reproduce(
    connection: Connection,
    definition_id: str,
    month: str,
    vintage: int | None,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition] | None = None,
) -> Reproduced:
    """Compute a vintage of a month anew.

    Args:
        connection: the city's database, on one snapshot.
        definition_id: as ``ENR-A``.
        month: ``YYYY-MM``.
        vintage: its number; None: the newest.
        demonstration: synthetic evidence counts too.
        definitions: by id; default: the built-in ones.

    Raises:
        NotReproducibleError: there is no such vintage, or its definition is not there any more.
        UnknownPastError: it is older than the history of the ledger.
        MonthError: no month, or one before the city began.
    """
    stored = _stored(connection, definition_id, month, vintage, demonstration)
    inquiry = Inquiry(
        _definition(definition_id, stored, definitions),
        period_of(month, stored.computed_ms, began_on(connection)),
        stored.computed_ms,
        demonstration,
        known=stored.ledger_change,
    )
    if stored.rest_days is not None:
        inquiry = _with_days(connection, inquiry, stored.rest_days)
    ((tallies, _),) = tallies_of(connection, [inquiry])
    cells = all_cells(tallies)
    return Reproduced(stored, cells, tuple(_differences(stored.cells, cells)))


def _stored(
    connection: Connection, definition_id: str, month: str, vintage: int | None, demonstration: bool
) -> StoredTable:
    """A vintage of which all that it was computed from is still there.

    Raises:
        NotReproducibleError: there is none, or not all of it is there.
        UnknownPastError: it is older than the history of the ledger.
    """
    number = vintage or latest_vintage(connection, definition_id, month).number
    parts = (CITY, *DIMENSIONS)
    stored = vintage_table(connection, definition_id, month, number, parts, demonstration)
    if stored is None:
        raise NotReproducibleError(f"{definition_id} {month}: there is no vintage {number or 1}")
    if stored.ledger_change is None:
        raise NotReproducibleError(
            f"{definition_id} {month} vintage {number} does not say what was known of the ledger: "
            "it was stored before that was kept"
        )
    check_known(connection, stored.ledger_change)
    if gone := maps_erased(connection, month, demonstration):
        raise NotReproducibleError(
            f"{definition_id} {month} vintage {number} rests on data that were erased since, of so "
            f"many enterprises: {gone}; their digests stand in the chain of evidence"
        )
    return stored


def _with_days(connection: Connection, inquiry: Inquiry, digest: str) -> Inquiry:
    """The inquiry with the days of rest that the vintage left out, whatever is said now."""
    try:
        calendar = rest_days.kept(connection, digest, inquiry)
    except LookupError:
        raise NotReproducibleError(
            f"{inquiry.definition.id} {inquiry.period.month}: the days of rest that it left out "
            f"({digest[:12]}…) are not in the database"
        ) from None
    return replace(inquiry, definition=inquiry.definition.counted_by(calendar))


def _definition(
    definition_id: str, stored: StoredTable, definitions: Mapping[str, Definition] | None
) -> Definition:
    known = definition_of(definitions or builtin_definitions(), definition_id)
    record = record_of(known, stored.definition_hash)
    if record is not None:
        return record
    raise NotReproducibleError(
        f"{definition_id} {stored.month} vintage {stored.vintage} was computed by another version "
        f"of its definition ({stored.definition_hash[:12]}…) than the city has"
    )


def _differences(stored: Cells, computed: Cells) -> Iterator[Difference]:
    for dimension, parts in stored.items():
        now = computed.get(dimension, {})
        for key in sorted({*parts, *now}):
            one, other = parts.get(key), now.get(key)
            if one is not None and other is not None and one.statistics is None:
                other = replace(other, statistics=None)  # it was stored before they were kept
            elif one is not None and other is not None and not _tells_days(one):
                other = replace(other, statistics=_without_days(other.statistics))
            if one != other:
                yield Difference(dimension, key, one, other)


def _tells_days(one: Cell) -> bool:
    """Whether it was stored when excused days were kept already."""
    return one.statistics is not None and one.statistics.excused is not None


def _without_days(told: Statistics | None) -> Statistics | None:
    return None if told is None else replace(told, excused=None)
