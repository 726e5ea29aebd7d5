"""A running city for tests, and a gateway that publishes what the test says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import aiomqtt
import numpy as np
import yaml
from sqlalchemy import Table, insert, select

from edge_config.models.city import CityConfig
from edge_config.models.validation import validated
from gateway.city.app import City, assembled, system_ms
from gateway.city.console.live.present import MachineNow, Present
from gateway.city.db.operation import begin
from gateway.city.db.tables import enterprise, equipment_rows, evidence
from gateway.city.ledger.machines import find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.live.server import LiveServer
from gateway.city.registry import enrolment
from gateway.core.batch import Batch
from gateway.core.days import day_of
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import Ack, State, decode_ack, encode_message
from gateway.wire.records import Record
from gateway.wire.topics import PARTITIONS, ack_topic, frame_topic, state_topic
from tests.support.city_db import begin_migrated
from tests.support.waiting import until

USCC = "91330800MA0000001K"
OTHER_USCC = "91330800MA0000002N"
EPOCH = 0xA1B2C3D4E5F60718
EPOCH_HEX = f"{EPOCH:016x}"


def city_config(url: str, folder: Path, **more: Any) -> CityConfig:
    """A configuration with everything in ``folder``, which gets the database of an empty city."""
    begin_migrated(folder)
    sections = _sections(url, folder)
    broker = sections["broker"] | more.pop("broker", {})
    return validated(CityConfig, sections | {"broker": broker, "silence_ms": 60_000} | more)


def city_file(folder: Path, url: str, **more: Any) -> Path:
    """``city.yaml`` in a folder, as :func:`city_config` has it; ports of its own choice."""
    begin_migrated(folder)
    anywhere = {"listen": "127.0.0.1:0"}
    own = {"console": anywhere, "node": {"type": "embedded", **anywhere}}
    file = folder / "city.yaml"
    file.write_text(yaml.safe_dump(_sections(url, folder) | own | more), encoding="utf-8")
    return file


def _sections(url: str, folder: Path) -> dict[str, Any]:
    return {
        "city": {"region": "330800", "name_zh": "衢州", "name_en": "Quzhou"},
        "data_dir": str(folder),
        "broker": {"url": f"mqtt://{url.removeprefix('mqtt://')}", "retry_max_ms": 1_000},
        "identifier": {"prefix": "88.999"},
    }


def fill_ledger(city: City, *gateways: str, machines: Sequence[str] = ("B-001",)) -> None:
    """Two enterprises, machines of the first, gateways enrolled for it; the city is old."""

    def fill(connection: Any) -> None:
        begin(connection, date(2020, 1, 1))
        for code, name in ((USCC, "甲轴承厂"), (OTHER_USCC, "乙门业")):
            row = {"uscc": code, "name": name, "county": "330822", "industry": "3451"}
            connection.execute(insert(enterprise).values(**row, above_scale=True))
        for asset in machines:
            row = {"uscc": USCC, "site_no": "1", "asset_no": asset, "name": asset}
            flags = {"equipment_class": "production", "key_equipment": True, "digital": True}
            name = MachineName(USCC, "1", asset)
            made = find_or_name(connection, [name], day_of(city.now_ms()), city.now_ms())[name]
            connection.execute(insert(equipment_rows).values(id=made, **row, **flags))
        for name in gateways:
            enrolment.add(connection, name, USCC, "1", city.now_ms())

    city.database.run_now(fill)


async def machine_now(city: City, machine: MachineName) -> MachineNow | None:
    """A machine as a page shows it: asked of the city over its socket, or of database and store."""
    server = LiveServer(city.config.data_dir, city.live, city.metrics.registry, dict)
    silence_ms = city.config.silence_ms
    present = Present(city.config.data_dir, city.database, city.store, silence_ms, city.now_ms)
    async with server.listening():
        try:
            await present.refresh()
            return await present.machine(machine)
        finally:
            await present.close()


@asynccontextmanager
async def running(city: City) -> AsyncIterator[City]:
    """Run uplink, ingest and presence; the console is tested elsewhere."""
    parts = (city.uplink.run(), city.ingest.run(), city.presence.run())
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await until(lambda: city.uplink.connected_since_ms is not None)
        yield city
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        assert isinstance(error, asyncio.CancelledError), error


@asynccontextmanager
async def working(config: CityConfig) -> AsyncIterator[City]:
    """One of several workers of a city, which share its partitions; in this process."""
    async with assembled(config) as city:
        assert city.sharing is not None
        # sharing first, as in the composition: it says what is heard
        parts = (city.sharing.run, city.uplink.run, city.ingest.run, city.presence.run)
        tasks = [asyncio.create_task(part()) for part in parts]
        try:
            yield city
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        assert isinstance(error, asyncio.CancelledError), error


def are_shared(workers: Sequence[City]) -> bool:
    """Whether every partition is heard by one worker, and each has its share."""
    shares = [one.uplink._partitions for one in workers]
    sizes = [len(share) for share in shares]
    every = frozenset[int]().union(*shares)
    fair = -(-PARTITIONS // len(shares))
    return len(every) == sum(sizes) == PARTITIONS and max(sizes) <= fair


class Clock:
    """The system clock, and what a test adds to it: nobody has to wait for a silence."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return system_ms() + self.ahead_ms


