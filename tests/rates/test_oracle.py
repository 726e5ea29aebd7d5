"""Rates of random cities against a count that goes through every machine day by day.

The count below is written from docs/rates.md, knows neither the product's queries nor its
shortcuts, and is the second opinion on every definition. It begins with values as edges send them:
a time and a status each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pytest
from sqlalchemy import Connection, insert

from gateway.city.db.operation import begin
from gateway.city.db.tables import gateway, roster_member
from gateway.city.evidence.recording import record
from gateway.city.evidence.samples import samples_in
from gateway.city.ingest.layout import batch_rows, layout_of
from gateway.city.ledger.bitemporal.acts import Doing, Kind, conclude
from gateway.city.ledger.bitemporal.acts import begin as begin_act
from gateway.city.ledger.machines import MachineIds, find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.stops.sort import write_stop
from gateway.city.ledger.stops.table import Stop
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Continuity
from gateway.city.rates.publishing.operational import rate_table
from gateway.city.rates.reports.months import rate_month, rate_months
from gateway.core.batch import Batch
from gateway.core.days import day_start_ms
from gateway.core.schema import Schema
from gateway.core.status import GOOD, Reason, uncertain
from tests.support.city import schema_of
from tests.support.city_db import (
    USCCS,
    add_enterprise,
    add_machine,
    days_between,
    sqlite_city,
)

pytestmark = pytest.mark.long

FIRST, LAST = date(2026, 8, 20), date(2026, 10, 31)
STATUSES = ("in_use", "in_use", "in_use", "standby", "idle", "scrapped", "withdrawn")
NOT_VALID = tuple(
    map(uncertain, (Reason.RANGE, Reason.LAST_USABLE, Reason.FROZEN, Reason.CLOCK_DOUBT))
)
BEIJING = timezone(timedelta(hours=8))
SOURCES = ("controller", "controller", "sensor")
# 国办发明电〔2025〕7号: the National Day holiday, and the Saturday that is worked for it.
HOLIDAY, WORKED = days_between(date(2026, 10, 1), date(2026, 10, 7)), date(2026, 10, 10)


@dataclass
class Item:
    """A machine with all that is known of it; values are (time, status, source, synthetic)."""

    uscc: str
    asset_no: str
    kind: str
    commissioned: date | None
    history: dict[date, str]
    values: list[tuple[datetime, int, str, bool]] = field(default_factory=list)
    answers: bool = False
    undated: set[date] = field(default_factory=set)
    digital: bool = False
    key: bool = False
    stops: list[tuple[date, date | None]] = field(default_factory=list)

    @property
    def evidence(self) -> set[tuple[date, str, bool]]:
        """Days with valid data: day, source, synthetic."""
        return {(at.date(), *kind) for at, status, *kind in self.values if status == GOOD}  # type: ignore[misc]


@dataclass
class Town:
    """Enterprises with their roster days and verification, their machines, and when it began."""

    members: dict[str, tuple[date, date | None] | None]
    verified: dict[str, date | None]
    items: list[Item]
    began: date


def random_town(random: Random) -> Town:
    members, verified, items = {}, {}, []
    for uscc in USCCS:
        end = random.choice([None, None, some_day(random)])
        members[uscc] = random.choice([(date(2026, 8, 21), end), (date(2020, 1, 1), None), None])
        verified[uscc] = random.choice([date(2026, 1, 1), some_day(random), None])
        items += [random_item(random, uscc, number) for number in range(random.randint(0, 8))]
    began = random.choice([FIRST, date(2026, 9, 20), date(2026, 10, 1), date(2026, 10, 9)])
    return Town(members, verified, items, began)


def some_day(random: Random) -> date:
    return FIRST + timedelta(days=random.randint(1, (LAST - FIRST).days))


def random_item(random: Random, uscc: str, number: int) -> Item:
    history = {date(2020, 1, 1): random.choice(STATUSES)} if random.random() < 0.9 else {}
    for _ in range(random.choice([0, 0, 0, 1, 2, 3])):
        history[some_day(random)] = random.choice(STATUSES)
    on_the_first = date(2026, 10, 1)  # of the month that is asked for: the edge of being new
    long_ago = date(2020, 1, 1)
    commissioned = random.choice([None, None, long_ago, on_the_first, some_day(random)])
    kind = random.choice(["production", "production", "production", "aux", "test"])
    item = Item(uscc, f"A{number}", kind, commissioned, history)
    item.undated = {day for day in history if random.random() < 0.2}
    density = random.choice([0, 0.1, 0.75, 0.8, 0.85, 1, 1])
    for day in days_between(FIRST, LAST):
        if random.random() < density:
            item.values.append(random_value(random, day, GOOD))
        if random.random() < 0.2:
            item.values.append(random_value(random, day, random.choice(NOT_VALID)))
    if random.random() < 0.3:
        silent = some_day(random)
        item.values = [one for one in item.values if one[0].date() < silent]
    if random.random() < 0.2:
        seal(random, item)
    item.answers = random.random() < 0.5
    if random.random() < 0.4:
        for _ in range(random.choice([1, 1, 2])):
            first = some_day(random)
            length = random.choice([0, 3, 10, 40])
            item.stops.append((first, random.choice([first + timedelta(length)] * 3 + [None])))
    item.digital, item.key = random.random() < 0.6, random.random() < 0.4
    return item


def seal(random: Random, item: Item) -> None:
    """A regular machine is sealed for a part of October, and sends nothing from then on."""
    start, back = date(2026, 10, random.randint(10, 20)), date(2026, 10, random.randint(28, 31))
    item.kind, item.commissioned = "production", None
    item.history = {date(2020, 1, 1): "in_use", start: "sealed", back: "in_use"}
    item.undated = set()
    item.values = []
    for day in days_between(FIRST, start - timedelta(days=1)):
        at, status, *_ = random_value(random, day, GOOD)
        item.values.append((at, status, "controller", False))


def batch_with(schema: Schema, time_ms: int, status: int) -> Batch:
    ones = np.ones(1)
    return Batch(schema, time_ms, ones.astype(np.bool_), (ones,), np.array([status], np.uint8))


def random_value(random: Random, day: date, status: int) -> tuple[datetime, int, str, bool]:
    within = random.choice([0, 86_399_999, random.randrange(86_400_000)])
    at = datetime(day.year, day.month, day.day, tzinfo=BEIJING) + timedelta(milliseconds=within)
    return at, status, random.choice(SOURCES), random.random() < 0.1


def send(connection: Connection, item: Item) -> None:
    """The city's way from values to evidence; they come late, and in any order."""
    came_ms = day_start_ms(LAST + timedelta(days=9))
    kinds = sorted({(source, synthetic) for _, _, source, synthetic in item.values})
    tables = []
    for source, synthetic in kinds:
        schema = schema_of(
            "speed", uscc=item.uscc, assets=(item.asset_no,), source=source, synthetic=synthetic
        )
        batches = [
            batch_with(schema, int(at.timestamp() * 1000), status)
            for at, status, *kind in item.values
            if kind == [source, synthetic]
        ]
        tables += [(schema, rows) for rows in batch_rows(layout_of("gw-1", schema), batches)]
    record(connection, samples_in(tables, (), came_ms), MachineIds(), came_ms)


