"""Findings are kept: a row for what is new, open until explained, and open again when seen anew."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, func, select

from gateway.city.access.audit import entries
from gateway.city.access.principal import (
    EVERYTHING,
    Principal,
    Role,
    administrator,
    parse_scope,
)
from gateway.city.db.operation import begin
from gateway.city.db.schema.checking.findings import (
    finding,
    finding_pass,
    finding_said,
    finding_seen,
)
from gateway.city.erasing.rows import counts, erase
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.findings.kept import nightly
from gateway.city.rates.findings.kept.explaining import (
    ExplainError,
    OutdatedError,
    Saying,
    basis_of,
    explain,
)
from gateway.city.rates.findings.kept.keeping import Looked, State, keep, of_each
from gateway.city.rates.findings.kept.listing import (
    HIDDEN,
    KeptFinding,
    Wanted,
    count,
    count_open,
    listed,
    sayings,
    sightings,
)
from gateway.city.rates.findings.model import Finding, Kind
from gateway.core.days import DAY_MS, HOUR_MS, day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise

NOW = day_start_ms(date(2026, 10, 25)) + 3 * HOUR_MS
ROOT = administrator("root")
ALL = Wanted(EVERYTHING, synthetic=False)
ONE, OTHER = USCCS[0], USCCS[1]


@pytest.fixture
def city(database: Database) -> Database:
    def fill(connection: Connection) -> None:
        begin(connection, date(2026, 1, 1))
        add_enterprise(connection, ONE, county="330822")
        add_enterprise(connection, OTHER, county="330881")

    database.run_now(fill)
    return database


def pair(days: int = 12) -> Finding:
    return Finding(Kind.SAME_TIMES, ONE, ("1/A/1", "1/B"), {"days": days, "all": 12})


def silent(*machines: str) -> Finding:
    numbers = {"count": len(machines), "all": 9}
    return Finding(Kind.UPTO_SNAPSHOT, ONE, machines, numbers)


def look(
    city: Database, *found: Finding, month: str = "2026-10", at: int = NOW, uscc: str = ONE
) -> None:
    city.run_now(keep, Looked(month, synthetic=False, rules=2, at_ms=at, uscc=uscc), found)


def only(city: Database, wanted: Wanted = ALL) -> KeptFinding:
    (one,) = city.read_now(listed, wanted, 10)
    return one


def say(city: Database, one: KeptFinding, *, explains: bool = True, at: int = NOW) -> bool:
    saying = Saying(one.id, basis_of(one), explains, " 同一 总开关 ", "现场记录 7 号")
    return city.run_now(explain, ROOT, False, saying, at)


def rows(city: Database) -> list[int]:
    tables = (finding, finding_seen, finding_said, finding_pass)
    return [
        city.read_now(lambda c, t=t: c.scalar(select(func.count()).select_from(t))) for t in tables
    ]


def test_what_is_as_before_adds_no_row_and_what_changes_one(city: Database) -> None:
    look(city, pair())
    look(city, pair(), at=NOW + DAY_MS)
    assert rows(city) == [1, 1, 0, 1]
    look(city, pair(13), at=NOW + 2 * DAY_MS)
    one = only(city)
    assert (one.state, one.machines, one.numbers["days"]) == (State.OPEN, ["1/A/1", "1/B"], 13)
    assert (one.first_ms, one.last_ms) == (NOW, NOW + 2 * DAY_MS)
    assert [seen.numbers["days"] for seen in city.read_now(sightings, EVERYTHING, one.id, 9)] == [
        13,
        12,
    ]
    look(city, at=NOW + 3 * DAY_MS)
    gone = only(city)
    assert (gone.state, gone.last_ms) == (State.GONE, NOW + 2 * DAY_MS)
    assert count_of_open(city) == 0
    look(city, pair(13), at=NOW + 4 * DAY_MS)
    assert only(city).state is State.OPEN
    assert rows(city) == [1, 4, 0, 1]


def count_of_open(city: Database) -> int:
    return city.read_now(count_open, EVERYTHING, synthetic=False)


def test_an_explanation_holds_for_its_months_and_its_machines(city: Database) -> None:
    look(city, silent("1/A", "1/B"))
    assert say(city, only(city))
    look(city, silent("1/B"), at=NOW + DAY_MS)  # fewer of the same
    look(city, silent("1/B"), month="2026-09", at=NOW + DAY_MS)  # a month before
    one = only(city)
    assert (one.state, one.month) == (State.EXPLAINED, "2026-10")
    assert one.said is not None
    assert (one.said.reason, one.said.made_by) == ("同一 总开关", "root")
    look(city, silent("1/B", "1/C"), at=NOW + 2 * DAY_MS)
    assert only(city).state is State.OPEN  # of another machine
    assert say(city, only(city))
    look(city, silent("1/B"), month="2026-11", at=NOW + 9 * DAY_MS)
    assert (only(city).state, only(city).month) == (State.OPEN, "2026-11")
    look(city, month="2026-11", at=NOW + 10 * DAY_MS)  # it was a mistake of the running month
    assert (only(city).state, only(city).month) == (State.EXPLAINED, "2026-10")
    assert say(city, only(city), explains=False)
    assert only(city).state is State.OPEN
    assert [said.explains for said in city.read_now(sayings, one.id)] == [False, True, True]
    actions = [entry.action for entry in city.read_now(entries)]
    assert sorted(actions) == ["finding-explained", "finding-explained", "finding-reopened"]


def test_the_second_officer_is_told_and_nothing_is_said_without_reason(city: Database) -> None:
    look(city, pair())
    one = only(city)
    say(city, one)
    with pytest.raises(OutdatedError):
        say(city, one)
    look(city, pair(13), at=NOW + DAY_MS)
    with pytest.raises(OutdatedError):  # it was seen anew since
        say(city, replace(one, said=only(city).said))
    for reason, document, key in (
        (" ", "7 号", "no_reason"),
        ("开关", "", "no_document"),
        ("长" * 301, "7 号", "long"),
    ):
        saying = Saying(one.id, basis_of(only(city)), True, reason, document)
        with pytest.raises(ExplainError) as raised:
            city.run_now(explain, ROOT, False, saying, NOW)
        assert raised.value.key == key
    foreign = Principal("li", Role.COUNTY, parse_scope("county 330881"))
    saying = Saying(one.id, basis_of(only(city)), True, "开关", "7 号")
    assert not city.run_now(explain, foreign, False, saying, NOW)


def test_each_sees_their_own_and_no_machine_of_others(city: Database) -> None:
    copy = Finding(Kind.SAME_VALUES, ONE, (f"{ONE}/1/A", f"{OTHER}/1/B"), {"days": 2})
    for uscc, own in of_each([copy]).items():
        looked = Looked("2026-10", False, 2, NOW, uscc, judged=frozenset())
        city.run_now(keep, looked, own)
    heaped = Finding(Kind.HEAPED, "330881", (), {"count": 30, "all": 30}, "ledger")
    declared = replace(heaped, part="declared")
    look(city, heaped, declared, uscc="")
    look(city, uscc=ONE)  # what a night does not judge stays
    assert city.read_now(count, ALL) == 4
    county = replace(ALL, scope=parse_scope("county 330822"))
    assert only(city, county).machines == [f"{ONE}/1/A", HIDDEN]
    guess = replace(county, machine=f"{OTHER}/1/B")  # what is hidden is not found by guessing
    assert city.read_now(count, guess) == 0
    assert city.read_now(count, replace(county, machine=f"{ONE}/1/A")) == 1
    other = replace(ALL, scope=parse_scope("county 330881"))
    assert {one.kind for one in city.read_now(listed, other, 9)} == {Kind.SAME_VALUES, Kind.HEAPED}
    assert city.read_now(count, replace(ALL, scope=parse_scope("area X"))) == 0
    for wanted, found in (
        (replace(ALL, kind="heaped"), 2),
        (replace(ALL, county="330881"), 3),
        (replace(ALL, enterprise=ONE.lower()), 1),
        (replace(ALL, machine=f"{OTHER}/1/B"), 2),
        (replace(ALL, machine="1/"), 0),
        (replace(ALL, synthetic=True), 0),
        (replace(ALL, state="gone"), 0),
    ):
        assert city.read_now(count, wanted) == found, wanted
    assert counts_of(city)["finding"] == 2  # its own, and the other's that names it
    city.run_now(erase, ONE, [])
    assert {one.kind for one in city.read_now(listed, ALL, 9)} == {Kind.HEAPED}
    assert rows(city)[:2] == [2, 2]


def counts_of(city: Database) -> dict[str, int]:
    return city.read_now(counts, ONE, [])


async def test_a_night_looks_at_each_once_who_was_longest_ago_first(
    city: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    headline, looked, now = builtin_definitions()["ENR-A"], list[str](), [NOW]
    real = nightly.look_at

    def noted(*what: object, uscc: str, **how: object) -> object:
        looked.append(uscc)
        if uscc == OTHER and len(looked) < 9:
            raise ZeroDivisionError("a defect")
        return real(*what, uscc=uscc, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(nightly, "look_at", noted)
    looking = nightly.Looking(city, headline, False, lambda: now[0], rest=0)
    assert await looking.look() == 2
    assert looked == ["", *sorted((ONE, OTHER))]
    await looking.look()
    assert looked[3:] == [OTHER]  # it failed, and the others were looked at
    now[0] += 22 * HOUR_MS  # before two o'clock: the same night
    await looking.look()
    assert looked[4:] == [OTHER]
    now[0] += 2 * HOUR_MS
    await looking.look()
    assert looked[5:] == [OTHER, "", ONE]  # it has never been looked at
    assert city.read_now(nightly.last_pass, synthetic=False) == (1, now[0])


def test_months_are_looked_at_until_they_are_final(city: Database) -> None:
    for day, months in (
        (date(2026, 10, 20), ["2026-09", "2026-10"]),
        (date(2026, 10, 21), ["2026-10"]),
        (date(2026, 1, 3), ["2026-01"]),  # the city began on 1 January
    ):
        assert city.read_now(nightly.months_due, day_start_ms(day)) == months
