"""What evidence and ledger hold is what the checks look at; the command tells what they find."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update
from typer.testing import CliRunner

from gateway.city.db.operation import begin
from gateway.city.db.tables import evidence, gateway, machine_books
from gateway.city.ledger.bitemporal.acts import Doing, conclude
from gateway.city.ledger.bitemporal.acts import Kind as ActKind
from gateway.city.ledger.bitemporal.acts import begin as begin_act
from gateway.city.ledger.stops.sort import write_stop
from gateway.city.ledger.stops.table import Stop
from gateway.city.rates.declared.sheet import Declaration
from gateway.city.rates.declared.values import write
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.findings.gathering import builtin_rules, enterprise_days, findings_of, heaps
from gateway.city.rates.findings.model import Kind, Times
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.cli.main import build
from gateway.core.days import HOUR_MS, day_start_ms
from gateway.relational.database import Database
from tests.support.city import city_file
from tests.support.city_db import (
    USCCS,
    add_days,
    add_enterprise,
    add_machine,
    by_hand,
    days_between,
    sqlite_city,
)

FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
NOW = day_start_ms(date(2026, 10, 20))
UNTIL = date(2026, 9, 24)


def fill(connection: Connection) -> None:
    """M-1 sends under a second number by another device, M-3 sends by a sensor, M-4 leaves."""
    begin(connection, date(2026, 1, 1))
    add_enterprise(connection, USCCS[0])
    row = {"id": "gw-1", "uscc": USCCS[0], "site_no": "1", "partition": 0, "enrolled_ms": 0}
    connection.execute(insert(gateway).values(row))
    left = [(date(2020, 1, 1), "in_use"), (date(2026, 9, 26), "scrapped")]
    histories: dict[str, dict[str, Any]] = {"M-4": {"history": left}}
    ids = {
        name: add_machine(
            connection, USCCS[0], name, commissioned_on=date(2020, 1, 1), **histories.get(name, {})
        )
        for name in ("M-1", "M-2", "M-3", "M-4")
    }
    for name in ("M-1", "M-2", "M-4"):
        add_days(connection, ids[name], days_between(FIRST, UNTIL))
    add_days(connection, ids["M-3"], days_between(FIRST, UNTIL), source="sensor")
    for day in days_between(FIRST, UNTIL):
        at = day_start_ms(day) + 8 * HOUR_MS + day.day * 60_000
        when = update(evidence).where(evidence.c.day == day, evidence.c.machine_id <= 2)
        by_hand(connection, when.values(first_ms=at, last_ms=at + HOUR_MS, seeded=False))
    book = {"gateway": "gw-1", "epoch": "a", "expected": 100, "seq": 1, "first_ms": 0}
    books = [
        book | {"device": f"d-{one}", "machine_id": one, "day": day, "valid": 90, "last_ms": 0}
        for one in (1, 2)
        for day in days_between(FIRST, UNTIL)
    ]
    connection.execute(insert(machine_books), books)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Database]:
    made = sqlite_city(tmp_path)
    made.run_now(fill)
    yield made
    made.close()


def inquiry() -> Inquiry:
    period = period_of("2026-09", NOW, None)
    return Inquiry(builtin_definitions()["ENR-A"], period, NOW, demonstration=False, uscc=USCCS[0])


def test_what_is_held_is_what_is_looked_at(city: Database) -> None:
    firm = city.read_now(enterprise_days, inquiry())
    assert (firm.days, firm.percent_of_days) == (30, 80)
    one, two, three, four = firm.machines
    assert (one.number, one.place, two.place, three.place) == ("1/M-1", "gw-1/d-1", "gw-1/d-2", "")
    rest = sum(1 << (day.day - 1) for day in days_between(FIRST, LAST) if _rests(day))
    assert (one.service, one.valid) == ((1 << 30) - 1, ((1 << 24) - 1) & ~rest)
    assert (one.networked, three.networked, four.networked) == (True, False, False)
    assert (three.valid, three.times) == (0, {})  # a sensor is not at the level; nobody measured it
    assert four.service == (1 << 25) - 1
    assert one.times[0] == Times(8 * HOUR_MS + 60_000, 9 * HOUR_MS + 60_000)
    assert one.counts[0] == (90, 100)
    assert one.after == 0  # all of the week behind it is a public holiday


def test_copies_are_found_and_round_ledgers(city: Database) -> None:
    (one,) = city.read_now(findings_of, inquiry(), builtin_rules())
    assert (one.kind, one.machines) == (Kind.SAME_TIMES, ("1/M-1", "1/M-2"))
    assert city.read_now(lambda c: list(heaps(c, "2026-09", builtin_rules()))) == []


def test_round_numbers_that_a_county_declares_are_found(city: Database) -> None:
    def declare(connection: Connection) -> None:
        rows = []
        for number in range(30):
            uscc = f"9133082200000000{number:02d}"
            add_enterprise(connection, uscc, county="330881")
            rows.append(Declaration(uscc, "2026-09", 11 + number, 50 + 5 * number, "张三", "问卷"))
        write(connection, rows, NOW, "root")

    city.run_now(declare)
    (one,) = city.read_now(lambda c: list(heaps(c, "2026-09", builtin_rules())))
    assert (one.kind, one.whose, one.numbers) == (Kind.HEAPED, "330881", {"count": 30, "all": 30})
    assert city.read_now(lambda c: list(heaps(c, "2026-08", builtin_rules()))) == []


def test_the_command_says_what_to_check(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.city.evidence.findings_command.system_ms", lambda: NOW)
    file = city_file(tmp_path, "127.0.0.1:1")

    def said(*more: str) -> tuple[int, list[str]]:
        wanted = ["evidence", "findings", "-c", str(file), "--month", "2026-09", *more]
        done = CliRunner().invoke(build(["evidence"]), wanted)
        return done.exit_code, done.output.splitlines()

    code, lines = said()
    assert (code, len(lines), lines[-1]) == (0, 5, "1 finding")
    assert lines[0] == f"{USCCS[0]} 1/M-1, 1/M-2: two machines begin and end alike"
    assert lines[1].endswith("at the same millisecond; days: 24 of 24 that can be compared")
    code, lines = said("--json", "--enterprise", USCCS[0])
    told = json.loads(lines[0])
    assert (told["kind"], told["numbers"]) == ("same_times", {"days": 24, "all": 24})
    assert told["check"]["zh"].startswith("到场看两台设备")
    code, lines = said("--enterprise", "9")
    assert (code, lines) == (1, ["the ledger has no enterprise 9; write its USCC in full"])
    code, lines = said("--month", "2025-01")
    assert code == 1
    assert "the city began on 2026-01-01" in lines[0]


def test_each_kind_has_its_sentences() -> None:
    from gateway.web.i18n import text

    numbers = {"count": 1, "all": 2, "days": 3, "percent": 4}
    for kind in Kind:
        for language in ("zh", "en"):
            for name in ("kind", "what", "innocent", "check"):
                assert text(language, f"clue.{name}.{kind}", **numbers)


def test_nobody_is_silent_or_short_of_days_in_a_planned_stop(city: Database) -> None:
    """M-1 is overhauled from the 21st to 12 October: none of these days is expected of it."""

    def overhauled(connection: Connection) -> None:
        doing = Doing(ActKind.STOPS, "", "检修", day_start_ms(date(2026, 9, 10)))
        act = begin_act(connection, doing)
        stop = Stop(
            USCCS[0],
            "",
            "",
            "",
            "M-1",
            date(2026, 9, 21),
            date(2026, 10, 12),
            "overhaul",
            "3",
            "王",
        )
        write_stop(connection, act, stop, [1])
        conclude(connection, act, doing)

    city.run_now(overhauled)
    scheduled = builtin_definitions()["ENR-A"]
    assert scheduled.days == "scheduled"
    one, two, *_ = city.read_now(enterprise_days, inquiry()).machines
    rest = sum(1 << (day.day - 1) for day in days_between(FIRST, LAST) if _rests(day))
    stop = sum(1 << day for day in range(20, 30))
    assert (one.excused, two.excused) == (rest | stop, rest)
    assert one.valid == ((1 << 24) - 1) & ~(rest | stop)
    assert one.service == two.service == (1 << 30) - 1
    later = replace(inquiry(), now_ms=day_start_ms(date(2026, 11, 1)))
    october = replace(later, period=period_of("2026-09", later.now_ms, None))
    assert city.read_now(enterprise_days, october).machines[0].after == 0


def _rests(day: date) -> bool:
    return bool(builtin_definitions()["ENR-A"].calendar.is_rest(day))