def write(connection: Connection, town: Town, random: Random) -> None:
    begin(connection, town.began)
    for uscc, stay in town.members.items():
        verified = town.verified[uscc]
        marks = {"ledger_verified_on": verified, "ledger_verified_by": verified and "张三"}
        add_enterprise(connection, uscc, roster="", **marks)
        if stay is not None:
            row = {"roster": "KEY", "uscc": uscc, "approved_by": ""}
            row |= {"valid_from": stay[0], "valid_to": stay[1]}
            connection.execute(insert(roster_member), [row])
    enrolled = {"id": "gw-1", "uscc": USCCS[0], "site_no": "1", "enrolled_ms": 1, "partition": 0}
    connection.execute(insert(gateway), [enrolled])
    # What stands in no ledger proves nothing for those that do.
    stranger = Item(USCCS[0], "STRANGER", "production", None, {})
    for day in days_between(FIRST, LAST):
        at = datetime(day.year, day.month, day.day, 9, tzinfo=BEIJING)
        stranger.values.append((at, GOOD, "controller", False))
    send(connection, stranger)
    # What sends before the bureau enters it in the ledger is a machine like any other.
    early = [item for item in town.items if random.random() < 0.3]
    for item in early:
        send(connection, item)
    for item in town.items:
        add_machine(
            connection,
            item.uscc,
            item.asset_no,
            equipment_class=item.kind,
            digital=item.digital,
            key_equipment=item.key,
            commissioned_on=item.commissioned,
            history=sorted(item.history.items()),
            undated=item.undated,
        )
        if item not in early:
            send(connection, item)
    plan(connection, town)


