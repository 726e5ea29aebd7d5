"""A clock that is wrong is named: a gateway's, and the city's own."""

import logging
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.city.access.principal import EVERYTHING
from gateway.city.app import health
from gateway.city.console.queries.findings import findings
from gateway.city.console.queries.recordtables import finding_table
from gateway.city.db.schema.clock import doubted_evidence
from gateway.city.evidence import flushing
from gateway.city.presence.clocks import Clocks
from gateway.core.days import DAY_MS, HOUR_MS, MAX_AHEAD_MS, day_of, day_start_ms
from gateway.wire.messages import State
from tests.support.broker import Mosquitto
from tests.support.city import (
    Clock,
    batch_of,
    city_on,
    proofs_of,
    schema_of,
    sender,
    system_ms,
)
from tests.support.waiting import until

MIDNIGHT = day_start_ms(date(2026, 10, 9))


def test_who_is_ahead_is_named_once_and_most_speak_of_the_city_s_clock(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clocks, heard = Clocks(), ["gw-1", "gw-2", "gw-3"]

    def say(gateway: str, lead_ms: int) -> None:
        clocks.heard(gateway, State(True, time_ms=MIDNIGHT + lead_ms), MIDNIGHT)

    with caplog.at_level(logging.INFO):
        for lead_ms in (0, MAX_AHEAD_MS, MAX_AHEAD_MS + 1, 120_000, 120_000):
            say("gw-1", lead_ms)
        assert clocks.problem(heard) == ""  # one of three may be wrong itself
        assert clocks.problem(["gw-1"]) == ""
        say("gw-2", 3_600_000)
        assert "2 of 3 gateways say that this city's clock is 3600 s slow" in clocks.problem(heard)
        say("gw-2", -3_600_000)  # what it said may have waited somewhere
        say("gw-1", 0)
    said = [record.getMessage() for record in caplog.records]
    assert [one.partition(":")[0] for one in said] == [
        "the clock of gateway gw-1 is 60 s ahead of this city's",
        "the clock of gateway gw-2 is 3600 s ahead of this city's",
        "the clock of gateway gw-2 is right again",
        "the clock of gateway gw-1 is right again",
    ]
    assert clocks.problem(heard) == ""


async def test_what_is_ahead_of_a_slow_city_counts_once_its_clock_is_right(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Nothing was recorded, and nothing said, where the city's own clock was an hour slow."""
    clock, schema = Clock(), schema_of("speed")
    clock.ahead_ms = -HOUR_MS
    async with city_on(mosquitto.url, tmp_path, "gw-1", "gw-2", clock=clock) as city:
        async with (
            sender(mosquitto.port, "gw-1") as gateway,
            sender(mosquitto.port, "gw-2") as other,
        ):
            begun = system_ms()
            for one in (gateway, other):
                await one.state(time_ms=begun, steady_since_ms=begun - DAY_MS)
            await until(lambda: "slow" in health(city)["clock"])
            await gateway.send(1, schema, batch_of(schema, begun, 1.0))
            await gateway.send(2, schema, batch_of(schema, begun + 2 * DAY_MS, 1.0))
            await gateway.acked(2)
            await city.ingest.evidence.flush()
            assert await proofs_of(city) == []
            (shown,) = city.database.run_now(lambda c: findings(c, EVERYTHING, clock(), 9).doubted)
            assert (shown.gateway, shown.machines, bool(shown.is_ahead)) == ("gw-1", 1, True)
            clock.ahead_ms = 0
            await gateway.state(time_ms=system_ms(), steady_since_ms=begun - DAY_MS)
            await until(lambda: health(city)["clock"] == "ok")

            async def counted() -> bool:
                return len(await proofs_of(city)) == 1

            await until(counted)
        (proof,) = await proofs_of(city)
        assert proof["first_ms"] == begun
        assert city.database.run_now(lambda c: findings(c, EVERYTHING, clock(), 9).doubted) == []


async def test_a_gateway_that_is_fast_is_named_on_the_pages(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: doubts do not wait for the next regular flush of evidence."""
    monkeypatch.setattr(flushing, "FLUSH_S", 3_600)
    schema = schema_of("speed")
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, batch_of(schema, system_ms() + 120_000, 1.0))
            await gateway.acked(1)
        await until(
            lambda: (
                city.database.run_now(lambda c: findings(c, EVERYTHING, system_ms(), 9).doubted)
                != []
            )
        )
        assert await proofs_of(city) == []
        found = city.database.run_now(lambda c: findings(c, EVERYTHING, system_ms(), 9))
        assert [row.gateway for row in found.doubted] == ["gw-1"]
        rows = finding_table(found, (), (), (), system_ms()).rows
        assert [row["gateway"] for row in rows if row["finding"] == "clock.ahead"] == ["gw-1"]
        (kept,) = city.database.run_now(lambda c: c.execute(select(doubted_evidence)).all())
        assert (kept.machine_id, kept.day, kept.gateway) == (1, day_of(system_ms()), "gw-1")
