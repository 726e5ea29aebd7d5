"""Evidence and the store are compared both ways, on real stores; every difference has a cause."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update
from typer.testing import CliRunner

from gateway.city.db.operation import begin
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.tables import (
    evidence,
    gateway,
    machine_books,
    quarantine,
    tag_schema,
    watermark,
)
from gateway.city.evidence.auditing.audit import Audit, Compared, enterprises_with_evidence
from gateway.city.evidence.auditing.differences import (
    ADVICE,
    Cause,
    Circumstances,
    Claimed,
    Held,
    Side,
    differences,
)
from gateway.city.evidence.rebuild import Rebuild
from gateway.city.evidence.rows import MASKS
from gateway.city.stores.api import Rows, Series, Store
from gateway.city.stores.embedded import EmbeddedStore
from gateway.cli.main import build
from gateway.core.days import DAY_MS, HOUR_MS, day_start_ms
from gateway.core.schema import encode_schema
from gateway.core.status import Reason, uncertain
from gateway.relational.database import Database
from tests.stores.cases import influx1, influx2
from tests.support.city import USCC, city_file, schema_of
from tests.support.city_db import add_enterprise, add_machine, by_hand, months_anew, sqlite_city
from tests.support.influxd import Influxd

DAY = date(2026, 5, 4)
NOW = day_start_ms(DAY + timedelta(days=2)) + 12 * HOUR_MS
SCHEMA = schema_of("speed", assets=("B-1", "B-2"))
DOUBT = uncertain(Reason.CLOCK_DOUBT)
PLAIN = Circumstances({}, frozenset({"gw-1"}), frozenset(), frozenset(), False, False)


def test_each_cause_is_explained_in_words() -> None:
    assert set(ADVICE) == set(Cause)


HOURS = st.tuples(*(st.integers(0, (1 << 24) - 1) for _ in MASKS))
MASK = st.integers(0, (1 << 24) - 1)


@given(HOURS, HOURS, MASK, MASK, MASK, st.booleans())
def test_every_hour_that_differs_is_told_once(
    says: tuple[int, ...],
    has: tuple[int, ...],
    doubted: int,
    counted: int,
    over: int,
    seeded: bool,
) -> None:
    """However it is explained, nothing is left out and nothing is made up."""
    known = Circumstances({1: counted}, frozenset(), frozenset(), frozenset(), False, False, over)
    key = (1, "controller", False)
    claimed = {key: Claimed(says, "gw-1", seeded)}
    held = {key: Held(has, doubted, frozenset({"gw-1"}))}
    found = list(differences(DAY, claimed, held, known))
    for at, name in enumerate(MASKS):
        for side, more, less in ((Side.CLAIMS, says, has), (Side.HOLDS, has, says)):
            told = [one.hours.get(name, 0) for one in found if one.side is side]
            assert sum(told) == more[at] & ~less[at] & over
    if seeded:
        assert {one.cause for one in found if one.side is Side.CLAIMS} <= {Cause.SEEDED}


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, Cause.NOT_STORED),
        ({"storing": frozenset()}, Cause.NOTHING_STORED),
        ({"quarantined": frozenset({"gw-1"})}, Cause.QUARANTINE),
        ({"expired": True}, Cause.RETENTION),
        ({"counted": {1: 0b110}}, Cause.COUNTED),
    ],
)
def test_what_evidence_claims_alone_has_a_cause(changes: dict[str, Any], cause: Cause) -> None:
    names = ("counted", "storing", "pending", "quarantined", "expired", "published")
    known = Circumstances(**{name: getattr(PLAIN, name) for name in names} | changes)
    claimed = {(1, "controller", False): Claimed((0b110, 0, 0), "gw-1", seeded=False)}
    (one,) = differences(DAY, claimed, {}, known)
    assert (one.side, one.cause) == (Side.CLAIMS, cause)


@pytest.fixture
def city(tmp_path: Path) -> AsyncIterator[Database]:
    """Two machines behind one device of gw-1."""
    made = sqlite_city(tmp_path)

    def fill(connection: Any) -> None:
        begin(connection, date(2026, 1, 1))
        add_enterprise(connection, USCC)
        for number in ("B-1", "B-2"):
            add_machine(connection, USCC, number)
        row = {"id": "gw-1", "uscc": USCC, "site_no": "1", "partition": 0, "enrolled_ms": 0}
        connection.execute(insert(gateway).values(row))
        schema = {"gateway": "gw-1", "id": "a", "device": SCHEMA.device, "received_ms": 0}
        schema |= {"body": encode_schema(SCHEMA), "used_on": DAY}
        connection.execute(insert(tag_schema).values(schema))

    made.run_now(fill)
    yield made
    made.close()


@pytest.fixture(params=["embedded", "influxdb1", "contract2"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Empty, whatever tests before have written."""
    made: Store = EmbeddedStore(tmp_path / "telemetry.db")
    if request.param == "influxdb1":
        influxd: Influxd = request.getfixturevalue("influxd")
        made = influx1(influxd.url, influxd.database())
    if request.param == "contract2":  # what InfluxDB 2 promises
        monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        made = influx2(monkeypatch, request.getfixturevalue("contract").url)
    await made.open()
    yield made
    await made.close()


