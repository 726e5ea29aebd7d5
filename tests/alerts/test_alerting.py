"""Alerts in a real database: facts of ledger, gaps and stored months; who sees them; lists."""

from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from edge_config.models.city import CityConfig
from edge_config.models.people.alerts import AlertsConfig
from edge_config.models.validation import validated
from gateway.city.access.principal import (
    EVERYTHING,
    PERMISSIONS,
    SCOPES,
    Permission,
    Principal,
    Role,
    Scope,
    parse_scope,
)
from gateway.city.alerts import standing, watching
from gateway.city.alerts.alerting import Alerting
from gateway.city.alerts.gathering import Judging, rate_conditions
from gateway.city.alerts.model import Kind, Level
from gateway.city.alerts.saying import address_of, subject_name, why
from gateway.city.db import tables
from gateway.city.ledger.history import statuses_on
from gateway.city.rates.cells.cell import Cell, percent
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.findings.kept.explaining import Saying, basis_of, explain
from gateway.city.rates.findings.kept.keeping import Looked, keep
from gateway.city.rates.findings.kept.listing import Wanted
from gateway.city.rates.findings.kept.listing import listed as findings
from gateway.city.rates.findings.model import Finding
from gateway.city.rates.findings.model import Kind as FindingKind
from gateway.city.rates.frozen.results import StoredTable, append
from gateway.city.rates.model import Definition, Target
from gateway.core.days import DAY_MS, HOUR_MS, day_start_ms
from gateway.relational.database import Database
from gateway.wire.messages import DeviceState, State, encode_message
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine

MONDAY = date(2025, 11, 24)
NOON_MS = day_start_ms(MONDAY) + 12 * HOUR_MS
DEFINITIONS = load_definitions(None, None)
OFFICER = Principal("wang.li", Role.BUREAU, EVERYTHING)


def city(folder: Path, **alerts: Any) -> CityConfig:
    """A city with these settings of its alerts."""
    return validated(
        CityConfig,
        {
            "city": {"region": "330800", "name_zh": "衢州市", "name_en": "Quzhou"},
            "data_dir": folder,
            "broker": {"url": "mqtt://127.0.0.1:1883"},
            "identifier": {"prefix": "88.999"},
            "alerts": alerts,
        },
    )


