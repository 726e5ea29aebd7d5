"""Breaks of a series: a month is counted otherwise than the one before, and by how much that is.

A change of definition or roster moves the rate without any machine having done anything. Such a
month has the flag B, and one period is counted both ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.rates.cells.cell import Cell, full_cell
from gateway.city.rates.cells.dimensions import CITY, without_rates
from gateway.city.rates.definitions import builtin_definitions, definition_of, record_of
from gateway.city.rates.facts import members
from gateway.city.rates.frozen.results import StoredTable, final_table
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import first_day, month_of, period_of, previous_month
from gateway.city.rates.tallies import is_known, tallies_of

Why = Literal["definition", "roster"]


@dataclass(frozen=True, slots=True)
class Break:
    """Why a month is no plain continuation of the one before.

    Attributes:
        why: the definition has another text, or the roster other members.
        month: that is counted both ways, ``YYYY-MM``.
        before: the whole city the old way.
        after: the same month the new way.
        joined: enterprises that came onto the roster.
        left: enterprises that left it.
    """

    why: Why
    month: str
    before: Cell
    after: Cell
    joined: int = 0
    left: int = 0


def breaks(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition] | None = None,
) -> tuple[Break, ...]:
    """The breaks between a month and the one before; nothing is computed where there are none.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    began = began_on(connection)
    period = period_of(month, now_ms, began)
    earlier = month_of(previous_month(first_day(period.month)))
    if definition.measure == "answering" or (began is not None and earlier < month_of(began)):
        return ()
    now = Inquiry(definition, period, now_ms, demonstration)
    before = Inquiry(definition, period_of(earlier, now_ms, began), now_ms, demonstration)
    results = [
        final_table(connection, definition_id, one, (CITY,), demonstration)
        for one in (earlier, period.month)
    ]
    changed = (_of_definition(connection, before, *results), _of_roster(connection, before, now))
    return tuple(one for one in changed if one is not None)


def _of_definition(
    connection: Connection, before: Inquiry, stored: StoredTable | None, now: StoredTable | None
) -> Break | None:
    """The month before, as it was stored and by the definition of the next."""
    definition = before.definition
    current = definition.hash if now is None else now.definition_hash
    record = record_of(definition, current)
    if stored is None or stored.definition_hash == current or record is None:
        return None
    then = replace(before, definition=record, known=stored.ledger_change)
    anew = _city(connection, then)
    return Break("definition", stored.month, stored.cells[CITY][CITY], anew)


def _of_roster(connection: Connection, before: Inquiry, now: Inquiry) -> Break | None:
    """The month with the roster of the month before, and with its own."""
    if now.definition.scope.kind != "roster":
        return None
    old, new = members(connection, before), members(connection, now)
    if old == new:
        return None
    with_old = replace(now, roster_on=before.period.as_of)
    return Break(
        "roster",
        now.period.month,
        _city(connection, with_old),
        _city(connection, now),
        joined=len(new - old),
        left=len(old - new),
    )


def _city(connection: Connection, inquiry: Inquiry) -> Cell:
    ((tallies, _),) = tallies_of(connection, [inquiry])
    whole = full_cell(tallies)
    return whole if is_known(connection, inquiry) else without_rates(whole)
