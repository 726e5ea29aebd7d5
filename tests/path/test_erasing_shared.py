"""An enterprise is erased while workers share its gateways and hand partitions over."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.city import CityConfig
from gateway.city.app import City, system_ms
from gateway.city.db.housekeeping import tidy
from gateway.city.db.schema.access import erasure
from gateway.city.db.tables import quarantine, watermark
from gateway.city.erasing import rows
from gateway.city.erasing.certificate import check
from gateway.city.erasing.erasing import Erasing, Order
from gateway.city.registry import enrolment
from gateway.city.stores.choose import make_store
from gateway.relational.database import connect
from tests.support.broker import Mosquitto
from tests.support.city import (
    OTHER_USCC,
    USCC,
    Sender,
    are_shared,
    assembled,
    batch_of,
    city_config,
    fill_ledger,
    rows_of,
    schema_of,
    sender,
    working,
)
from tests.support.city_db import postgres_copy
from tests.support.influxd import Influxd
from tests.support.postgres import Postgres
from tests.support.waiting import until

GONE = tuple(f"gw-{number}" for number in range(1, 7))
STAYS = ("other-1", "other-2")
HAND_OVER_S = 60.0
SETTLE_S = 3.0
T0 = system_ms() - 3_600_000
ORDER = Order(USCC, "合同终止", "9 号", "张三")


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Influxd]:
    with Influxd(tmp_path) as server:
        yield server


@pytest.fixture
def config(
    mosquitto: Mosquitto, postgres: Postgres, influxd: Influxd, tmp_path: Path
) -> CityConfig:
    store = {"type": "influxdb1", "url": influxd.url, "database": "qulink"}
    url = postgres_copy(postgres.url, "erasing_shared")
    return city_config(mosquitto.url, tmp_path, database={"url": url}, store=store)


class Talk:
    """Gateways of two enterprises that go on sending, whatever they are answered."""

    def __init__(self, senders: Sequence[Sender]) -> None:
        self.senders, self.number = senders, 0

    async def say(self) -> None:
        """A value of each."""
        self.number += 1
        for who in self.senders:
            await self._send(who, self.number)

    async def _send(self, who: Sender, number: int) -> None:
        uscc = USCC if who.name in GONE else OTHER_USCC
        schema = schema_of("speed", uscc=uscc, device=f"line-{who.name}")
        batch = batch_of(schema, T0 + number * 1_000, float(number))
        await who.send(number, *([schema] if number == 1 else []), batch)

    async def go_on(self) -> None:
        while True:
            await self.say()
            await asyncio.sleep(0.1)

    async def heard(self, names: Sequence[str], upto: int) -> None:
        """Send again, as edges do, what came while a partition had no worker."""
        for who in self.senders:
            while who.name in names and not any(ack.upto >= upto for ack in who.acks):
                for number in range(1, upto + 1):
                    await self._send(who, number)
                await asyncio.sleep(0.5)


@asynccontextmanager
async def talking(broker: Mosquitto) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as stack:
        names = (*GONE, *STAYS)
        senders = [await stack.enter_async_context(sender(broker.port, one)) for one in names]
        for who in senders:
            await who.state()
        yield Talk(senders)


async def erase(config: CityConfig) -> dict[str, Any]:
    """As the command does: with a store and a database of its own."""
    database = connect(config.database.url, config.data_dir)
    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        return await Erasing(config, database, store, system_ms, SETTLE_S).run(ORDER)
    finally:
        await store.close()
        database.close()


def refused(city: City) -> set[tuple[str, bytes]]:
    return {(one["gateway"], one["payload"]) for one in rows_of(city, quarantine)}


@pytest.mark.timeout(600)
async def test_partitions_that_change_hands_bring_nothing_back(
    mosquitto: Mosquitto, config: CityConfig
) -> None:
    """One worker ends with what it had in its hands, one takes over, another joins."""
    async with assembled(config) as city:
        fill_ledger(city, *GONE)
        for name in STAYS:
            city.database.run_now(enrolment.add, name, OTHER_USCC, "1", system_ms())
    async with AsyncExitStack() as stack, working(config) as stays, talking(mosquitto) as talk:
        leaves = await stack.enter_async_context(working(config))
        await until(lambda: are_shared([leaves, stays]), HAND_OVER_S)
        await talk.say()
        await talk.heard((*GONE, *STAYS), 1)
        going_on = asyncio.create_task(talk.go_on())
        await talk.heard(GONE, 5)
        erasing = asyncio.create_task(erase(config))
        await until(lambda: bool(rows_of(stays, erasure)))
        await stack.aclose()
        async with working(config) as joins:
            made = await erasing
            await until(lambda: are_shared([stays, joins]), HAND_OVER_S)
            last = talk.number
            await until(lambda: talk.number > last + 3)
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)
            await until(lambda: {name for name, _ in refused(stays)} == set(GONE))
            for worker in (stays, joins):
                await worker.ingest.evidence.flush()
    assert check(made) and made["values"]["grinder"]["before"] >= 5 * len(GONE)
    assert made["values"]["grinder"]["after"] == 0
    async with assembled(config) as city:
        await city.store.open()
        # what ended between store and database is cleared away by the hourly look
        await tidy(city.database, city.store, city.config.retention, system_ms())
        assert await city.store.held(USCC) == {}
        assert {k: n for k, n in city.database.run_now(rows.counts, USCC, []).items() if n} == {}
        assert refused(city) == {(name, b"") for name in GONE}
        assert {one["gateway"] for one in rows_of(city, watermark)} == set(STAYS)
        assert (await city.store.held(OTHER_USCC))["grinder"] >= 5 * len(STAYS)