class World:
    """A city in which gateways fall silent."""

    def __init__(self, database: Database, folder: Path, **alerts: Any) -> None:
        self.database, self.now_ms = database, NOON_MS
        settings = {"steady_s": 600} | alerts
        self.alerting = Alerting(
            city(folder, **settings), database, DEFINITIONS, lambda: self.now_ms
        )

    def do(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.database.run_now(act, *args, **kwargs)

    async def later(self, minutes: float) -> None:
        self.now_ms += int(minutes * 60_000)
        await self.alerting.look()

    def alerts(self, scope: Scope = EVERYTHING, *, ended: bool = False) -> list[standing.Alert]:
        found: list[standing.Alert] = self.do(standing.listed, scope, limit=100, ended=ended)
        return found


def enterprises(connection: Connection, number: int = 2) -> None:
    verified = {"ledger_verified_on": MONDAY - timedelta(days=10)}
    for uscc, county in list(zip(USCCS, ("330822", "330881", "330803"), strict=False))[:number]:
        add_enterprise(connection, uscc, county=county, **verified)


def gateways(connection: Connection, *names: str, uscc: str = USCCS[0]) -> None:
    row = {"uscc": uscc, "site_no": "1", "enrolled_ms": 0, "partition": 0}
    connection.execute(insert(tables.gateway), [row | {"id": one} for one in names])


def silence(connection: Connection, name: str, from_ms: int) -> None:
    row = {"device": "", "tag_group": "", "tags": "[]", "tags_key": "-", "to_ms": None}
    row |= {"gateway": name, "cause": "gateway_silent", "from_ms": from_ms}
    connection.execute(insert(tables.gap), [row])


def speak(connection: Connection, name: str, to_ms: int) -> None:
    own = (tables.gap.c.gateway == name, tables.gap.c.to_ms.is_(None))
    connection.execute(update(tables.gap).where(*own).values(to_ms=to_ms))


async def test_a_silent_gateway_is_told_of_once(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1", "gw-2")
    world.do(silence, "gw-1", NOON_MS)
    await world.later(14)
    assert world.alerts() == []
    await world.later(1)
    (found,) = world.alerts()
    assert (found.kind, found.subject.key, found.since_ms) == (Kind.GATEWAY, "gw-1", NOON_MS)
    assert "gw-1" in subject_name("zh", found)
    assert "2025-11-24 12:00" in why("en", found)
    world.do(speak, "gw-1", world.now_ms)
    await world.later(1)
    world.do(silence, "gw-1", world.now_ms)  # a loose plug
    await world.later(1)
    world.do(speak, "gw-1", world.now_ms)
    await world.later(9)
    assert [one.id for one in world.alerts()] == [found.id]
    await world.later(10)
    assert world.alerts() == []
    assert [one.id for one in world.alerts(ended=True)] == [found.id]


async def test_two_that_look_at_once_begin_one_alert(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.do(silence, "gw-1", NOON_MS - DAY_MS)
    await world.later(0)
    other = World(database, tmp_path)
    await other.later(0)
    assert len(world.alerts()) == 1


async def test_days_of_rest_and_planned_stops_do_not_count(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.now_ms = day_start_ms(date(2025, 11, 22)) + 12 * HOUR_MS  # a Saturday
    world.do(silence, "gw-1", world.now_ms)
    await world.later(24 * 60)
    assert world.alerts() == []
    every_day = World(database, tmp_path, days="all")
    every_day.now_ms = world.now_ms
    await every_day.later(0)
    assert len(world.alerts()) == 1


async def test_a_watched_machine_without_data_is_told_of(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    machine, other = (world.do(add_machine, USCCS[0], one) for one in ("1#注塑机", "A-2"))
    for one in (machine, other):
        world.do(add_days, one, [date(2025, 11, 20)])
    world.do(watching.add, OFFICER, Level.MACHINE, str(machine), NOON_MS)
    await world.later(0)
    assert [one.subject.key for one in world.alerts()] == [str(machine)]
    assert "1#注塑机" in subject_name("zh", world.alerts()[0])
    assert world.do(statuses_on, [machine], MONDAY) == {machine: "in_use"}


async def test_an_old_verification_is_told_of(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(add_enterprise, USCCS[2], county="330803", ledger_verified_on=date(2024, 11, 1))
    world.do(add_enterprise, USCCS[3], county="330803", ledger_verified_on=None)
    await world.later(0)
    assert [one.subject.key for one in world.alerts()] == [USCCS[2]]


def cell(networked: int, equipment: int) -> Cell:
    rate = percent(networked, equipment)
    return Cell(networked, equipment, 1, rate, rate)


def freeze(
    connection: Connection,
    month: str,
    status: str,
    city: Cell,
    county: Cell,
    definition: str = "ENR-A",
) -> None:
    """Store a month of a definition."""
    cells = {"city": {"city": city}, "county": {"330822": county}, "enterprise": {USCCS[0]: county}}
    cells |= {"area": {"QZ-ZZXC": county, "": county}}  # the latter: in none
    digest = DEFINITIONS[definition].hash
    vintage = 1 if status == "P" else 2
    stored = StoredTable(month, vintage, status, digest, 0, cells)  # type: ignore[arg-type]
    append(connection, stored, definition, False)


async def test_a_rate_that_falls_from_one_final_month_to_the_next(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(freeze, "2025-08", "F", cell(52, 100), cell(30, 60))
    world.do(freeze, "2025-09", "F", cell(51, 100), cell(24, 60))
    world.do(freeze, "2025-10", "P", cell(20, 100), cell(10, 60))  # late data may still come
    await world.later(0)
    assert {(one.kind, one.subject.level) for one in world.alerts()} == {
        (Kind.FALL, Level.AREA),
        (Kind.FALL, Level.COUNTY),
        (Kind.FALL, Level.ENTERPRISE),
    }
    told = why("zh", world.alerts()[0])
    assert "50.00%（30/60）" in told
    assert "−10.00 个百分点" in told
    world.do(freeze, "2025-10", "F", cell(51, 100), cell(30, 60))
    await world.later(60)
    assert world.alerts() == []


async def test_a_target_at_risk_by_six_final_months(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    for number in range(5, 11):
        world.do(freeze, f"2025-{number:02d}", "F", cell(50, 100), cell(30, 60))
    await world.later(0)
    (found,) = world.alerts()
    assert found.kind is Kind.TARGET
    assert "60.00%" in why("zh", found)
    assert "50.00%" in why("en", found)


def test_a_county_is_at_risk_by_its_own_target_alone(database: Database) -> None:
    aim = Target(
        id="ENR-A", county="330822", year=2025, percent=55, document="3 号",
        valid_from=date(2025, 1, 1),
    )  # fmt: skip

    def judged(connection: Connection, definition: Definition) -> dict[str, str | int]:
        by = Judging(AlertsConfig(), definition, demonstration=False)
        found = rate_conditions(connection, by, NOON_MS)
        return {one.subject.key: one.detail["target"] for one in found}

    for number in range(5, 11):
        database.run_now(freeze, f"2025-{number:02d}", "F", cell(50, 100), cell(30, 60))
    known = DEFINITIONS["ENR-A"]
    assert database.read_now(judged, known) == {"city": "60"}
    assert database.read_now(judged, known.aimed_by([aim])) == {"city": "60", "330822": "55"}
    lower = aim.model_copy(update={"percent": Fraction(50)})
    assert database.read_now(judged, known.aimed_by([lower])) == {"city": "60"}


def test_a_rate_that_the_plan_does_not_name_has_no_target_at_risk(database: Database) -> None:
    def judged(connection: Connection, definition: str) -> list[Kind]:
        by = Judging(AlertsConfig(), DEFINITIONS[definition], demonstration=False)
        return [one.kind for one in rate_conditions(connection, by, NOON_MS)]

    for number in range(5, 11):
        for name in ("ENR-A", "DIG-A"):
            part = cell(30, 60)
            database.run_now(freeze, f"2025-{number:02d}", "F", cell(50, 100), part, name)
    assert database.read_now(judged, "ENR-A") == [Kind.TARGET]
    assert database.read_now(judged, "DIG-A") == []


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ("all", {"gw-1", "gw-2", "330822", "QZ-ZZXC"}),
        ("county 330822", {"gw-1", "330822"}),
        (f"enterprise {USCCS[1]}", {"gw-2"}),
        ("area QZ-ZZXC", {"QZ-ZZXC"}),
        ("area QZ-ZHXC", set()),
    ],
)
async def test_alerts_are_seen_as_rows_are(
    database: Database, tmp_path: Path, scope: str, seen: set[str]
) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.do(gateways, "gw-2", uscc=USCCS[1])
    for name in ("gw-1", "gw-2"):
        world.do(silence, name, NOON_MS - DAY_MS)
    world.do(freeze, "2025-08", "F", cell(50, 100), cell(30, 60))
    world.do(freeze, "2025-09", "F", cell(50, 100), cell(24, 60))
    await world.later(0)
    own = {one.subject.key for one in world.alerts(parse_scope(scope))}
    assert own - {USCCS[0]} == seen
    is_own = scope in {"all", "county 330822"}
    assert (USCCS[0] in own) == is_own
    who = Principal("li.wei", Role.COUNTY, parse_scope(scope))
    for one in world.alerts():
        is_seen = one.subject.key in own
        assert world.do(standing.acknowledge, who, one.id, NOON_MS) == is_seen
        (after,) = world.do(standing.listed, EVERYTHING, limit=1, ids={one.id})
        assert after.acknowledged_by == ("li.wei" if is_seen else None)


async def test_what_lies_in_what_is_watched_is_watched(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.do(silence, "gw-1", NOON_MS - DAY_MS)
    await world.later(0)
    (alert,) = world.alerts()
    expected = {
        (Level.CITY, "city"): True,
        (Level.COUNTY, "330822"): True,
        (Level.COUNTY, "330881"): False,
        (Level.INDUSTRY, "3451"): True,
        (Level.ENTERPRISE, USCCS[0]): True,
        (Level.ENTERPRISE, USCCS[1]): False,
        (Level.GATEWAY, "gw-1"): True,
    }
    for (level, key), is_told in expected.items():
        world.do(watching.add, OFFICER, level, key, NOON_MS)
        assert watching.is_watched(world.do(watching.of, "wang.li"), alert) == is_told, key
        world.do(watching.remove, OFFICER, level, key, NOON_MS)
    assert world.do(watching.of, "wang.li") == []


def test_what_is_not_seen_cannot_be_watched(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    machine = world.do(add_machine, USCCS[0], "A-1")
    foreign = Principal("li.wei", Role.COUNTY, parse_scope("county 330881"))
    for level, key in (
        (Level.CITY, "city"), (Level.COUNTY, "330822"), (Level.INDUSTRY, "3451"),
        (Level.ENTERPRISE, USCCS[0]), (Level.GATEWAY, "gw-1"), (Level.MACHINE, str(machine)),
        (Level.MACHINE, "x"), (Level.MACHINE, "9" * 30), (Level.ENTERPRISE, ""),
    ):  # fmt: skip
        with pytest.raises(watching.WatchError):
            world.do(watching.add, foreign, level, key, NOON_MS)
    world.do(watching.add, OFFICER, Level.GATEWAY, "gw-1", NOON_MS)
    subjects = world.do(watching.of, "wang.li")
    assert world.do(watching.visible, foreign.scope, subjects) == []


def tell(connection: Connection, name: str, **links: str) -> None:
    """A gateway's last sign of life: its devices, down since noon or up."""
    devices = {one: DeviceState(link, since_ms=NOON_MS) for one, link in links.items()}
    state = encode_message(State(online=True, time_ms=NOON_MS, devices=devices)).decode()
    own = update(tables.gateway).where(tables.gateway.c.id == name)
    connection.execute(own.values(state=state, last_seen_ms=NOON_MS))


async def test_a_gateway_that_reaches_no_device_is_told_of(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path, cut_off_s=3_600)
    world.do(enterprises)
    world.do(gateways, "gw-1", "gw-2", "gw-3")
    world.do(tell, "gw-1", mill="down", press="down")
    world.do(tell, "gw-2", mill="down", press="up")
    world.do(tell, "gw-3", mill="down")
    world.do(silence, "gw-3", NOON_MS - DAY_MS)
    await world.later(59)
    assert {(one.kind, one.subject.key) for one in world.alerts()} == {(Kind.GATEWAY, "gw-3")}
    await world.later(1)
    assert (Kind.CUT_OFF, "gw-1") in {(one.kind, one.subject.key) for one in world.alerts()}
    assert len(world.alerts()) == 2
    world.do(tell, "gw-1", mill="up", press="down")
    await world.later(1)
    await world.later(10)
    assert [one.subject.key for one in world.alerts()] == ["gw-3"]


async def test_a_functional_area_is_watched_and_its_fall_is_its_operators(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    area = {"functional_area": "QZ-ZZXC", "county": "330803"}
    world.do(add_enterprise, USCCS[0], ledger_verified_on=MONDAY, **area)
    world.do(freeze, "2025-08", "F", cell(52, 100), cell(30, 60))
    world.do(freeze, "2025-09", "F", cell(51, 100), cell(24, 60))
    await world.later(0)
    park = parse_scope("area QZ-ZZXC")
    seen = {(one.subject.level, one.subject.key) for one in world.alerts(park)}
    assert seen == {(Level.AREA, "QZ-ZZXC"), (Level.ENTERPRISE, USCCS[0])}
    (fall,) = [one for one in world.alerts(park) if one.subject.level is Level.AREA]
    assert (subject_name("zh", fall), address_of(fall)) == ("智造新城", "/wall/QZ-ZZXC")
    levels = [one.subject.level for one in world.alerts(parse_scope("area QZ-ZHXC"))]
    assert levels == []
    assert Level.AREA not in {
        one.subject.level for one in world.alerts(parse_scope("county 330803"))
    }
    operator = Principal("park", Role.PARK, park)
    world.do(watching.add, operator, Level.AREA, "QZ-ZZXC", NOON_MS)
    (own,) = world.do(watching.of, "park")
    assert all(watching.is_watched((own,), one) for one in world.alerts(park))  # what lies in it
    county = Principal("wang", Role.COUNTY, parse_scope("county 330803"))
    with pytest.raises(watching.WatchError):
        world.do(watching.add, county, Level.AREA, "QZ-ZZXC", NOON_MS)


async def test_open_findings_of_what_is_watched_are_told_to_who_inspects(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    machine = world.do(add_machine, USCCS[0], "A/1")
    other = world.do(add_machine, USCCS[0], "A/2")
    pair = Finding(FindingKind.SAME_TIMES, USCCS[0], ("1/A/1", "1/B"), {"days": 12, "all": 12})
    looked = Looked("2025-11", False, 2, NOON_MS, USCCS[0])
    world.do(keep, looked, [pair])
    await world.later(0)
    assert world.alerts() == []  # nobody watches it
    for level, key in (
        (Level.ENTERPRISE, USCCS[0]),
        (Level.ENTERPRISE, USCCS[1]),
        (Level.MACHINE, str(machine)),
        (Level.MACHINE, str(other)),
        (Level.COUNTY, "330822"),
    ):
        world.do(watching.add, OFFICER, level, key, NOON_MS)
    await world.later(60)
    found = {(one.subject.level, one.subject.key): one for one in world.alerts()}
    assert set(found) == {(Level.ENTERPRISE, USCCS[0]), (Level.MACHINE, str(machine))}
    one = found[Level.ENTERPRISE, USCCS[0]]
    assert (one.kind, one.detail, one.since_ms) == (Kind.FINDING, {"count": 1}, NOON_MS)
    assert "当时有 1 条线索待核实" in why("zh", one)
    assert "waited for an explanation: 1" in why("en", one)
    assert world.alerts(parse_scope(f"enterprise {USCCS[0]}")) == []
    assert len(world.alerts(parse_scope("county 330822"))) == 2
    (row,) = world.do(findings, Wanted(EVERYTHING, synthetic=False), 9)
    said = Saying(row.id, basis_of(row), True, "一个总开关", "7 号")
    assert world.do(explain, OFFICER, False, said, NOON_MS)
    await world.later(60)
    assert world.alerts() == []
    assert len(world.alerts(ended=True)) == 2


def test_scopes_that_see_alerts_of_findings_are_those_of_roles_that_inspect() -> None:
    for role, scopes in SCOPES.items():
        assert (Permission.FINDINGS in PERMISSIONS[role]) == (scopes <= standing.INSPECTING), role