def values(asset: str, day: date, *hours: int, status: int = 0) -> Rows:
    series = Series("grinder", USCC, "1", "gw-1", SCHEMA.device, asset)
    times = np.array([day_start_ms(day) + one * HOUR_MS + 7 for one in hours], np.int64)
    shape = (len(hours), 1)
    codes = np.full(shape, status, np.uint8) if status else None
    return Rows(series, ("speed",), times, (np.ones(shape),), np.ones(shape, np.bool_), codes)


async def audited(city: Database, store: Store, *days: date) -> list[Compared]:
    work = Audit(city, store, NOW, kept_days=30)
    usccs = city.read_now(enterprises_with_evidence)
    return [one async for one in work.run(usccs, days, lambda: None)]


async def found(city: Database, store: Store) -> set[tuple[str, str, str, int]]:
    """Asset number, side, cause and hours of all differences of the day and the next one."""
    return {
        (name.asset_no, one.side.value, one.cause.value, sum(one.hours.values()))
        for compared in await audited(city, store, DAY, DAY + timedelta(days=1))
        for name, one in compared.found
    }


async def test_differences_are_found_both_ways(city: Database, store: Store) -> None:
    await store.write([values("B-1", DAY, 1, 2, 3), values("B-2", DAY, 5, status=DOUBT)])
    rebuild = Rebuild(city, store, NOW)
    assert [one async for one in rebuild.run(["gw-1"], [DAY], lambda: None)]
    assert await found(city, store) == set()
    (day, _) = await audited(city, store, DAY, DAY + timedelta(days=1))
    assert (day.machines, day.unnamed, day.unknown) == (2, frozenset(), frozenset())

    own, columns = evidence.c.machine_id, evidence.c
    at = {"source": "controller", "synthetic": False, "gateway": "gw-1", "seeded": False}
    hours = {"uncertain_hours": 0, "replayed_hours": 0, "first_ms": 0, "last_ms": 0}
    hours["late_days"] = 0
    forged = [  # on a day of which the store has nothing; and what came with a doubted clock
        {"machine_id": 1, "day": DAY + timedelta(days=1), "good_hours": 0b1000} | at | hours,
        {"machine_id": 2, "day": DAY, "good_hours": 1 << 5 | 1 << 8} | at | hours,
    ]
    city.run_now(by_hand, update(evidence).where(own == 1).values(good_hours=0b1011))
    city.run_now(by_hand, insert(evidence), forged)
    assert ("B-1", "month", "other_month", 0b1000) in await found(city, store)
    city.run_now(months_anew)
    differs = {
        ("B-1", "claims", "not_stored", 0b0001),
        ("B-1", "holds", "not_written", 0b0100),
        ("B-1", "claims", "nothing_stored", 0b1000),
        ("B-2", "claims", "doubted", 1 << 5),
        ("B-2", "claims", "not_stored", 1 << 8),
    }
    assert await found(city, store) == differs

    month = {"month": "2026-05", "synthetic": False, "number": 1, "taken_ms": 0, "root": ""}
    city.run_now(lambda c: c.execute(insert(evidence_taking).values(month)))
    book = {"gateway": "gw-1", "epoch": "a", "device": SCHEMA.device, "machine_id": 2, "day": DAY}
    book |= {"valid": 9, "expected": 9, "seq": 1}
    book |= {"first_ms": day_start_ms(DAY) + 7 * HOUR_MS, "last_ms": NOW - DAY_MS * 2}
    city.run_now(lambda c: c.execute(insert(machine_books).values(book)))
    refused = {"received_ms": day_start_ms(DAY + timedelta(days=1)), "topic": "", "reason": ""}
    refused |= {"gateway": "gw-1", "value_count": 1, "size_bytes": 1, "payload": b""}
    city.run_now(lambda c: c.execute(insert(quarantine).values(refused)))
    later = await found(city, store)
    assert ("B-1", "holds", "late", 0b0100) in later
    assert ("B-2", "claims", "counted", 1 << 8) in later
    assert ("B-1", "claims", "quarantine", 0b1000) in later

    span = {"uncounted_from_ms": day_start_ms(DAY), "uncounted_to_ms": day_start_ms(DAY)}
    mark = {"gateway": "gw-1", "epoch": "a", "upto": 0, "ranges": "[]", "updated_ms": 0}
    mark |= {"values_committed": 0, "values_quarantined": 0}
    city.run_now(lambda c: c.execute(insert(watermark).values(mark | span)))
    assert ("B-1", "holds", "pending", 0b0100) in await found(city, store)

    city.run_now(by_hand, delete(evidence).where(columns.day == DAY))
    assert ("B-1", "month", "other_month", 0) in await found(city, store)
    city.run_now(months_anew)
    rebuild = Rebuild(city, store, NOW)
    assert [one async for one in rebuild.run(["gw-1"], [DAY], lambda: None)]
    left = await found(city, store)
    assert {cause for _, _, cause, _ in left} == {"quarantine"}


