"""The registry in memory follows the one in the database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.city.app import City
from gateway.city.db.tables import gateway, quarantine
from gateway.city.ingest.commit import EpochUpdate, Quarantined, commit
from gateway.city.ingest.progress import Progress
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import PARTITIONS, partition_of, state_topic
from tests.support.city import USCC, assembled, city_config, fill_ledger, rows_of, schema_of

EPOCH = "a" * 16
SCHEMA = schema_of("speed")


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    """Two gateways, of which one has sent a frame with a schema."""
    async with assembled(city_config("mqtt://127.0.0.1:1", tmp_path)) as made:
        fill_ledger(made, "gw-1", "gw-2")
        told = EpochUpdate(Progress(1), Progress(), Progress(1), schemas=[SCHEMA], changed=True)
        made.database.run_now(commit, {("gw-1", EPOCH): told}, Quarantined(), 0)
        yield made


async def test_those_who_ask_at_once_read_once(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start all frames that come ask, and there may be thousands of gateways to read."""
    reads, run = [], city.database.run

    async def counted(function: Any, *args: Any) -> Any:
        reads.append(function)
        return await run(function, *args)

    monkeypatch.setattr(city.database, "run", counted)
    await asyncio.gather(*(city.gateways.refresh(1_000_000, 500) for _ in range(3)))
    assert len(reads) == 1
    one = city.gateways.get("gw-1")
    assert one is not None
    assert (one.progress[EPOCH].upto, one.schemas) == (1, {SCHEMA.id: SCHEMA})


async def test_a_gateway_that_is_read_again_is_known_all_the_time(city: City) -> None:
    """Presence would else take its signs of life for those of a stranger."""
    await city.gateways.refresh(1_000_000)
    ahead = {("gw-1", EPOCH): EpochUpdate(Progress(3), Progress(1), Progress(3), changed=True)}
    city.database.run_now(commit, ahead, Quarantined(), 0)
    reading = asyncio.create_task(city.gateways.reload({"gw-1", "gw-2"}))
    while not reading.done():
        assert city.gateways.get("gw-1") and city.gateways.get("gw-2")
        await asyncio.sleep(0)
    one = city.gateways.get("gw-1")
    assert one is not None
    assert one.progress[EPOCH].upto == 3


async def test_only_gateways_of_held_partitions_are_read(city: City) -> None:
    mine = partition_of("gw-1")
    assert partition_of("gw-2") != mine
    await city.gateways.hold({mine})
    await city.gateways.hold({mine, (mine + 1) % PARTITIONS})
    assert city.gateways.get("gw-1") is not None
    assert city.gateways.get("gw-2") is None
    rows = {row["id"]: row["partition"] for row in rows_of(city, gateway)}
    assert rows == {name: partition_of(name) for name in ("gw-1", "gw-2")}


async def test_a_revoked_gateway_takes_only_its_own_machines_away(city: City) -> None:
    await city.gateways.refresh(1_000_000)
    city.live.learn("gw-2", SCHEMA)
    for gone, left in (("gw-1", "gw-2"), ("gw-2", None)):
        city.database.run_now(enrolment.revoke, gone, 0)
        await city.gateways.reload({gone})
        assert city.gateways.get(gone) is None
        assert city.live.gateway(gone) is None
        named_by = {one.gateway for one in city.live.unheard(MachineName(USCC, "1", "B-001"))}
        assert named_by == ({left} if left else set())


async def test_what_a_gateway_says_after_a_hand_over_is_another_workers(city: City) -> None:
    """It was on its way when its partition was given up; refused it would look like a stranger."""
    await city.uplink.follow([partition_of("gw-2")])
    await city.presence.tick()
    for name in ("gw-1", "gw-2"):
        state = State(time_ms=city.now_ms(), software="test", online=True)
        said = Incoming(state_topic(name), encode_message(state), city.now_ms())
        city.uplink.states.put(said)
    await city.presence.tick()
    assert {name for name, view in city.live.gateways().items() if view.online} == {"gw-2"}
    assert rows_of(city, quarantine) == []
