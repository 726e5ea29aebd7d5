"""What the ledger and the evidence say of enterprises and machines in a period.

A handful of queries whatever the number of machines, and one a day of evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, or_, select

from gateway.city.db.tables import (
    enterprise,
    equipment,
    ledger_verification,
    roster_member,
)
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, held_steps
from gateway.city.ledger.bitemporal.knowledge import members_on, others, verified_on
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.size_class import size_class
from gateway.city.rates.attendance import Attendance, Flags, Numbers
from gateway.city.rates.columns.evidence import attendances
from gateway.city.rates.columns.ledger import Ledger, ReadLedger, read_ledger
from gateway.city.rates.columns.numbers import first_of_each
from gateway.city.rates.columns.past import as_known, as_of
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.compute import Enterprise
from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.twins import certain_twins, counted_first
from gateway.core.days import day_of


def enterprises(connection: Connection, inquiry: Inquiry) -> dict[str, Enterprise]:
    """Every enterprise (or the one asked for) by USCC, as of the day and as known."""
    on_roster = members(connection, inquiry)
    verified = _verified(connection, inquiry)
    query = select(*(enterprise.c[name] for name in _Row._fields))
    if inquiry.uscc is not None:
        query = query.where(enterprise.c.uscc == inquiry.uscc)
    rows = map(_Row._make, connection.execute(query))
    return {
        row.uscc: Enterprise(
            name=row.name,
            county=row.county,
            industry=row.industry,
            in_scope=_in_scope(inquiry.definition, row, on_roster),
            verified=row.uscc in verified,
            area=row.functional_area or "",
            size=size_class(row.employees, row.revenue_wan),
        )
        for row in _as_of(connection, inquiry, rows)
    }


class _Row(NamedTuple):
    """What of an enterprise's row decides a figure; named as the columns are."""

    uscc: str
    name: str
    county: str
    industry: str
    above_scale: bool
    functional_area: str | None
    employees: int | None
    revenue_wan: float | None


def _as_of(connection: Connection, inquiry: Inquiry, rows: Iterable[_Row]) -> Iterator[_Row]:
    """The rows with what held on the day; without enterprises that were not known."""
    day, known = inquiry.period.as_of, inquiry.known
    changed = others(connection, ENTERPRISE, day, known)
    steps = held_steps(connection, ENTERPRISE, changed, known)
    for row in rows:
        if row.uscc not in changed:
            yield row
        elif (values := at(steps.get(row.uscc, {}), day)) is not None:
            yield row._replace(**{name: values[name] for name in row._fields if name in values})
        elif known is None:
            yield row


def _in_scope(definition: Definition, row: _Row, members: set[str]) -> bool:
    kind = definition.scope.kind
    if kind == "rule":
        return row.above_scale
    return kind == "all" or row.uscc in members


def members(connection: Connection, inquiry: Inquiry) -> set[str]:
    """Enterprises on the definition's roster on the day that counts; none where it has none.

    Of an inquiry about one enterprise that one alone, unless it asks for what was known once; so
    does :func:`_verified`.
    """
    scope, as_of = inquiry.definition.scope, inquiry.roster_on or inquiry.period.as_of
    if inquiry.known is not None and scope.kind == "roster":
        return members_on(connection, scope.id, as_of, inquiry.known)
    query = select(roster_member.c.uscc).where(
        roster_member.c.roster == scope.id,
        roster_member.c.valid_from <= as_of,
        or_(roster_member.c.valid_to.is_(None), roster_member.c.valid_to > as_of),
    )
    if inquiry.uscc is not None:  # a page of one machine asks six times
        query = query.where(roster_member.c.uscc == inquiry.uscc)
    return set(connection.scalars(query)) if scope.kind == "roster" else set()


def _verified(connection: Connection, inquiry: Inquiry) -> set[str]:
    """Enterprises whose ledger had been verified by a day, unless the mark was withdrawn.

    A later renewal changes nothing.
    """
    as_of = inquiry.period.as_of
    if inquiry.known is not None:
        return verified_on(connection, as_of, inquiry.known)
    latest = select(enterprise.c.uscc).where(enterprise.c.ledger_verified_on <= as_of)
    earlier = (
        select(ledger_verification.c.uscc)
        .join(enterprise)
        .where(
            ledger_verification.c.verified_on <= as_of, enterprise.c.ledger_verified_on.is_not(None)
        )
    )
    if inquiry.uscc is not None:
        latest = latest.where(enterprise.c.uscc == inquiry.uscc)
        earlier = earlier.where(enterprise.c.uscc == inquiry.uscc)
    return set(connection.scalars(latest.union(earlier)))


class MachineFact(NamedTuple):
    """A machine as the ledger names it, and its month."""

    equipment_id: int
    uscc: str
    site_no: str
    asset_no: str
    name: str
    month: MachineMonth


