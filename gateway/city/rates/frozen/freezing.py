"""Freeze months: provisional from day 5 of the following month, final from day 20.

Results are append-only. A frozen month changes only by a correction, which is a new vintage.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.erasing.standing import maps_erased
from gateway.city.ledger.changes import latest_change
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.columns.kept import KeptLedger
from gateway.city.rates.daymaps.takings import Taken, keep, take
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.engines.engine import Engine
from gateway.city.rates.frozen import rest_days
from gateway.city.rates.frozen.results import Correction, StoredTable, append, latest_vintage
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import Status, frozen_as, month_of, period_of, recent_months
from gateway.city.rates.tallies import NotComputableError, is_known, tallies_of
from gateway.relational.database import Database

_LOOK_BACK_MONTHS = 36
_LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Frozen:
    """A vintage that was stored."""

    definition: str
    month: str
    vintage: int
    status: Status


@dataclass(frozen=True, slots=True)
class Result:
    """A month's results, to be stored.

    Attributes:
        table: the vintage.
        taken: the evidence that it rests on; None: on none.
        rest_days: the days of rest that it left out, as text; None: none.
    """

    table: StoredTable
    taken: Taken | None
    rest_days: str | None


def freeze_month(
    database: Database,
    definition_id: str,
    month: str,
    now_ms: int,
    *,
    demonstration: bool,
    correction: Correction | None = None,
    definitions: Mapping[str, Definition] | None = None,
    noted: Callable[[Connection, Frozen], object] | None = None,
    engine: Engine | None = None,
) -> Frozen | None:
    """Compute a month on one snapshot and store it; see :func:`month_to_freeze`.

    Two transactions: to compute in the one that writes would keep ingest from the database, or
    mix what is committed meanwhile into the result.

    ``noted`` is called in the transaction that stores, with what it stores.

    Returns:
        What was stored; None if it is too early or nothing is new.
    """
    if correction is not None:
        correction = database.read_now(_told_of_erased, correction, month, demonstration)
    result = database.read_now(
        month_to_freeze,
        definition_id,
        month,
        now_ms,
        demonstration=demonstration,
        correction=correction,
        definitions=definitions,
        engine=engine,
    )
    if result is None:
        return None
    frozen = Frozen(definition_id, month, result.table.vintage, result.table.status)
    with database.engine.begin() as connection:
        store(connection, result, definition_id, demonstration)
        if noted is not None:
            noted(connection, frozen)
    return frozen


def _told_of_erased(
    connection: Connection, correction: Correction, month: str, demonstration: bool
) -> Correction:
    """A correction after an erasure counts some enterprises no more, and says so."""
    gone = maps_erased(connection, month, demonstration)
    if not gone:
        return correction
    told = f"{correction.note}；不含数据已擦除的企业 {gone} 家"
    return replace(correction, note=told.removeprefix("；")[:_LONGEST_NOTE])


def month_to_freeze(
    connection: Connection,
    definition_id: str,
    month: str,
    now_ms: int,
    *,
    demonstration: bool,
    correction: Correction | None = None,
    definitions: Mapping[str, Definition] | None = None,
    engine: Engine | None = None,
) -> Result | None:
    """A month's results if the calendar asks for them and they are not stored yet.

    Args:
        connection: the city's database, on one snapshot.
        definition_id: as ``ENR-A``.
        month: ``YYYY-MM``.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        correction: who stores a new vintage although the month is frozen, and why.
        definitions: by id; default: the built-in ones.
        engine: counts the machines; None: this process does.

    Returns:
        What is to be stored; None if it is too early or nothing is new.

    Raises:
        MonthError: no month, or one before the city began.
        NotComputableError: the city received nothing in that month.
        EngineError: the engine cannot be asked.
    """
    found = results_to_freeze(
        connection,
        [definition_id],
        month,
        now_ms,
        demonstration=demonstration,
        correction=correction,
        definitions=definitions,
        engine=engine,
    )
    return found.get(definition_id)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A vintage that is to be made."""

    inquiry: Inquiry
    vintage: int
    status: Status


