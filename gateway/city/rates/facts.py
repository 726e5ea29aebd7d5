"""Read what the ledger and the evidence say of machines in a period.

A handful of queries whatever the number of machines. The database adds up the evidence of
machines whose status did not change in the window; the days of the few others are read one by
one, because only days in service count. A row of evidence without hours of valid data says that
data came and none of them count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, or_, select

from gateway.city.db.database import chunks
from gateway.city.db.tables import (
    enterprise,
    equipment,
    equipment_status,
    evidence,
    ledger_verification,
    roster_member,
)
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.compute import Enterprise, MachineMonth
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.service import (
    DatedDays,
    Days,
    History,
    Service,
    Window,
    changing_service,
    steady_service,
)
from gateway.city.rates.twins import certain_twins, counted_first
from gateway.core.days import day_of

_SOURCES_OF_LEVEL = {1: ("controller", "sensor"), 2: ("controller",)}
"""Level N1 is met by any source, N2 by the machine's own controller only."""


def enterprises(connection: Connection, inquiry: Inquiry) -> dict[str, Enterprise]:
    """Every enterprise (or the one asked for) by USCC, as of the day."""
    members = _members(connection, inquiry)
    verified = _verified(connection, inquiry.period.as_of)
    query = select(enterprise)
    if inquiry.uscc is not None:
        query = query.where(enterprise.c.uscc == inquiry.uscc)
    return {
        row.uscc: Enterprise(
            name=row.name,
            county=row.county,
            industry=row.industry,
            in_scope=_in_scope(inquiry.definition, row, members),
            verified=row.uscc in verified,
        )
        for row in connection.execute(query)
    }


def _in_scope(definition: Definition, row: Row[Any], members: set[str]) -> bool:
    kind = definition.scope.kind
    if kind == "rule":
        return bool(row.above_scale)
    return kind == "all" or row.uscc in members


def _members(connection: Connection, inquiry: Inquiry) -> set[str]:
    """Enterprises on the definition's roster on the as-of day."""
    scope, as_of = inquiry.definition.scope, inquiry.period.as_of
    query = select(roster_member.c.uscc).where(
        roster_member.c.roster == scope.id,
        roster_member.c.valid_from <= as_of,
        or_(roster_member.c.valid_to.is_(None), roster_member.c.valid_to > as_of),
    )
    return set(connection.scalars(query)) if scope.kind == "roster" else set()


def _verified(connection: Connection, as_of: date) -> set[str]:
    """Enterprises whose ledger had been verified by a day, unless the mark was withdrawn.

    A later renewal changes nothing.
    """
    latest = select(enterprise.c.uscc).where(enterprise.c.ledger_verified_on <= as_of)
    earlier = (
        select(ledger_verification.c.uscc)
        .join(enterprise)
        .where(
            ledger_verification.c.verified_on <= as_of, enterprise.c.ledger_verified_on.is_not(None)
        )
    )
    return set(connection.scalars(latest.union(earlier)))


class MachineFact(NamedTuple):
    """A machine as the ledger names it, and its month."""

    equipment_id: int
    uscc: str
    site_no: str
    asset_no: str
    name: str
    month: MachineMonth


def machines(connection: Connection, inquiry: Inquiry) -> Iterator[MachineFact]:
    """Every machine of the ledger (or of one enterprise) with its month, in ledger order."""
    attendance = _attendance(connection, inquiry)
    answering = _answering(connection, inquiry)
    query, known = _machine_query(inquiry), certain_twins(connection, inquiry)
    firsts = equipment.c.id.in_({first for those in known.values() for first in those})
    first = _facts(connection, query.where(firsts), attendance, answering) if known else ()
    same = counted_first(known, inquiry, ((one.equipment_id, one.month) for one in first))
    for fact in _facts(connection, query, attendance, answering):
        if fact.equipment_id in same:
            month = fact.month._replace(same_unit_as=same[fact.equipment_id])
            yield fact._replace(month=month)
        else:
            yield fact


def _facts(
    connection: Connection, query: Select[Any], attendance: "_Attendance", answering: set[int]
) -> Iterator[MachineFact]:
    for row in connection.execute(query):
        number, uscc, site_no, asset_no, name, kind, commissioned_on = row
        service, days = attendance.of(number)
        status = attendance.status.get(number)
        spans = (service.days, service.silent, *days)
        month = MachineMonth(kind, status, commissioned_on, *spans, number in answering)
        yield MachineFact(number, uscc, site_no, asset_no, name, month)


def _answering(connection: Connection, inquiry: Inquiry) -> set[int]:
    """The machines that answer now; asked for by one kind of rate only."""
    if inquiry.definition.measure != "answering":
        return set()
    names = (name for name in inquiry.answering if inquiry.uscc in (None, name[0]))
    return set(find(connection, map(MachineName._make, names), day_of(inquiry.now_ms)).values())


