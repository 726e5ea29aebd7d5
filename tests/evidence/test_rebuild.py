"""Evidence is recounted from what the store holds: what a database forgets is not lost."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from gateway.city.app import City
from gateway.city.db.operation import begin
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import evidence, machine_alias
from gateway.city.evidence.rebuild import RebuildError, days_to_recount, published_months
from gateway.city.evidence.recount import Counted, Origins, recounted
from gateway.city.evidence.samples import Sample
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.stores.api import Series, SeriesHours
from gateway.core.batch import Batch
from gateway.core.days import HOUR_MS, day_of, day_start_ms
from gateway.core.schema import Schema
from gateway.core.status import GOOD, Reason, uncertain
from gateway.relational.database import Database
from gateway.wire.records import GivenUp, MachineRecord
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    assembled,
    city_config,
    city_file,
    city_on,
    running,
    schema_of,
    sender,
    system_ms,
)
from tests.support.influxd import Influxd

REPLAYED = uncertain(Reason.LAST_USABLE)
DAY = date(2026, 5, 4)
MIDNIGHT = day_start_ms(DAY)


def hours_of(device: str = "line-1", hour: int = 3, **counts: int) -> SeriesHours:
    series = Series("grinder", USCC, "1", "gw-1", device, "B-1")
    at = MIDNIGHT + hour * HOUR_MS
    none = {"good": 0, "uncertain": 0, "replayed": 0, "doubted": 0}
    return SeriesHours(series, at, **(none | counts), first_ms=at + 1, last_ms=at + 9)


def only(found: Sequence[Sample]) -> Sample:
    (sample,) = found
    return sample


ORIGINS = Origins("gw-1", [(0, schema_of("speed"))])


def test_each_quality_has_its_hours() -> None:
    hours = [
        hours_of(hour=0, good=1, replayed=2),
        hours_of(hour=7, uncertain=3),
        hours_of(hour=23, doubted=4, good=5),
    ]
    found = only(recounted(hours, (), ORIGINS, MIDNIGHT + 40 * HOUR_MS).stored)
    assert (found.day, found.count) == (DAY, 15)
    assert (found.good_hours, found.replayed_hours) == (1 | 1 << 23, 1)
    assert (found.uncertain_hours, found.doubted_hours) == (1 << 7, 1 << 23)
    assert (found.first_ms, found.last_ms) == (hours[0].first_ms, hours[2].last_ms)
    today = only(recounted(hours, (), ORIGINS, MIDNIGHT + 23 * HOUR_MS).stored)
    assert (today.good_hours, today.doubted_hours) == (1 | 1 << 23, 0)


def test_a_device_is_what_its_schemas_said_then() -> None:
    """Replaced by a controller at noon; before the first schema it was what that says."""
    noon = MIDNIGHT + 12 * HOUR_MS
    schemas = [
        (noon, schema_of("speed", "power")),
        (MIDNIGHT, schema_of("speed", source="sensor")),
        (0, schema_of("speed", device="line-2", synthetic=True)),
    ]
    origins = Origins("gw-1", schemas)
    hours = [hours_of(hour=hour, good=1) for hour in (-5, 3, 13)]
    found = recounted([*hours, hours_of("line-3", good=1)], (), origins, noon)
    assert [(one.source, one.good_hours) for one in found.stored] == [
        ("sensor", 1 << 19), ("sensor", 1 << 3), ("controller", 1 << 13),
    ]  # fmt: skip
    assert found.unknown == {"line-3"}
    assert only(recounted([hours_of("line-2", good=1)], (), origins, noon).stored).synthetic


def test_what_an_edge_held_back_counts() -> None:
    at = MIDNIGHT + 5 * HOUR_MS
    counts = [
        Counted(7, "line-1", DAY, at, at + 2 * HOUR_MS),
        Counted(8, "line-1", DAY, None, None),
        Counted(9, "line-9", DAY, at, at),
    ]
    ((machine, sample),) = recounted((), counts, ORIGINS, MIDNIGHT + 24 * HOUR_MS).counted
    assert (machine, sample.good_hours, sample.source) == (7, 1 << 5 | 1 << 7, "controller")


def batch(schema: Schema, time_ms: int, *status: int) -> Batch:
    ones = np.ones(len(schema.tags))
    codes = np.array(status, np.uint8) if status else None
    return Batch(schema, time_ms, ones.astype(np.bool_), (ones,), codes)


def proofs(city: City) -> set[tuple[Any, ...]]:
    """Evidence by the numbers of machines: their ids may differ."""
    columns = [one for one in evidence.c if one.name != "machine_id"]
    query = select(machine_alias.c.asset_no, *columns).join(
        evidence, evidence.c.machine_id == machine_alias.c.machine_id
    )
    return {tuple(row) for row in city.database.run_now(lambda c: c.execute(query).all())}


def verdicts(city: City, day: date) -> list[tuple[str, str, int]]:
    found = city.database.run_now(
        machine_facts, "ENR-B", f"{day:%Y-%m}", city.now_ms(), demonstration=False
    )
    return [(one.asset_no, one.reason.name, one.valid_days) for one in found]


async def rebuilt(file: Path, first: date, last: date, *more: str) -> str:
    """What the command says, while the city runs."""
    command = [sys.executable, "-m", "gateway", "evidence", "rebuild", "-c", str(file)]
    days = ["--from", str(first), "--to", str(last)]
    done = await asyncio.to_thread(
        subprocess.run, [*command, *days, *more], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@pytest.mark.parametrize("kind", ["embedded", "influxdb1"])
async def test_a_restored_database_loses_no_evidence(
    request: pytest.FixtureRequest, mosquitto: Mosquitto, tmp_path: Path, kind: str
) -> None:
    """A copy is taken, the city goes on, the copy is put back: the edges have freed the rest."""
    store: dict[str, Any] = {"type": "embedded"}
    if kind == "influxdb1":
        influxd: Influxd = request.getfixturevalue("influxd")
        store = {"type": "influxdb1", "url": influxd.url, "database": "qulink"}
    now = system_ms()
    yesterday = day_of(now) - timedelta(days=1)
    hours = [day_start_ms(yesterday) + hour * HOUR_MS for hour in range(24)]
    one = schema_of("speed", assets=("B-001", "B-404"))
    other = schema_of("power", assets=("B-009",), device="line-2", source="sensor")
    told = MachineRecord("line-2", "1", "B-009", day_of(now), 30, 60, now - 9, now - 8)
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", store=store),
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, one, batch(one, hours[1]), batch(one, hours[2]))
        await gateway.acked(1)
    shutil.copy(tmp_path / "city.db", tmp_path / "copy.db")
    last = (other, batch(other, hours[7] + 5), told)
    config = city_config(mosquitto.url, tmp_path, store=store)
    async with assembled(config) as city, running(city):
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(2, batch(one, hours[3], GOOD, REPLAYED), batch(one, hours[5]))
            await gateway.send(3, other, batch(other, hours[7]), batch(other, hours[8]), told)
            await gateway.send(4, *last)
            await gateway.acked(4)
        await city.ingest.evidence.flush()
        undisturbed = proofs(city), verdicts(city, yesterday)
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"city.db{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", tmp_path / "city.db")
    file = city_file(tmp_path, mosquitto.url, store=store)
    async with assembled(config) as city, running(city):
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(4, *last)  # its acknowledgement did not come
            await gateway.acked_range(4)
            await gateway.send(5, GivenUp(5, 5), one)  # what is below is acknowledged, and freed
            await gateway.acked(5)
        await city.ingest.evidence.flush()
        before = proofs(city)
        assert before != undisturbed[0]
        would = await rebuilt(file, yesterday, day_of(now), "--dry-run")
        assert proofs(city) == before
        says = await rebuilt(file, yesterday, day_of(now))
        line = f"{yesterday}: 3 machines, hours added: 4 good, 0 uncertain, 1 replayed"
        assert line in would and line in says
        assert "dry run, nothing was changed: 2 days recounted, 1 would gain evidence" in would
        assert (proofs(city), verdicts(city, yesterday)) == undisturbed
        assert "2 days recounted, 0 gained evidence" in await rebuilt(file, yesterday, day_of(now))


def test_days_that_cannot_be_recounted(database: Database) -> None:
    def asked(first: date, last: date) -> list[date]:
        return database.run_now(days_to_recount, first, last, MIDNIGHT)

    with pytest.raises(RebuildError, match="the city has not begun"):
        asked(DAY, DAY)
    database.run_now(begin, DAY - timedelta(days=2))
    with pytest.raises(RebuildError, match=r"2026-05-01 is before .*; begin with 2026-05-02"):
        asked(date(2026, 5, 1), DAY)
    for first, last in ((DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=1))):
        with pytest.raises(RebuildError, match=r"no days .* today is 2026-05-04"):
            asked(first, last)
    assert asked(DAY - timedelta(days=2), DAY) == [date(2026, 5, day) for day in (2, 3, 4)]


def test_months_that_are_published_are_named(database: Database) -> None:
    row = {
        "definition": "ENR-A", "definition_hash": "", "month": "2026-04", "dimension": "city",
        "cell": "", "vintage": 1, "status": "F", "numerator": 0, "denominator": 0,
        "enterprise_count": 0, "synthetic": False, "computed_ms": 0,
    }  # fmt: skip
    database.run_now(lambda c: c.execute(insert(rate_result), [row]))
    days = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2), DAY]
    assert database.run_now(published_months, days) == ["2026-04"]
    assert database.run_now(published_months, []) == []
