"""What evidence and ledger hold for the checks, an enterprise at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path

import numpy as np
import yaml
from sqlalchemy import Connection, func, select

from gateway.city.db import monthly
from gateway.city.db.tables import enterprise, equipment, machine_books
from gateway.city.rates.attendance import Masks
from gateway.city.rates.columns.evidence import statuses_in_service
from gateway.city.rates.columns.ledger import Ledger, read_ledger
from gateway.city.rates.columns.left_out import left_out_days
from gateway.city.rates.declared.values import declared
from gateway.city.rates.findings.checks import findings, heaped
from gateway.city.rates.findings.model import (
    EnterpriseDays,
    Finding,
    MachineDays,
    Rules,
    Times,
)
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.core.days import day_of, day_start_ms
from gateway.relational.database import chunks

_AFTER = 7
"""Days behind the month that tell whether it goes on."""


@cache
def builtin_rules() -> Rules:
    """The thresholds that come with the product."""
    text = (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
    return Rules.model_validate(yaml.safe_load(text))


@dataclass(slots=True)
class _Came:
    """What came of a machine, by bits of days counted from the first of the month."""

    place: str = ""
    valid: int = 0
    times: dict[int, Times] = field(default_factory=dict)
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)


def findings_of(connection: Connection, inquiry: Inquiry, rules: Rules) -> list[Finding]:
    """What is found of one enterprise in a month, as ledger and evidence are now.

    Args:
        connection: the city's database.
        inquiry: names the enterprise (``uscc``) and the month; by the headline.
        rules: the thresholds.
    """
    return findings(enterprise_days(connection, inquiry), rules)


def enterprise_days(connection: Connection, inquiry: Inquiry) -> EnterpriseDays:
    """The machines of an enterprise, as the checks look at them."""
    first, uscc = inquiry.period.first, inquiry.uscc or ""
    days, service, excused = _service(connection, inquiry)
    in_month = (inquiry.period.as_of - first).days + 1
    month = (1 << in_month) - 1
    came = _came(connection, inquiry, days, service.keys())
    numbers = _numbers(connection, uscc)
    networked = _networked(connection, inquiry)
    continuity = inquiry.definition.continuity
    machines = [
        MachineDays(
            number=numbers[one],
            place=came[one].place,
            service=served & month,
            valid=came[one].valid & served & ~excused[one] & month,
            after=(served & ~excused[one]) >> in_month,
            valid_after=(came[one].valid & served & ~excused[one]) >> in_month,
            excused=excused[one] & month,
            networked=one in networked,
            times={day: times for day, times in came[one].times.items() if day < in_month},
            counts=came[one].counts,
        )
        for one, served in sorted(service.items())
        if one in numbers and served & month
    ]
    percent = continuity.percent_of_days if continuity else 0
    return EnterpriseDays(uscc, inquiry.period.month, in_month, percent, tuple(machines))


def _service(
    connection: Connection, inquiry: Inquiry
) -> tuple[list[date], dict[int, int], defaultdict[int, int]]:
    """Days of the month and of the week behind it that are over; service and excuse by machine.

    What is excused is on neither side of the headline. Behind the month that is so of days of
    rest whatever the headline says: nobody is silent on them.
    """
    first, yesterday = inquiry.period.first, day_of(inquiry.now_ms) - timedelta(days=1)
    last = max(inquiry.period.as_of, min(inquiry.period.as_of + timedelta(days=_AFTER), yesterday))
    days = [first + timedelta(days=one) for one in range((last - first).days + 1)]
    ledger = read_ledger(connection, first, inquiry.uscc)
    service, codes = ledger.service, statuses_in_service(ledger, inquiry.definition)
    calendar = inquiry.definition.calendar
    left_out = left_out_days(connection, ledger, [inquiry], days)
    found, excused = defaultdict[int, int](int), defaultdict[int, int](int)
    for month, those in groupby(days, lambda day: day.replace(day=1)):
        own = list(those)
        at, upto = (month - first).days, np.uint32((1 << own[-1].day) - 1)
        _mark(found, ledger, service.month(month).service(codes).sure & upto, at)
        rests = [day for day in own if inquiry.calendar or day > inquiry.period.as_of]
        resting = sum(1 << (day.day - 1) for day in rests if calendar.is_rest(day))
        by_schedule = left_out.resting(month, inquiry.calendar)
        rest = np.full(len(ledger.ids), resting, np.uint32)
        _mark(excused, ledger, rest if by_schedule is None else by_schedule.days & upto, at)
        stopped = left_out.stopped(month)
        if stopped is not None:
            _mark(excused, ledger, stopped.days & upto, at)
    return days, dict(found), excused


def _mark(found: defaultdict[int, int], ledger: Ledger, masks: Masks, at: int) -> None:
    """Mark days of a month, which begins so many days behind the first one."""
    for number, mask in zip(ledger.ids.tolist(), masks.tolist(), strict=True):
        if mask:
            found[number] |= mask << at


def _came(
    connection: Connection, inquiry: Inquiry, days: list[date], machines: Iterable[int]
) -> defaultdict[int, _Came]:
    raw = monthly.between(connection, days[0], days[-1])
    columns, books, wanted = raw.c, machine_books.c, list(machines)
    found: defaultdict[int, _Came] = defaultdict(_Came)
    query = select(raw).where(columns.day.between(days[0], days[-1]))
    if not inquiry.demonstration:
        query = query.where(columns.synthetic.is_(False))
    counted = select(
        books.machine_id, books.day, books.gateway, books.device,
        func.sum(books.valid).label("valid"), func.sum(books.expected).label("expected"),
    ).where(books.day.between(days[0], inquiry.period.as_of))  # fmt: skip
    counted = counted.group_by(books.machine_id, books.day, books.gateway, books.device)
    for part in chunks(wanted):
        for row in connection.execute(query.where(columns.machine_id.in_(part))):
            at, one = (row.day - days[0]).days, found[row.machine_id]
            level = inquiry.definition.level == 1 or row.source == "controller"
            one.valid |= (1 << at) * bool(row.good_hours and level)
            if row.seeded:  # of the demonstration: nobody measured its times
                continue
            midnight, known = day_start_ms(row.day), one.times.get(at)
            span = Times(row.first_ms - midnight, row.last_ms - midnight)
            one.times[at] = (
                span
                if known is None
                else Times(min(known.first, span.first), max(known.last, span.last))
            )
        for row in connection.execute(counted.where(books.machine_id.in_(part))):
            at, one = (row.day - days[0]).days, found[row.machine_id]
            valid, due = one.counts.get(at, (0, 0))
            one.counts[at] = (valid + int(row.valid), due + int(row.expected))
            one.place = f"{row.gateway}/{row.device}"
    return found


def _numbers(connection: Connection, uscc: str) -> dict[int, str]:
    columns = equipment.c
    query = select(columns.id, columns.site_no, columns.asset_no).where(columns.uscc == uscc)
    return {row.id: f"{row.site_no}/{row.asset_no}" for row in connection.execute(query)}


def _networked(connection: Connection, inquiry: Inquiry) -> frozenset[int]:
    found = machine_facts(
        connection, inquiry.definition.id, inquiry.period.month, inquiry.now_ms,
        demonstration=inquiry.demonstration, uscc=inquiry.uscc,
        definitions={inquiry.definition.id: inquiry.definition},
    )  # fmt: skip
    return frozenset(one.equipment_id for one in found if one.reason.networked)


def heaps(connection: Connection, month: str, rules: Rules) -> Iterator[Finding]:
    """Counties with round numbers: of machines in the ledger of now, or declared for a month."""
    columns = equipment.c
    query = (
        select(enterprise.c.uscc, enterprise.c.county, func.count(columns.id))
        .outerjoin(equipment, columns.uscc == enterprise.c.uscc)
        .group_by(enterprise.c.uscc, enterprise.c.county)
    )
    told, ledger = declared(connection, month), defaultdict[str, list[int]](list)
    networked, machines = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for uscc, county, number in connection.execute(query):
        ledger[county].append(number)
        if uscc in told:
            networked[county].append(told[uscc].value.networked)
            machines[county].append(told[uscc].value.equipment)
    parts = {"ledger": ledger, "declared": machines, "networked": networked}
    for part, counts in parts.items():
        for county, numbers in sorted(counts.items()):
            yield from heaped(county, numbers, rules, part)