def results_to_freeze(
    connection: Connection,
    wanted: Iterable[str],
    month: str,
    now_ms: int,
    *,
    demonstration: bool,
    correction: Correction | None = None,
    definitions: Mapping[str, Definition] | None = None,
    engine: Engine | None = None,
) -> dict[str, Result]:
    """What is to be stored of a month, by definition; ledger and evidence are read once for all.

    Args and errors: as of :func:`month_to_freeze`.
    """
    known, asked = definitions or builtin_definitions(), dict[str, _Asked]()
    for one in wanted:
        definition, newest = definition_of(known, one), latest_vintage(connection, one, month)
        status = _asked_for(definition, month, now_ms)
        if status is None or (correction is None and newest.satisfies(status, demonstration)):
            continue
        inquiry = _inquiry(connection, definition, month, now_ms, demonstration)
        if not is_known(connection, inquiry):
            raise NotComputableError(f"month {month} is unknown: {_why_unknown(inquiry)}")
        asked[one] = _Asked(inquiry, newest.number + 1, status)
    return _computed(connection, asked, correction, engine)


def _why_unknown(inquiry: Inquiry) -> str:
    if inquiry.only_rest:
        return "no day in it counts, all are of rest"
    if not inquiry.unknown_years:
        return "the city received nothing in it; no rate can be stored"
    years = ", ".join(map(str, inquiry.unknown_years))
    return (
        f"which days of {years} are of rest is not known; write the arrangement of that year into "
        "the file that calendar.file of the city names"
    )


def _computed(
    connection: Connection,
    asked: Mapping[str, _Asked],
    correction: Correction | None,
    engine: Engine | None,
) -> dict[str, Result]:
    """The vintages of a month, and the evidence that they rest on."""
    ledgers = KeptLedger(0)  # for the figures, and for the evidence
    inquiries = [one.inquiry for one in asked.values()]
    resting = [one for one in inquiries if one.definition.measure == "networked"]
    taken = take(connection, resting[0], ledgers) if resting else None
    found = tallies_of(connection, inquiries, ledgers=ledgers, engine=engine)
    made = zip(asked.items(), found, strict=True)
    return {
        name: _result(
            connection, one, tallies, taken if one.inquiry in resting else None, correction
        )
        for (name, one), (tallies, _) in made
    }


def _result(
    connection: Connection,
    asked: _Asked,
    tallies: Sequence[Tally],
    taken: Taken | None,
    correction: Correction | None,
) -> Result:
    inquiry, rest = asked.inquiry, rest_days.said_of(asked.inquiry)
    table = StoredTable(
        month=inquiry.period.month,
        vintage=asked.vintage,
        status=asked.status,
        definition_hash=inquiry.definition.hash,
        computed_ms=inquiry.now_ms,
        cells=all_cells(tallies),
        correction=correction,
        taking=taken.number if taken is not None else None,
        ledger_change=latest_change(connection),
        rest_days=rest_days.digest_of(rest),
    )
    return Result(table, taken, rest)


def store(connection: Connection, result: Result, definition_id: str, demonstration: bool) -> None:
    """Store a month's results, and the evidence that they rest on."""
    if result.taken is not None:
        keep(connection, result.taken, result.table.computed_ms)
    if result.rest_days is not None:
        rest_days.keep(connection, result.rest_days)
    append(connection, result.table, definition_id, demonstration)


def _inquiry(
    connection: Connection, definition: Definition, month: str, now_ms: int, demonstration: bool
) -> Inquiry:
    period = period_of(month, now_ms, began_on(connection))
    return Inquiry(definition, period, now_ms, demonstration)


def _asked_for(definition: Definition, month: str, now_ms: int) -> Status | None:
    """What the calendar wants stored by now; an instantaneous rate is never stored."""
    return None if definition.measure == "answering" else frozen_as(month, now_ms)


def due(
    connection: Connection,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition] | None = None,
) -> list[tuple[str, str]]:
    """Definition and month of all results that the calendar asks for and that are not stored.

    Months since the city began, 36 at most, in which it received something. Each month is frozen
    alone: a snapshot of years would keep the database from tidying up.
    """
    return [
        (definition.id, month)
        for month in _months_since(began_on(connection), now_ms)
        for definition in (definitions or builtin_definitions()).values()
        if (status := _asked_for(definition, month, now_ms)) is not None
        and not latest_vintage(connection, definition.id, month).satisfies(status, demonstration)
        and is_known(connection, _inquiry(connection, definition, month, now_ms, demonstration))
    ]


def _months_since(first: date | None, now_ms: int) -> Iterator[str]:
    if first is not None:
        start = month_of(first)
        # Without the last one, which is the running month: it is not over.
        yield from (one for one in recent_months(now_ms, _LOOK_BACK_MONTHS)[:-1] if one >= start)