@asynccontextmanager
async def city_on(
    url: str, folder: Path, *gateways: str, clock: Clock | None = None, **more: Any
) -> AsyncIterator[City]:
    """A city with a ledger and gateways that runs."""
    async with assembled(city_config(url, folder, **more), clock or system_ms) as city:
        fill_ledger(city, *gateways)
        async with running(city):
            await until(lambda: city.live.gateways().keys() >= set(gateways))
            yield city


def rows_of(city: City, table: Table) -> list[dict[str, Any]]:
    """All rows of a table."""
    return [
        dict(r._mapping) for r in city.database.run_now(lambda c: c.execute(select(table)).all())
    ]


async def proofs_of(city: City) -> list[dict[str, Any]]:
    """Evidence, once all that is stored is in it; the city runs, or at least its store is open."""
    await city.gateways.refresh(city.now_ms(), 0)
    work = asyncio.create_task(city.ingest.evidence.run())
    try:
        await until(lambda: not city.gateways.uncounted.owed)
        await city.ingest.evidence.flush()
    finally:
        work.cancel()
        await asyncio.wait([work])
    return rows_of(city, evidence)


def schema_of(
    *names: str,
    uscc: str = USCC,
    assets: Sequence[str] = ("B-001",),
    device: str = "line-1",
    **more: Any,
) -> Schema:
    """A schema of float tags, each machine with all of them."""
    tags = tuple(
        Tag(name, Kind.FLOAT64, equipment=at) for at in range(len(assets)) for name in names
    )
    machines = tuple(Equipment(uscc, "1", asset) for asset in assets)
    given = {"group": "fast", "profile": "grinder", "source": "controller", "synthetic": False}
    return Schema(device=device, equipment=machines, tags=tags, interval_ms=1000, **(given | more))


def batch_of(schema: Schema, time_ms: int, *values: float) -> Batch:
    """A batch with all values present."""
    present = np.ones(len(schema.tags), np.bool_)
    return Batch(schema, time_ms, present, (np.array(values, np.float64),))


class Sender:
    """A gateway at the broker."""

    def __init__(self, client: aiomqtt.Client, name: str) -> None:
        self.client, self.name = client, name
        self.acks: list[Ack] = []

    async def state(self, *, online: bool = True, **more: Any) -> None:
        state = State(online=online, epoch=EPOCH_HEX, **more)
        await self.client.publish(state_topic(self.name), encode_message(state), qos=1)

    async def send(self, seq: int, *records: Record, values: int | None = None) -> bytes:
        count = sum(r.count for r in records if isinstance(r, Batch)) if values is None else values
        frame = seal(BodyEncoder().encode(records), Header(EPOCH, seq, count))
        await self.raw(frame)
        return frame

    async def raw(self, payload: bytes, topic: str | None = None) -> None:
        await self.client.publish(topic or frame_topic(self.name), payload, qos=1)

    async def acked(self, upto: int) -> Ack:
        await until(lambda: any(ack.upto >= upto for ack in self.acks))
        return self.acks[-1]

    async def acked_range(self, seq: int) -> None:
        """Wait until a frame above ``upto`` is acknowledged."""
        await until(
            lambda: any(low <= seq <= high for ack in self.acks for low, high in ack.ranges)
        )


@asynccontextmanager
async def sender(port: int, name: str, **login: Any) -> AsyncIterator[Sender]:
    """Connect a gateway that collects its acknowledgements."""
    client = aiomqtt.Client("127.0.0.1", port, identifier=name, **login)
    async with sending(client, name) as made:
        yield made


@asynccontextmanager
async def sending(client: aiomqtt.Client, name: str) -> AsyncIterator[Sender]:
    """A gateway that collects its acknowledgements by a client that is not connected yet."""
    async with client:
        await client.subscribe(ack_topic(name), qos=1)
        made = Sender(client, name)

        async def listen() -> None:
            async for message in client.messages:
                made.acks.append(decode_ack(bytes(message.payload)))

        task = asyncio.create_task(listen())
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
