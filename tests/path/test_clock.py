"""An edge whose clock nobody confirms, through an outage of days, to the evidence of a city."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from edge_config.loading.resolved import LoadedGateway
from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.city.db.tables import evidence
from gateway.core.days import DAY_MS, day_of
from gateway.edge.app import Edge, compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.storage.consumers import consumers_of
from tests.edge.plant import Clock, Plant, loaded
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    assembled,
    city_config,
    fill_ledger,
    rows_of,
    running,
    system_ms,
)
from tests.support.waiting import until

DAYS_AWAY = 3


class Patient(Clock):
    """Days can pass at once; nobody keeps it right."""

    def __init__(self) -> None:
        super().__init__(system_ms() - DAYS_AWAY * DAY_MS)
        self.synchronised = False


def of_the_city(plan: LoadedGateway, url: str) -> LoadedGateway:
    """The same in an enterprise of the city's ledger."""
    settings = {"url": url, "state_interval_ms": 500, "retry_max_ms": 1_000}
    north = (validated(QulinkNorthbound, settings),)
    owner = replace(plan.config.gateway, enterprise_uscc=USCC)
    return LoadedGateway(replace(plan.config, gateway=owner, northbound=north), plan.devices)


@contextlib.asynccontextmanager
async def at_work(edge: Edge) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        edge.devices.start_all(tasks)
        tasks.create_task(edge.recorder.run())
        (north,) = edge.northbounds
        sending = tasks.create_task(north.run())
        try:
            yield
        finally:
            await edge.devices.halt()
            edge.recorder.stop()
            sending.cancel()


async def test_days_of_an_outage_count_though_nobody_had_confirmed_them(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    plan = of_the_city(loaded(tmp_path), mosquitto.url)
    plant, clock = Plant(), Patient()
    buffer = Buffer.open(tmp_path / "b.db", consumers_of(plan.config))
    edge = compose(plan, {"plant": plant.spec()}, buffer, clock)
    today = day_of(system_ms())
    days = [today - timedelta(days=ago) for ago in range(DAYS_AWAY, -1, -1)]
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        fill_ledger(city, "gw", machines=("M1",))
        async with at_work(edge):
            for _ in range(DAYS_AWAY):
                await values_were_kept(buffer)
                clock.passed_ms += DAY_MS
            await values_were_kept(buffer)
            assert edge.live.clock().in_doubt
            async with running(city):
                await until(lambda: not edge.live.clock().in_doubt)
                await until(lambda: {row["day"] for row in rows_of(city, evidence)} >= set(days))
                await until(lambda: all(row["good_hours"] for row in rows_of(city, evidence)))
                state = city.live.gateways()["gw"].state
                assert state is not None
                assert state.steady_since_ms <= system_ms() - DAYS_AWAY * DAY_MS + 60_000
    buffer.close()


async def values_were_kept(buffer: Buffer) -> None:
    before = buffer.city.pending().values
    await until(lambda: buffer.city.pending().values > before)
