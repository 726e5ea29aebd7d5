"""Final months as the public is shown them. Functions take a SQLAlchemy connection.

What is withheld of a month depends on all that was published before it, so the vintages are gone
through in the order in which they were stored. They are append-only, so the answer is always the
same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.city.db.schema.ledger_history import enterprise_history, ledger_act
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.definitions import DefinitionError, record_of
from gateway.city.rates.model import Definition
from gateway.city.rates.period import last_day
from gateway.city.rates.publishing.publish import (
    CountedTable,
    MonthTable,
    Public,
    PublishedTable,
    counted,
    publish,
)
from gateway.city.rates.publishing.record import rules_of_publication
from gateway.city.rates.publishing.withholding import NOTHING_WITHHELD, withhold

_NAMED = ("definition", "definition_hash", "month", "vintage", "computed_ms", "ledger_change")
"""Columns of a vintage."""
_NOWHERE = ("", "")
"""County and industry of an enterprise that the ledger does not have."""


FinalResults = tuple[int, int, int]
"""How many final results are stored, the number of the newest, and the latest time of one; a
database that was restored from a copy differs in one of them."""


class NotPublishedError(ValueError):
    """There is nothing to show to the public; the message says why."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is public.

    Attributes:
        tables: newest final vintage by definition and month.
        unplaced: definition and month of results that nobody can place any more.
        stored_ms: when the tables were stored, UTC milliseconds; by definition and month.
    """

    tables: Mapping[tuple[str, str], PublishedTable]
    unplaced: AbstractSet[tuple[str, str]]
    stored_ms: Mapping[tuple[str, str], int]

    def months(self, definition: str) -> list[str]:
        """Its published months, the newest first."""
        return sorted((month for one, month in self.tables if one == definition), reverse=True)

    def table(self, definition: str, month: str | None = None) -> PublishedTable:
        """A month for the public; the newest if none is named.

        Raises:
            NotPublishedError: it is not final, or cannot be judged.
        """
        wanted = month or next(iter(self.months(definition)), "")
        if (definition, wanted) in self.unplaced:
            raise NotPublishedError(
                f"{definition} of {wanted} cannot be published: its enterprises do not add up to "
                "its counties and industries as the ledger knows them; correct the month "
                f"(qulink rates correct {wanted}), which stores it anew"
            )
        found = self.tables.get((definition, wanted))
        if found is None:
            raise NotPublishedError(
                f"{definition} of {wanted or 'any month'} is not published: a month is final from "
                "day 20 of the next, and rates of machines alone are published"
            )
        return found


def publication(
    connection: Connection, definitions: Mapping[str, Definition], *, demonstration: bool
) -> Publication:
    """All final months of rates of machines.

    Results are read one month at a time. What is withheld is known at the end, so the cells of each
    are held until then.

    Args:
        connection: the city's database, on one snapshot.
        definitions: by id.
        demonstration: results with synthetic machines, or those without.
    """
    machines = [one.id for one in published_definitions(definitions)]
    places = _Places(connection)
    stored: dict[str, list[Row[Any]]] = defaultdict(list)
    held, alone = NOTHING_WITHHELD, set[str]()
    newest: dict[tuple[str, str], Row[Any]] = {}
    whole: dict[tuple[str, str], CountedTable] = {}
    for month, vintages in _as_stored(connection, machines, demonstration):
        stored[month].extend(vintages)
        tables = [_read(connection, one, places) for one in stored[month]]
        for one, table in zip(stored[month], tables, strict=True):
            key = one.definition, month
            newest[key] = one
            whole.pop(key, None)
            if table is not None:
                whole[key] = counted(table)
        tallies = [one.tallies for one in tables if one is not None]
        if tallies:
            held = withhold(tallies, rules_of_publication(), held)
            if held.all_parts:
                alone.add(month)
    shown = {
        key: publish(table, Public(replace(held, all_parts=key[1] in alone)))
        for key, table in whole.items()
    }
    stored_ms = {key: newest[key].computed_ms for key in shown}
    return Publication(shown, newest.keys() - shown.keys(), stored_ms)


def published_definitions(definitions: Mapping[str, Definition]) -> list[Definition]:
    """Rates of machines in a month: a rate of ledgers, or of this moment, is never published."""
    return [one for one in definitions.values() if one.measure == "networked"]


def record_for(table: PublishedTable, definition: Definition) -> Definition:
    """The record that a published table was computed by.

    Where nobody has that version any more it is the present one, which nobody approved for it.
    """
    known = record_of(definition, table.table.definition_hash)
    return known or definition.approved_with(())


def final_results(connection: Connection, *, demonstration: bool) -> FinalResults:
    """Which final results are stored: as long as they are the same, the public sees the same."""
    columns = rate_result.c
    own = (
        columns.dimension == CITY,
        columns.status == "F",
        columns.synthetic.is_(demonstration),
    )
    of = func.count(), func.max(columns.id), func.max(columns.computed_ms)
    row = connection.execute(select(*of).where(*own)).one()
    return row[0], row[1] or 0, row[2] or 0


def demand_machines(definition: Definition) -> None:
    """Refuse a rate that is never published.

    Raises:
        DefinitionError: it is none of machines in a month.
    """
    if not published_definitions({definition.id: definition}):
        raise DefinitionError(
            f"{definition.id} is not published: rates of machines in a month are, as ENR-A"
        )


def _as_stored(
    connection: Connection, definitions: Sequence[str], demonstration: bool
) -> Iterator[tuple[str, Iterable[Row[Any]]]]:
    """Final vintages in the order in which they were stored: those of a month at once together."""
    columns = rate_result.c
    query = (
        select(*(columns[name] for name in _NAMED))
        .where(
            columns.dimension == CITY,
            columns.status == "F",
            columns.synthetic.is_(demonstration),
            columns.definition.in_(definitions),
        )
        .order_by(columns.computed_ms, columns.month, columns.definition, columns.vintage)
    )
    rows = connection.execute(query).all()
    for (_, month), together in groupby(rows, key=lambda row: (row.computed_ms, row.month)):
        yield month, together


def _read(connection: Connection, vintage: Row[Any], places: "_Places") -> MonthTable | None:
    """A stored result by enterprise; None if its enterprises do not make up its parts."""
    columns = rate_result.c
    query = select(columns.dimension, columns.cell, columns.numerator, columns.denominator).where(
        columns.definition == vintage.definition,
        columns.month == vintage.month,
        columns.vintage == vintage.vintage,
    )
    stored: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for row in connection.execute(query):
        stored[row.dimension][row.cell] = row.numerator, row.denominator
    known = places.to(vintage)
    tallies = [
        Tally(uscc, *known.get(uscc, _NOWHERE), *counts)
        for uscc, counts in sorted(stored["enterprise"].items())
    ]
    whole = all(
        _sums(tallies, by) == {key: one for key, one in stored[by].items() if one[1]}
        for by in ("county", "industry")
    )
    if not whole:
        return None
    return MonthTable(
        vintage.definition,
        vintage.month,
        "F",
        vintage.vintage,
        tallies,
        vintage.definition_hash,
    )


def _sums(tallies: Sequence[Tally], by: str) -> dict[str, tuple[int, int]]:
    sums: dict[str, tuple[int, int]] = {}
    for one in tallies:
        if one.equipment:
            key = one.county if by == "county" else one.industry
            networked, equipment = sums.get(key, (0, 0))
            sums[key] = networked + one.networked, equipment + one.equipment
    return sums


class _Places:
    """County and industry of enterprises at the end of a month, as the ledger had them then."""

    def __init__(self, connection: Connection) -> None:
        said, act = enterprise_history.c, ledger_act.c
        columns = (said.uscc, said.valid_from, said.county, said.industry)
        query = (
            select(*columns, act.change_id, act.known_ms)
            .join(ledger_act, act.id == said.act_id)
            .where(act.change_id.is_not(None))
            .order_by(act.change_id)
        )
        self._said: dict[str, list[Any]] = defaultdict(list)
        for row in connection.execute(query):
            self._said[row.uscc].append(row)
        now = select(enterprise.c.uscc, enterprise.c.county, enterprise.c.industry)
        self._now = {row.uscc: (row.county, row.industry) for row in connection.execute(now)}
        self._of: tuple[object, ...] = ()
        self._found: dict[str, tuple[str, str]] = {}

    def to(self, vintage: Row[Any]) -> Mapping[str, tuple[str, str]]:
        """Where each enterprise was to a vintage; where it first was if nothing was known yet.

        Those that were stored together knew the same, so it is worked out once for all of them.
        """
        of = vintage.month, vintage.computed_ms, vintage.ledger_change
        if of != self._of:
            day = last_day(vintage.month)
            said = {uscc: _at(rows, vintage, day) for uscc, rows in self._said.items()}
            self._of, self._found = of, self._now | said
        return self._found


def _at(said: Sequence[Any], vintage: Row[Any], day: date) -> tuple[str, str]:
    known = [one for one in said if _was_known(one, vintage)] or said[:1]
    steps = {one.valid_from: (one.county, one.industry) for one in known}  # the later act holds
    begun = [start for start in steps if start <= day] or list(steps)[:1]
    return steps[max(begun)]


def _was_known(said: Any, vintage: Row[Any]) -> bool:
    """Whether a vintage knew what was said; of an old one only its time tells."""
    if vintage.ledger_change is None:
        return bool(said.known_ms <= vintage.computed_ms)
    return bool(said.change_id <= vintage.ledger_change)