async def test_what_still_comes_is_not_compared(city: Database, tmp_path: Path) -> None:
    """Values of the running hour are in the one and not yet in the other."""
    store, today = EmbeddedStore(tmp_path / "telemetry.db"), DAY + timedelta(days=2)
    await store.open()
    await store.write([values("B-1", today, 11, 12)])
    (day,) = await audited(city, store, today)
    await store.close()
    assert [(one.side, one.hours) for _, one in day.found] == [
        (Side.HOLDS, {"good_hours": 1 << 11})
    ]


async def test_machines_that_nobody_named_are_told(city: Database, tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "telemetry.db")
    await store.open()
    await store.write([values("B-9", DAY, 11)])
    (day,) = await audited(city, store, DAY)
    await store.close()
    assert [one.asset_no for one in day.unnamed] == ["B-9"]


async def test_the_command_streams_differences_and_fails_for_them(
    city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.cli.city.evidence.audit_command.system_ms", lambda: NOW)
    store = EmbeddedStore(tmp_path / "telemetry.db")
    await store.open()
    await store.write([values("B-1", DAY, 1, 2, 3, 9)])
    await store.close()
    file = city_file(tmp_path, "127.0.0.1:1")

    def said(*more: str) -> tuple[int, list[str]]:
        wanted = ["evidence", "audit", "-c", str(file), "--month", "2026-05", *more]
        done = CliRunner().invoke(build(["evidence"]), wanted)
        return done.exit_code, done.output.splitlines()

    import asyncio

    code, lines = await asyncio.to_thread(said)
    assert code == 1
    assert lines[0].startswith(
        f"2026-05-04  {USCC}/1/B-1  controller by gw-1: only the store has hours good 1-3, 9 – "
        "not_written: evidence lacks it"
    )
    assert lines[1:] == [
        "1 day of machines compared: not_written 1",
        "1 difference that nothing explains",
    ]
    code, lines = await asyncio.to_thread(said, "--json", "--enterprise", USCC)
    difference, total = map(json.loads, lines[:2])
    assert (difference["cause"], difference["hours"]) == (
        "not_written",
        {"good_hours": 0b1000001110},
    )
    assert (code, total["unexplained"]) == (1, 1)
    code, lines = await asyncio.to_thread(said, "--enterprise", "91")
    assert (code, lines) == (1, ["no machine or gateway of 91 is known; write its USCC in full"])
