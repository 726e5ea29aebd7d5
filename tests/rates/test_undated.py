"""No figure gains by a date that nobody wrote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.city.ledger.importer import import_files
from gateway.city.rates.attendance import Attendance, Data, Window
from gateway.city.rates.columns.ledger import Ledger, Names
from gateway.city.rates.compute import Enterprise, Period, judge
from gateway.city.rates.days.service import ServiceDays
from gateway.city.rates.days.undated import undated_query
from gateway.city.rates.facts import MachineMonths
from gateway.city.rates.model import Continuity, Definition
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import add_days, days_between
from tests.support.records import EVERY_DAY

FIRST = date(2026, 11, 1)
AS_OF = FIRST + timedelta(days=9)
LONG_AGO = FIRST - timedelta(days=40)
WINDOW = Window(FIRST, AS_OF, today_runs=False)
STATUSES = ("in_use", "standby", "sealed", "building")
FIRM = Enterprise("甲", "330822", "3451", in_scope=True, verified=True)
BUILT_IN = EVERY_DAY
STRICT = {"continuity": Continuity(percent_of_days=80, within_days=2)}
DEFINITIONS = (
    BUILT_IN["ENR-A"].model_copy(update=STRICT),
    BUILT_IN["ENR-B"],
    BUILT_IN["ENR-B"].model_copy(update={"denominator_level": 2}),
    BUILT_IN["ONL"],
    BUILT_IN["DIG-A"],
    BUILT_IN["ENR-D"].model_copy(update={"only": ("digital", "key")}),
)


@dataclass(frozen=True)
class Row:
    """A machine of a ledger: entries by day with status and whether the day was written."""

    commissioned: date | None
    entries: Mapping[date, tuple[str, bool]]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    offsets = draw(st.lists(st.integers(-3, 12), min_size=1, max_size=3, unique=True))
    entries = {
        FIRST + timedelta(days=offset): (draw(st.sampled_from(STATUSES)), draw(st.booleans()))
        for offset in sorted(offsets)
    }
    first = min(entries)
    commissioned = draw(st.sampled_from([None, None, LONG_AGO, first]))
    return Row(commissioned, entries)


def truths(row: Row) -> Iterator[Row]:
    """The row with every day that could have been written where one is missing."""
    ends = list(row.entries)
    begins = [LONG_AGO, *(day + timedelta(days=1) for day in ends)]
    choices = [
        [end] if row.entries[end][1] else days_between(begin, end)[-14:]
        for begin, end in zip(begins, ends, strict=False)
    ]
    for days in product(*choices):
        entries = {
            day: (status, True) for day, (status, _) in zip(days, row.entries.values(), strict=True)
        }
        used = [day for day, (status, _) in entries.items() if status in ("in_use", "standby")]
        written = [row.commissioned] if row.commissioned else [LONG_AGO, *used[:1]]
        yield from (Row(commissioned, entries) for commissioned in written)


def verdicts(
    definition: Definition, machines: list[Row], came: set[date], *, answering: bool
) -> list[Reason]:
    """Judge machines of which the same data came."""
    statuses, count = Names(), len(machines)
    entries = [
        (place, day.toordinal(), statuses.code(status), dated)
        for place, row in enumerate(machines)
        for day, (status, dated) in row.entries.items()
    ]
    places, begun, codes, dated = (np.array(column) for column in zip(*entries, strict=True))
    service = ServiceDays(count, places, begun, codes.astype(np.uint8), dated.astype(np.bool_))
    serving = np.array([name in definition.statuses for name in statuses.texts])
    attendance = Attendance(count, WINDOW)
    month = service.month(FIRST)
    days = np.full(count, sum(1 << (day.day - 1) for day in came), np.uint32)
    attendance.add(FIRST, 0, month.service(serving), Data(days, days, np.zeros_like(days)))
    attendance.status = month.status(AS_OF, serving)
    classes = Names()
    ones = np.full(count, classes.code("production"))
    commissioned = np.array(
        [one.commissioned.toordinal() if one.commissioned else 0 for one in machines]
    )
    ledger = Ledger(
        np.arange(count), ones, ones, commissioned,
        np.array([one.commissioned is None for one in machines]),
        np.ones(count, np.bool_), np.ones(count, np.bool_),
        (places, begun, dated.astype(np.int64), codes), class_names=classes, status_names=statuses,
    )  # fmt: skip
    months = MachineMonths(
        ledger, attendance, np.full(count, answering), ledger.start_unknown(FIRST)
    )
    period = Period("2026-11", FIRST, AS_OF)
    return [judge(definition, FIRM, months.at(place), period) for place in range(count)]


SEALED_BEHIND = Row(
    LONG_AGO,
    {
        FIRST: ("in_use", True),
        date(2026, 11, 8): ("in_use", True),
        date(2026, 11, 11): ("sealed", False),
    },
)


@example(definition=DEFINITIONS[0], row=SEALED_BEHIND, came=set(WINDOW.days()), answering=False)
@given(
    definition=st.sampled_from(DEFINITIONS),
    row=rows(),
    came=st.sets(st.sampled_from(list(WINDOW.days()))) | st.just(set(WINDOW.days())),
    answering=st.booleans(),
)
def test_a_date_left_out_is_never_better_than_any_that_could_be_written(
    definition: Definition, row: Row, came: set[date], answering: bool
) -> None:
    """Whatever else its enterprise has, K/N is not above K/N of any truth, and K is not above K."""
    left_out, *written = verdicts(definition, [row, *truths(row)], came, answering=answering)
    if left_out.networked:
        assert all(one.networked for one in written)
    if not left_out.counted:
        assert not any(one.counted and not one.networked for one in written)


CITY = "uscc,name,county,industry,above_scale,roster,roster_from,"
CITY += "ledger_verified_by,ledger_verified_on\n"
FIRMS = ("91330822MA0000015W", "91330881MA00000236")


def imported(database: Database, folder: Path, day: date, *lines: str) -> list[str]:
    """Import machines on a day; gives what is told."""
    firms = folder / "e.csv"
    firms.write_text(
        CITY
        + "".join(f"{uscc},厂,常山县,3451,是,KEY,2020-01-01,张,2026-01-01\n" for uscc in FIRMS),
        encoding="utf-8",
    )
    heads = "uscc,asset_no,name,equipment_class,status,commissioned_on,status_since\n"
    (folder / "m.csv").write_text(heads + "\n".join(lines), encoding="utf-8")
    now_ms = day_start_ms(day) + 1
    report = database.run_now(import_files, [firms, folder / "m.csv"], now_ms)
    return [f"{note.column}: {note.message}" for note in report.notes]


def reasons(database: Database, month: str, today: date) -> dict[str, Reason]:
    found = database.read_now(
        machine_facts,
        "ENR-A",
        month,
        day_start_ms(today) + 1,
        demonstration=False,
        definitions=EVERY_DAY,
    )
    return {one.asset_no: one.reason for one in found}


def test_machines_without_dates_count_and_are_not_networked_until_the_next_month(
    database: Database, tmp_path: Path
) -> None:
    """Ten machines with a day of data scored 10 of 10 with dates left out, 0 of 10 with dates."""
    today = date(2026, 11, 20)
    told = imported(
        database, tmp_path, today,
        *(f"{FIRMS[0]},A{at},磨床,production,in_use,2021-03-01," for at in range(2)),
        *(f"{FIRMS[1]},B{at},磨床,production,in_use,," for at in range(2)),
    )  # fmt: skip
    (note,) = told
    assert note.startswith("status_since: rows 4–5: neither 投用日期 nor 状态起始日期 is given")
    facts = database.read_now(
        machine_facts,
        "ENR-A",
        None,
        day_start_ms(today),
        demonstration=False,
        definitions=EVERY_DAY,
    )
    machines = {one.asset_no: one.equipment_id for one in facts}
    for machine in machines.values():
        database.run_now(add_days, machine, days_between(today, date(2026, 12, 20)))
    at_once = reasons(database, "2026-11", today)
    assert (at_once["A0"], at_once["B0"]) == (Reason.TOO_FEW_DAYS, Reason.START_UNDATED)
    assert set(reasons(database, "2026-12", date(2026, 12, 20)).values()) == {Reason.NETWORKED}


@pytest.mark.parametrize("how", ["2021-03-01,", ",2021-03-01"])
def test_a_date_that_is_written_later_counts_as_if_it_had_been_there(
    how: str, database: Database, tmp_path: Path
) -> None:
    today = date(2026, 11, 20)
    imported(database, tmp_path, today, f"{FIRMS[0]},A,磨床,production,in_use,,")
    assert imported(database, tmp_path, today, f"{FIRMS[0]},A,磨床,production,in_use,{how}") == []
    (fact,) = database.read_now(
        machine_facts,
        "ENR-A",
        None,
        day_start_ms(today),
        demonstration=False,
        definitions=EVERY_DAY,
    )
    assert (fact.service_days, fact.undated_days, fact.reason) == (19, 0, Reason.NO_EVIDENCE)


def test_a_change_without_a_date_leaves_the_days_before_it_undetermined(
    database: Database, tmp_path: Path
) -> None:
    began, today = date(2026, 11, 6), date(2026, 11, 16)
    row = f"{FIRMS[0]},A,磨床,production,{{}},2021-03-01,{{}}"
    imported(database, tmp_path, date(2026, 10, 1), row.format("in_use", ""))
    imported(database, tmp_path, began, row.format("sealed", began))
    told = imported(database, tmp_path, today, row.format("in_use", ""))
    (note,) = told
    assert note.startswith(
        "status_since: no day is given for the change to 在用: the days between "
    )
    (fact,) = database.read_now(
        machine_facts,
        "ENR-A",
        None,
        day_start_ms(date(2026, 11, 21)),
        demonstration=False,
        definitions=EVERY_DAY,
    )
    assert (fact.service_days, fact.undated_days) == (19, 9), "all but the day it was sealed on"
    (lacking,) = database.read_now(lambda c: c.execute(undated_query(FIRST)).all())
    assert (lacking.asset_no, lacking.before, lacking.entered) == ("A", began, today)
    assert not lacking.no_start, "it was in service for years"
    assert not database.read_now(lambda c: c.execute(undated_query(date(2026, 12, 1))).all())