def plan(connection: Connection, town: Town) -> None:
    """Write the stops of all machines."""
    doing = Doing(Kind.STOPS, "", "", day_start_ms(LAST))
    act = begin_act(connection, doing)
    names = {id(one): MachineName(one.uscc, "1", one.asset_no) for one in town.items}
    ids = find(connection, names.values(), LAST)
    for item in town.items:
        for first, last in item.stops:
            stop = Stop(item.uscc, "", "", "", item.asset_no, first, last, "heat", "x", "y")
            write_stop(connection, act, stop, [ids[names[id(item)]]])
    conclude(connection, act, doing)


@dataclass
class Asked:
    """What a count is asked for."""

    first: date
    as_of: date
    today: date
    demonstration: bool


def status_on(item: Item, day: date) -> str | None:
    begun = [start for start in item.history if start <= day]
    return item.history[max(begun)] if begun else None


def possible(item: Item, day: date) -> set[str | None]:
    """The statuses that a day may have had: two, where the next entry has no date."""
    known = {status_on(item, day)}
    coming = min((start for start in item.history if start > day), default=None)
    if coming in item.undated and day not in item.history:
        known.add(item.history[coming])
    return known


def serves(item: Item, day: date) -> bool:
    """It is in service, or nobody knows."""
    return bool(possible(item, day) & {"in_use", "standby"})


def serves_surely(item: Item, day: date) -> bool:
    return possible(item, day) <= {"in_use", "standby"}


def date_missing(item: Item, asked: Asked) -> bool:
    """It may be new, or may have left before the end: no date says that it did not."""
    if not serves_surely(item, asked.as_of):
        return True
    used = [day for day, status in item.history.items() if status in ("in_use", "standby")]
    return item.commissioned is None and min(used, default=asked.first) >= asked.first


def on_roster(town: Town, uscc: str, day: date) -> bool:
    stay = town.members[uscc]
    return stay is not None and stay[0] <= day and (stay[1] is None or day < stay[1])


def is_verified(town: Town, uscc: str, day: date) -> bool:
    mark = town.verified[uscc]
    return mark is not None and mark <= day


def days_with(
    town: Town,
    item: Item,
    asked: Asked,
    since: date,
    sources: set[str],
    in_service: Callable[[Item, date], bool] = serves_surely,
) -> set[date]:
    """Days in service with evidence that counts: none before the city began."""
    return {
        day
        for day, source, synthetic in item.evidence
        if max(since, town.began) <= day <= asked.as_of
        and source in sources
        and (asked.demonstration or not synthetic)
        and in_service(item, day)
    }


def stands(item: Item, asked: Asked) -> bool:
    """It is in service on the day, and not new."""
    is_new = item.commissioned is not None and item.commissioned >= asked.first
    return serves(item, asked.as_of) and not is_new