def _machine_query(inquiry: Inquiry) -> Select[Any]:
    query = select(
        equipment.c.id,
        equipment.c.uscc,
        equipment.c.site_no,
        equipment.c.asset_no,
        equipment.c.name,
        equipment.c.equipment_class,
        equipment.c.commissioned_on,
    ).order_by(equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    return query if inquiry.uscc is None else query.where(equipment.c.uscc == inquiry.uscc)


@dataclass(frozen=True, slots=True)
class _Attendance:
    """Service and evidence of all machines.

    Attributes:
        window: the days that count.
        serving: statuses in service.
        status: on the as-of day, by machine.
        changes: histories of the machines whose status changes within the window.
        totals: evidence of the whole window, by machine.
        dated: the single days with data, of the machines in ``changes``.
    """

    window: Window
    serving: frozenset[str]
    status: Mapping[int, str]
    changes: Mapping[int, History]
    totals: Mapping[int, Days]
    dated: Mapping[int, DatedDays]

    def of(self, machine: int) -> tuple[Service, Days]:
        """In-service days of a machine, and the evidence of those days."""
        if machine in self.changes:
            history, days = self.changes[machine], self.dated[machine]
            return changing_service(history, self.serving, self.window, days)
        found = self.totals.get(machine, _NONE)
        in_service = self.status.get(machine) in self.serving
        return (steady_service(self.window, found.last) if in_service else _IDLE), found


_NONE = Days()
_IDLE = Service(0, 0)


def _attendance(connection: Connection, inquiry: Inquiry) -> _Attendance:
    status, changes = _histories(connection, inquiry)
    return _Attendance(
        window=inquiry.window,
        serving=frozenset(inquiry.definition.statuses),
        status=status,
        changes=changes,
        totals=_totals(connection, inquiry),
        dated=_dated(connection, inquiry, changes),
    )


def _histories(
    connection: Connection, inquiry: Inquiry
) -> tuple[Mapping[int, str], Mapping[int, History]]:
    """The status of each machine on the as-of day, and the changes within the window."""
    columns = equipment_status.c
    first = inquiry.window.first
    query = (
        select(columns.equipment_id, columns.valid_from, columns.status)
        .where(columns.valid_from <= inquiry.period.as_of)
        .order_by(columns.equipment_id, columns.valid_from)
    )
    status: dict[int, str] = {}
    changes: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for machine, start, new in connection.execute(_narrowed(query, columns.equipment_id, inquiry)):
        if start > first:
            # The first change needs what it changes: the status with which the window began.
            if machine not in changes and machine in status:
                changes[machine].append((first, status[machine]))
            changes[machine].append((start, new))
        status[machine] = new
    return status, changes


def _totals(connection: Connection, inquiry: Inquiry) -> dict[int, Days]:
    """Evidence by machine, added up by the database."""
    valid = _valid(inquiry)
    # A day has a row for each source and gateway, and counts once.
    level_day = case((valid & _at_level(inquiry), evidence.c.day))
    query = (
        select(evidence.c.machine_id, func.max(case((valid, 1), else_=0)))
        .add_columns(func.count(level_day.distinct()), func.max(level_day))
        .add_columns(func.max(case((valid, 0), else_=1)))
        .where(*looked_at(inquiry))
        .group_by(evidence.c.machine_id)
    )
    rows = connection.execute(_narrowed(query, evidence.c.machine_id, inquiry))
    return {
        machine: Days(bool(seen), valid_days, last, bool(doubtful))
        for machine, seen, valid_days, last, doubtful in rows
    }


def _dated(connection: Connection, inquiry: Inquiry, chosen: Iterable[int]) -> dict[int, DatedDays]:
    """The single days with data of some machines."""
    ids = list(chosen)
    days: dict[int, tuple[set[date], set[date], set[date]]] = {
        one: (set(), set(), set()) for one in ids
    }
    rules = (case((rule, 1), else_=0) for rule in (_valid(inquiry), _at_level(inquiry)))
    query = select(evidence.c.machine_id, evidence.c.day, *rules).where(*looked_at(inquiry))
    for part in chunks(ids):
        rows = connection.execute(query.where(evidence.c.machine_id.in_(part)))
        for machine, day, valid, at_level in rows:
            seen_days, valid_days, doubtful_days = days[machine]
            (seen_days if valid else doubtful_days).add(day)
            if valid and at_level:
                valid_days.add(day)
    return {machine: DatedDays(*found) for machine, found in days.items()}


def _at_level(inquiry: Inquiry) -> ColumnElement[bool]:
    return evidence.c.source.in_(_SOURCES_OF_LEVEL[inquiry.definition.level])


def _valid(inquiry: Inquiry) -> ColumnElement[bool]:
    """Whether a row of evidence has valid data: GOOD ones, or what the definition takes too."""
    good = evidence.c.good_hours != 0
    return good | (evidence.c.uncertain_hours != 0) if inquiry.definition.count_uncertain else good


def looked_at(inquiry: Inquiry) -> list[ColumnElement[bool]]:
    """Evidence that is looked at: in the window, and not synthetic unless demonstrated."""
    window = inquiry.window
    conditions: list[ColumnElement[bool]] = [evidence.c.day.between(window.first, window.as_of)]
    if not inquiry.demonstration:
        conditions.append(evidence.c.synthetic.is_(False))
    return conditions


def _narrowed(query: Select[Any], column: ColumnElement[Any], inquiry: Inquiry) -> Select[Any]:
    """The query for machines of the asked enterprise only."""
    if inquiry.uscc is None:
        return query
    own = select(equipment.c.id).where(equipment.c.uscc == inquiry.uscc)
    return query.where(column.in_(own))