@dataclass(frozen=True, slots=True)
class MachineMonths:
    """The months of all machines of a ledger, by columns.

    Attributes:
        ledger: the machines.
        attendance: their days.
        answering: which of them answer now.
        start_unknown: of which the ledger does not say that they were commissioned before the
            month.
        same_unit: by place of those whose unit counts for another one: its number.
    """

    ledger: Ledger
    attendance: Attendance
    answering: Flags
    start_unknown: Flags
    same_unit: dict[int, str] = field(default_factory=dict)

    def at(self, place: int) -> MachineMonth:
        """The month of one machine."""
        ledger, days = self.ledger, self.attendance
        return MachineMonth(
            equipment_class=ledger.class_names.texts[ledger.classes[place]] or "",
            status=ledger.status_names.texts[days.status[place]],
            commissioned_on=_day(ledger.commissioned[place]),
            service_days=int(days.service[place]),
            silent_days=int(days.silent[place]),
            seen=bool(days.seen[place]),
            valid_days=int(days.valid[place]),
            last_valid=_day(days.last[place]),
            doubtful=bool(days.doubtful[place]),
            answering=bool(self.answering[place]),
            same_unit_as=self.same_unit.get(place, ""),
            start_unknown=bool(self.start_unknown[place]),
            undated_days=int(days.undated[place]),
            unproven=bool(days.unproven[place]),
            end_undated=bool(days.end_undated[place]),
            digital=bool(ledger.digital[place]),
            key=bool(ledger.key[place]),
            stopped_days=int(days.stopped[place]),
            stopped_late=int(days.stopped_late[place]),
            rest_days=int(days.rested[place]),
            own_rest=int(days.own_rest[place]),
            rest_late=int(days.rest_late[place]),
        )

    def kinds(self, first: date, firms: Numbers) -> tuple[Numbers, Numbers]:
        """Machines that no rule tells from each other are of one kind: one verdict is enough.

        Every fact that :func:`~gateway.city.rates.compute.judge` looks at is part of the kind.

        Args:
            first: of the month; a rule asks only whether a machine was commissioned since.
            firms: the kind of enterprise of each machine.

        Returns:
            The place of one machine of each kind, and the kind of every machine.
        """
        days = self.attendance
        same = np.zeros(len(firms), np.bool_)
        same[list(self.same_unit)] = True
        is_new = self.ledger.commissioned >= first.toordinal()
        columns = (
            firms, self.ledger.classes, days.status, is_new, days.service, days.silent,
            days.seen, days.valid, days.doubtful, self.answering, same,
            self.start_unknown, days.undated, days.unproven, days.end_undated,
            self.ledger.digital, self.ledger.key, days.stopped != 0,
            days.own_rest != 0,
        )  # fmt: skip
        key = np.zeros(len(firms), np.int64)
        for column in columns:
            if most := int(column.max(initial=0)):
                key *= most + 1
                key += column
        return first_of_each(key)


def _day(ordinal: np.integer[Any]) -> date | None:
    return date.fromordinal(int(ordinal)) if ordinal else None


def machine_months(
    connection: Connection,
    inquiries: Sequence[Inquiry],
    progress: Progress = unreported,
    ledgers: ReadLedger = read_ledger,
) -> list[MachineMonths]:
    """The months of all machines of the ledger (or of one enterprise), for each inquiry.

    Args:
        connection: the city's database.
        inquiries: at least one; all about the same enterprises, with the same evidence, and as
            known at one time.
        progress: is told how far it is.
        ledgers: reads the machines.
    """
    since = min(inquiry.period.first for inquiry in inquiries)
    ledger = ledgers(connection, since, inquiries[0].uscc, progress)
    if inquiries[0].known is not None:
        ledger = as_known(connection, ledger, inquiries[0].known)
    days = attendances(connection, ledger, inquiries, progress)
    return [
        _months(connection, ledger, inquiry, one)
        for inquiry, one in zip(inquiries, days, strict=True)
    ]


def _months(
    connection: Connection, ledger: Ledger, inquiry: Inquiry, days: Attendance
) -> MachineMonths:
    ledger = as_of(connection, ledger, inquiry.period.as_of, inquiry.known)
    answering = ledger.flags(_answering(connection, inquiry))
    months = MachineMonths(ledger, days, answering, ledger.start_unknown(inquiry.period.first))
    known = certain_twins(connection, inquiry)
    first_ones = {first for those in known.values() for first in those}
    place_of = ledger.place_of({*known, *first_ones})
    firsts = [(one, months.at(place_of[one])) for one in first_ones if one in place_of]
    for later, number in counted_first(known, inquiry, firsts).items():
        if later in place_of:
            months.same_unit[place_of[later]] = number
    return months


def machines(connection: Connection, inquiry: Inquiry) -> Iterator[MachineFact]:
    """Every machine of the ledger (or of one enterprise) with its month, in ledger order."""
    (months,) = machine_months(connection, [inquiry])
    columns = equipment.c
    query = select(columns.id, columns.uscc, columns.site_no, columns.asset_no, columns.name)
    query = query.order_by(columns.uscc, columns.site_no, columns.asset_no)
    if inquiry.uscc is not None:
        query = query.where(columns.uscc == inquiry.uscc)
    rows = connection.execute(query).all()
    place_of = months.ledger.place_of(row.id for row in rows)
    for row in rows:
        if row.id not in place_of:  # it was not known then
            continue
        yield MachineFact(*row, months.at(place_of[row.id]))


def _answering(connection: Connection, inquiry: Inquiry) -> set[int]:
    """The machines that answer now; asked for by one kind of rate only."""
    if inquiry.definition.measure != "answering":
        return set()
    names = (name for name in inquiry.answering if inquiry.uscc in (None, name[0]))
    return set(find(connection, map(MachineName._make, names), day_of(inquiry.now_ms)).values())