def regular(
    town: Town, item: Item, asked: Asked, percent: int, within_days: int, every_day: bool = False
) -> tuple[bool, bool]:
    inside = on_roster(town, item.uscc, asked.as_of) and is_verified(town, item.uscc, asked.as_of)
    if not (inside and item.kind == "production" and stands(item, asked)):
        return False, False
    valid = days_with(town, item, asked, asked.first, {"controller"})
    served = {day for day in days_between(asked.first, asked.as_of) if serves(item, day)}
    due = set(served)
    if asked.today not in valid:
        due.discard(asked.today)
    due = {day for day in due if day >= town.began}
    if not every_day:
        valid, due = ({day for day in days if not rests(day)} for days in (valid, due))
        still = {day for day in served if day >= town.began and not rests(day)}
        still = {day for day in still if stands_still(item, day)}
        valid, due = valid - still, due - still
        if still and not due:
            return False, False
    enough = bool(valid) and Fraction(len(valid), len(due)) >= Fraction(percent, 100)
    silent = [day for day in due if day > max(valid, default=asked.as_of)]
    return enough and len(silent) <= within_days and not date_missing(item, asked), True


def stands_still(item: Item, day: date) -> bool:
    """It was planned that it does."""
    return any(first <= day and (last is None or day <= last) for first, last in item.stops)


def rests(day: date) -> bool:
    """Whether a day of October 2026 is one of rest."""
    return day in HOLIDAY or (day.isoweekday() in (6, 7) and day != WORKED)


def any_day(town: Town, item: Item, asked: Asked, sources: set[str]) -> tuple[bool, bool]:
    if item.kind != "production" or not stands(item, asked):
        return False, False
    valid = days_with(town, item, asked, asked.first, sources)
    return bool(valid) and not date_missing(item, asked), True


def enr_c(town: Town, item: Item, asked: Asked) -> tuple[bool, bool]:
    if not item.digital or not is_verified(town, item.uscc, asked.as_of):
        return False, False
    return any_day(town, item, asked, {"controller"})


def enr_d(town: Town, item: Item, asked: Asked) -> tuple[bool, bool]:
    return regular(town, item, asked, 80, 7) if item.key else (False, False)


def dig_a(_: Town, item: Item, asked: Asked) -> tuple[bool, bool]:
    counted = item.kind == "production" and stands(item, asked)
    return counted and item.digital and not date_missing(item, asked), counted


def onl(town: Town, item: Item, asked: Asked) -> tuple[bool, bool]:
    since = asked.as_of - timedelta(days=29)
    sources = {"controller", "sensor"}
    seen = days_with(town, item, asked, since, sources)
    counted = stands(item, asked) and bool(days_with(town, item, asked, since, sources, serves))
    return counted and item.answers and bool(seen) and not date_missing(item, asked), counted


COUNTS = {
    "ENR-A": partial(regular, percent=80, within_days=7),
    "LOOSE": partial(regular, percent=40, within_days=7),
    "EVERY": partial(regular, percent=80, within_days=7, every_day=True),
    "ENR-B": partial(any_day, sources={"controller"}),
    "ENR-C": enr_c,
    "ENR-D": enr_d,
    "DIG-A": dig_a,
    "SENS": partial(any_day, sources={"controller", "sensor"}),
    "ONL": onl,
}
ENR_A = builtin_definitions()["ENR-A"]
# Of a month of 31 days four fifths leave no room for a silent week: that rule needs its own rate.
LOOSE = {"id": "LOOSE", "continuity": Continuity(percent_of_days=40, within_days=7)}
EVERY = {"id": "EVERY", "days": "all"}
DEFINITIONS = {
    **builtin_definitions(),
    "LOOSE": ENR_A.model_copy(update=LOOSE),
    "EVERY": ENR_A.model_copy(update=EVERY),
}
WITHOUT_REST = ("ENR-A", "ENR-D", "LOOSE")


def expected(town: Town, definition: str, asked: Asked) -> dict[str, tuple[int, int]]:
    """(K, N) of every enterprise in scope."""
    rostered = definition in (*WITHOUT_REST, "EVERY")
    scoped = [uscc for uscc in USCCS if not rostered or on_roster(town, uscc, asked.as_of)]
    found = {}
    for uscc in scoped:
        judged = [COUNTS[definition](town, item, asked) for item in town.items if item.uscc == uscc]
        found[uscc] = (sum(k for k, _ in judged), sum(n for _, n in judged))
    return found


