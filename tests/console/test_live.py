"""What the console knows of the present: over real sockets, or from database and store."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from gateway.city.console.app import build
from gateway.city.console.live.gateways import Copy
from gateway.city.console.live.places import Places
from gateway.city.console.live.source import Source, SourceAwayError
from gateway.city.console.live.workers import Workers
from gateway.city.db import tables
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.city.live import messages, sockets
from gateway.city.live.change_log import ChangeLog
from gateway.city.live.server import LiveServer
from gateway.city.live.view import GatewayLive, Live
from gateway.city.registry.schemas import Use
from gateway.core.schema import encode_schema
from gateway.wire.messages import DeviceState, State, encode_message
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, Town, batch_of, schema_of, town, uscc_of


def live_of(*names: str, link: str = "up") -> Live:
    live = Live()
    for name in names:
        live.enrol(GatewayLive(name, uscc_of(0), "1"))
        live.state(name, State(True, devices={"line-1": DeviceState(link)}), NOW_MS)
    return live


def server_of(folder: Path, live: Live, registry: CollectorRegistry | None = None) -> LiveServer:
    return LiveServer(folder, live, registry or CollectorRegistry(), dict)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


async def source_of(stack: AsyncExitStack, folder: Path, live: Live) -> Source:
    path = await stack.enter_async_context(server_of(folder, live).listening())
    assert path is not None
    source = Source(path)
    stack.push_async_callback(source.close)
    return source


async def followed(source: Source, copy: Copy) -> Copy:
    more = True
    while more:
        changes = await source.changes(copy.run, copy.upto)
        copy.learn(changes)
        more = changes.more
    return copy


@given(st.lists(st.sampled_from("abcde")), st.integers(0, 40))
def test_a_log_tells_every_gateway_that_changed_once(changes: list[str], since: int) -> None:
    log = ChangeLog()
    for name in changes:
        log.note(name)
    told = log.since(since)
    assert [name for name, _ in told] == sorted(
        set(changes[since:]), key=lambda name: len(changes) - changes[::-1].index(name)
    )
    assert all(number > since for _, number in told)


async def test_a_copy_follows_whatever_happens(stack: AsyncExitStack, tmp_path: Path) -> None:
    live = live_of("gw-1", "gw-2", "gw-3")
    source = await source_of(stack, tmp_path, live)
    copy = await followed(source, Copy())
    assert {name: view.devices_up for name, view in copy.gateways.items()} == {
        "gw-1": 1, "gw-2": 1, "gw-3": 1,
    }  # fmt: skip
    live.heard("gw-1", NOW_MS + 5)
    live.silent("gw-2")
    live.forget("gw-3")
    changes = await source.changes(copy.run, copy.upto)
    assert [(now.id, now.devices) for now in changes.gateways] == [
        ("gw-1", None), ("gw-2", None), ("gw-3", None),
    ]  # fmt: skip
    copy.learn(changes)
    assert copy.gateways["gw-1"].last_seen_ms == NOW_MS + 5
    assert copy.gateways["gw-1"].devices_up == 1
    assert not copy.gateways["gw-2"].online
    assert "gw-3" not in copy.gateways
    live.forget("gw-1")
    assert "gw-1" not in (await followed(source, copy)).gateways, "another worker hears it now"
    live.enrol(GatewayLive("gw-1", uscc_of(0), "1"))
    live.state("gw-1", State(True, devices={"line-1": DeviceState("down")}), NOW_MS)
    assert (await followed(source, copy)).gateways["gw-1"].devices["line-1"].link == "down"


async def test_many_gateways_come_in_several_answers(stack: AsyncExitStack, tmp_path: Path) -> None:
    names = [f"gw-{number}" for number in range(2 * messages.GATEWAYS_AN_ANSWER + 1)]
    source = await source_of(stack, tmp_path, live_of(*names))
    first = await source.changes("", 0)
    assert (len(first.gateways), first.more) == (messages.GATEWAYS_AN_ANSWER, True)
    assert set((await followed(source, Copy())).gateways) == set(names)


async def test_a_copy_of_an_earlier_process_begins_anew(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    copy = await followed(await source_of(stack, tmp_path, live_of("gw-1", "gw-2")), Copy())
    await followed(await source_of(stack, tmp_path, live_of("gw-9")), copy)
    assert set(copy.gateways) == {"gw-9"}


async def test_nonsense_ends_its_connection_and_nothing_else(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    source = await source_of(stack, tmp_path, live_of("gw-1"))
    for question in (b"\xff" * 4, len(b"\xc1").to_bytes(4, "big") + b"\xc1"):
        reader, writer = await asyncio.open_unix_connection(str(source.path))
        writer.write(question)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
    assert set((await followed(source, Copy())).gateways) == {"gw-1"}


async def test_a_socket_is_for_its_user_only_and_however_deep_it_lies(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    folder = tmp_path / ("x" * 120)
    dead = sockets.folder_of(folder) / "1-dead.sock"
    (kept, _) = await asyncio.to_thread(sockets.listen, folder)
    sockets.found(folder)[0].rename(dead)
    kept.close()
    source = await source_of(stack, folder, live_of("gw-1"))
    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(source.path.parent.stat().st_mode) == 0o700
    assert sockets.found(folder) == [source.path], "what a killed process left is removed"
    assert await source.health() == {}


async def test_a_worker_that_goes_is_missed_until_another_hears_its_gateways(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    now = [1_000]
    workers = Workers(tmp_path, lambda: now[0])
    stack.push_async_callback(workers.close)
    assert workers.missing_since_ms == 1_000, "nobody has answered yet"
    one = await stack.enter_async_context(AsyncExitStack())
    await one.enter_async_context(server_of(tmp_path, live_of("gw-1")).listening())
    other = live_of("gw-2")
    await stack.enter_async_context(server_of(tmp_path, other).listening())
    await workers.follow()
    assert workers.missing_since_ms is None
    assert (workers.gateway("gw-1"), workers.gateway("gw-2")) != (None, None)
    now[0] = 2_000
    await one.aclose()
    await workers.follow()
    now[0] = 3_000
    await workers.follow()
    assert workers.missing_since_ms == 2_000
    assert workers.gateway("gw-1") is None
    other.enrol(GatewayLive("gw-1", uscc_of(0), "1"))
    await workers.follow()
    assert workers.missing_since_ms is None
    assert len(workers.all) == 1


async def test_without_ingest_pages_show_what_database_and_store_hold(tmp_path: Path) -> None:
    async with town(tmp_path) as city, served(build(city.context)) as base:
        saved = State(True, devices={"a-001": DeviceState("up", since_ms=NOW_MS)})
        city.database.run_now(
            lambda connection: connection.execute(
                update(tables.gateway)
                .where(tables.gateway.c.id == "gw-0")
                .values(last_seen_ms=NOW_MS, state=encode_message(saved).decode())
            )
        )
        machine = f"{base}/enterprises/{uscc_of(0)}/1/A-001?lang=en"
        assert "have been missing" not in (await get(machine)).text
        await city.server.aclose()
        city.clock.now_ms += 1_000
        await city.context.live.refresh()
        page = (await get(machine)).text
        assert "Live values have been missing since 2025-11-23 13:40:13" in page
        assert "</svg>Up</span>" in page
        values = (await get(f"{machine}&format=json")).json()["rows"]
        assert {row["tag"]: row["reason"] for row in values} == {
            "spindle_speed": "clock_doubt",
            "power": "",
            "temperature": "",
        }
        assert "1 of 6 gateways online" in (await get(f"{base}/?lang=en")).text
        health = await get(f"{base}/healthz")
        assert health.status_code == 503
        assert "does not answer" in health.json()["parts"]["ingest"]
        assert (await get(f"{base}/metrics")).status_code == 200


async def test_counters_of_several_workers_say_whose_they_are(
    stack: AsyncExitStack, city: Town, address: str, tmp_path: Path
) -> None:
    for number in (1, 2):
        registry = CollectorRegistry()
        Counter("qulink_city_states", "States", registry=registry).inc(number)
        server = server_of(tmp_path, live_of(f"gw-{number}"), registry)
        await stack.enter_async_context(server.listening())
    await city.context.live.refresh()
    text = (await get(f"{address}/metrics")).text
    families = [one for one in text_string_to_metric_families(text) if one.name.endswith("states")]
    (family,) = families
    counts = [s.value for s in family.samples if s.name == "qulink_city_states_total"]
    assert sorted(counts) == [1.0, 2.0]
    assert len({s.labels["worker"] for s in family.samples}) == 2


async def test_a_process_that_hangs_is_not_waited_for_long(
    stack: AsyncExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.city.console.live.source.PATIENCE_S", 0.05)
    listener, path = await asyncio.to_thread(sockets.listen, tmp_path)
    with listener:
        source = Source(path)
        with pytest.raises(SourceAwayError, match="no answer in time"):
            await source.health()
        await source.close()


async def test_values_of_a_machine_come_whole(stack: AsyncExitStack, tmp_path: Path) -> None:
    live, machine = live_of("gw-0"), MachineName(uscc_of(0), "1", "A-001")
    schema = schema_of(*machine)
    live.learn("gw-0", schema)
    source = await source_of(stack, tmp_path, live)
    silent = await source.values(machine)
    assert (silent.values, len(silent.unheard)) == ({}, 1)
    live.keep_newest("gw-0", batch_of(schema, NOW_MS, 42))
    heard = await source.values(machine)
    assert heard.values == live.values(machine)
    assert heard.unheard == []
    assert heard.values["parts"].value == 42
    assert heard.values["alarm"].value is False


def test_a_place_is_found_however_its_edge_writes_the_machine() -> None:
    places, schema = Places(), schema_of(uscc_of(0), "１", "a–001")
    places.update({("gw-0", "s"): encode_schema(schema)}, {("gw-0", "s"): Use(date(2026, 1, 1), 0)})
    machine = MachineName(uscc_of(0), "1", "A-001")
    assert [place.gateway for place in places.of(machine)] == ["gw-0"]
    assert [name for name, _ in places.all(uscc_of(0))] == [machine]
    places.update({}, {})
    assert places.of(machine) == frozenset()


async def test_a_renamed_machine_is_shown_by_what_its_edge_still_sends(
    address: str, city: Town
) -> None:
    old, between, new = (MachineName(uscc_of(0), "1", no) for no in ("A-001", "B-7", "B-9"))
    other = MachineName(uscc_of(0), "1", "A-002")
    rename = city.database.run_now
    rename(rename_machine, old, between, NOW_MS)
    rename(rename_machine, between, new, NOW_MS)
    rename(rename_machine, other, between, NOW_MS)  # a number that was given up is given again
    await city.context.live.refresh()
    for name, gateway_says in ((new, "12000"), (between, "12001")):
        page = f"{address}/enterprises/{name.uscc}/{name.site_no}/{name.asset_no}"
        rows = (await get(f"{page}?format=json")).json()["rows"]
        assert {row["tag"]: str(row["value"]) for row in rows}["parts"] == gateway_says
        assert (await get(f"{page}/chart.json?tag=power")).status_code == 200
    machines = (await get(f"{address}/enterprises/{new.uscc}?format=json")).json()["rows"]
    links = {row["asset_no"]: row["link"] for row in machines}
    assert (links["B-9"], links["B-7"]) == ("up", "up")