@pytest.mark.parametrize("seed", range(25))
def test_every_definition_agrees_with_the_second_opinion(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    town = random_town(random)
    database = sqlite_city(tmp_path)
    database.run_now(write, town, random)
    answering = frozenset((one.uscc, "1", one.asset_no) for one in town.items if one.answers)
    for definition in COUNTS:
        today = random.choice([date(2026, 10, 1), date(2026, 10, 17), LAST, date(2026, 11, 3)])
        if definition == "ONL":
            today = min(today, LAST)
        today = max(today, town.began)
        demonstration = random.random() < 0.3
        asked = Asked(date(2026, 10, 1), min(today, LAST), today, demonstration)
        table = database.run_now(
            rate_table,
            definition,
            "2026-10",
            "enterprise",
            day_start_ms(today) + random.randint(0, 86_399_999),
            demonstration=demonstration,
            answering=answering,
            definitions=DEFINITIONS,
        )
        counts = expected(town, definition, asked)
        assert {one.key: (one.networked, one.equipment) for one in table.cells} == counts
        rates = [Fraction(100 * k, n) for k, n in counts.values() if n]
        total_k, total_n = (sum(one[part] for one in counts.values()) for part in range(2))
        assert (table.city.networked, table.city.equipment) == (total_k, total_n)
        window = days_between(max(asked.first, town.began), asked.as_of)
        if definition in WITHOUT_REST and all(map(rests, window)):
            assert (table.city.pooled, table.city.mean, table.only_rest) == (None, None, True)
            continue
        assert table.city.pooled == (Fraction(100 * total_k, total_n) if total_n else None)
        assert table.city.mean == (sum(rates) / len(rates) if rates else None)
    database.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_definition_is_within_the_one_that_it_narrows(tmp_path: Path, seed: int) -> None:
    """ENR-D is ENR-A of key machines, ENR-B is SENS at a higher level; K is never above N."""
    random = Random(seed)
    database = sqlite_city(tmp_path)
    town = random_town(random)
    database.run_now(write, town, random)
    asked = [(one, None) for one in ("ENR-A", "ENR-D", "ENR-B", "SENS", "DIG-A")]
    found = database.read_now(rate_months, asked, day_start_ms(LAST) + 1, demonstration=False)
    a, d, b, sens, dig = (month.cells["enterprise"] for month in found)
    for uscc, whole in a.items():
        assert d[uscc].networked <= whole.networked
        assert d[uscc].equipment <= whole.equipment
    for uscc, least in sens.items():
        assert b[uscc].networked <= least.networked
        assert b[uscc].equipment == least.equipment == dig[uscc].equipment
    assert all(
        one.networked <= one.equipment for part in (a, d, b, sens, dig) for one in part.values()
    )
    database.close()


@pytest.mark.parametrize("seed", range(5))
def test_months_that_are_read_together_are_as_each_alone(tmp_path: Path, seed: int) -> None:
    """One pass over ledger and evidence, with a month between that nobody asks about."""
    random = Random(seed)
    town = random_town(random)
    town.began = FIRST
    # New in the first of the months, and of no interest in the others.
    new = Item(USCCS[0], "NEW", "production", date(2026, 8, 25), {date(2020, 1, 1): "in_use"})
    new.values = [(datetime(2026, 8, 26, 9, tzinfo=BEIJING), GOOD, "controller", False)]
    town.items.append(new)
    database = sqlite_city(tmp_path)
    database.run_now(write, town, random)
    answering = frozenset(MachineName(one.uscc, "1", one.asset_no) for one in town.items[::2])
    wanted = [("ENR-A", None), ("ONL", None), ("COV", None), ("ENR-B", "2026-08"), ("LOOSE", None)]
    how = {"demonstration": False, "answering": answering, "definitions": DEFINITIONS}
    now_ms = day_start_ms(LAST) + 1
    together = database.read_now(rate_months, wanted, now_ms, **how)
    alone = [database.read_now(rate_month, *one, now_ms, **how) for one in wanted]
    assert together == alone
    assert any(one.cells["city"]["city"].equipment for one in together)
    database.close()
