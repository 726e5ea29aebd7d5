"""Devices of a running edge are stopped, started, replaced, added and taken out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice
from gateway.core.batch import NEVER, Gap
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device.fleet import NoSuchDeviceError
from tests.edge.gaps_told import gaps
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until

Start = Callable[..., Runtime]


def device(id: str, folder: Path, **options: Any) -> ResolvedDevice:  # noqa: A002 - as in a configuration
    (resolved,) = loaded(folder, id=id, **options).devices
    return resolved


@pytest.fixture
async def edge(tmp_path: Path) -> AsyncIterator[Runtime]:
    """Devices ``d`` and ``e`` of one plant."""
    plan = loaded(tmp_path)
    both = LoadedGateway(plan.config, (*plan.devices, device("e", tmp_path)))
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    async with Runtime(both, Plant(), Clock(), buffer) as runtime:
        await until(lambda: polls(runtime, "d") > 2 and polls(runtime, "e") > 2)
        yield runtime
    assert buffer.totals().balanced
    buffer.close()


def polls(runtime: Runtime, device: str) -> int:
    return runtime.edge.devices[device].record.polls


async def more_polls(runtime: Runtime, device: str) -> None:
    before = polls(runtime, device)
    await until(lambda: polls(runtime, device) > before + 2)


async def skipping(runtime: Runtime) -> None:
    """Wait until some ticks more were skipped and are committed."""
    before = runtime.buffer.totals().skipped
    await until(lambda: runtime.buffer.totals().skipped >= before + 6)


def stopped(runtime: Runtime) -> list[Gap]:
    return [gap for gap in gaps(runtime.buffer) if gap.cause is Reason.STOPPED]


async def test_one_device_stops_while_the_other_goes_on(edge: Runtime) -> None:
    await edge.edge.devices.stop("d")
    at_stop = polls(edge, "d")
    await more_polls(edge, "e")
    await skipping(edge)
    assert polls(edge, "d") == at_stop
    (gap,) = stopped(edge)
    assert (gap.device, gap.group, gap.to_ms) == ("d", "", None)
    link = edge.live.links()["d"]
    assert (link.link, link.cause) == ("down", "stopped")
    assert edge.live.links()["e"].link == "up"


async def test_a_stopped_device_starts_again_and_every_tick_between_was_skipped(
    edge: Runtime,
) -> None:
    await edge.edge.devices.stop("d")
    await skipping(edge)
    failed = edge.buffer.totals().failed
    await edge.edge.devices.start("d")
    await more_polls(edge, "d")
    await until(lambda: stopped(edge)[0].to_ms is not None)
    (gap,) = stopped(edge)
    assert gap.to_ms is not None
    ticks = (gap.to_ms - gap.from_ms) // edge.group.model.interval_ms
    assert edge.buffer.totals().skipped >= ticks * edge.group.size
    assert edge.buffer.totals().failed == failed
    assert edge.live.links()["d"].link == "up"


async def test_start_and_stop_twice_are_as_once(edge: Runtime) -> None:
    await edge.edge.devices.start("d")
    await edge.edge.devices.stop("d")
    await edge.edge.devices.stop("d")
    assert not edge.edge.devices["d"].is_running
    await edge.edge.devices.start("d")
    await edge.edge.devices.start("d")
    await more_polls(edge, "d")


async def test_a_restart_connects_anew(edge: Runtime) -> None:
    before = edge.plant.connects
    await edge.edge.devices.restart("d")
    await more_polls(edge, "d")
    assert edge.plant.connects == before + 1


async def test_a_device_is_replaced_by_another_configuration_of_it(
    edge: Runtime, tmp_path: Path
) -> None:
    edge.plant.read_fault = TimeoutError()  # leaves a gap open
    await until(lambda: edge.live.links()["d"].link == "down")
    await edge.edge.devices.replace(device("d", tmp_path, tags=3, interval_ms=30))
    edge.plant.read_fault = None
    await more_polls(edge, "d")
    after = edge.edge.devices["d"]
    assert (after.groups[0].size, after.groups[0].model.interval_ms) == (3, 30)
    assert [tag.name for tag in edge.live.device("d").tags] == ["t0", "t1", "t2"]  # type: ignore[union-attr]
    await until(lambda: not [gap for gap in edge.buffer.gaps() if gap.device == "d"])
    mine = [gap for gap in gaps(edge.buffer) if gap.device == "d"]
    assert {gap.cause for gap in mine} <= {Reason.TIMEOUT, Reason.STOPPED}
    assert all(gap.to_ms is not None for gap in mine)


async def test_a_group_that_the_new_configuration_lacks_ends_and_is_forgotten(
    edge: Runtime, tmp_path: Path
) -> None:
    edge.plant.read_fault = TimeoutError()
    await until(lambda: edge.live.links()["d"].link == "down")
    new = device("d", tmp_path)
    (group,) = new.groups
    await edge.edge.devices.replace(replace(new, groups=(replace(group, name="other"),)))
    edge.plant.read_fault = None
    await more_polls(edge, "d")
    await until(lambda: edge.buffer.progress()["d", "g"].tick_ms == NEVER)
    await until(lambda: not [gap for gap in edge.buffer.gaps() if gap.device == "d"])


async def test_a_stopped_device_stays_stopped_when_it_is_replaced(
    edge: Runtime, tmp_path: Path
) -> None:
    await edge.edge.devices.stop("d")
    await edge.edge.devices.replace(device("d", tmp_path, tags=3))
    assert not edge.edge.devices["d"].is_running
    await skipping(edge)
    await edge.edge.devices.start("d")
    await more_polls(edge, "d")


async def test_a_device_that_cannot_be_prepared_leaves_the_old_one_reading(
    edge: Runtime, tmp_path: Path
) -> None:
    new = device("d", tmp_path)
    unknown = replace(new, config=replace(new.config, driver="absent"))
    with pytest.raises(KeyError):
        await edge.edge.devices.replace(unknown)
    await more_polls(edge, "d")


async def test_what_is_taken_out_owes_nothing_and_its_gaps_end(edge: Runtime) -> None:
    edge.plant.read_fault = TimeoutError()
    await until(lambda: edge.live.links()["d"].link == "down")
    await edge.edge.devices.remove("d")
    await until(lambda: edge.buffer.progress()["d", "g"].tick_ms == NEVER)
    assert not [gap for gap in edge.buffer.gaps() if gap.device == "d"]
    assert list(edge.live.links()) == ["e"]
    with pytest.raises(NoSuchDeviceError, match="no device 'd'; known: e"):
        await edge.edge.devices.start("d")


async def test_a_device_that_was_not_configured_is_added_and_one_that_returns_owes_nothing(
    edge: Runtime, tmp_path: Path
) -> None:
    await edge.edge.devices.add(device("new", tmp_path))
    await more_polls(edge, "new")
    await edge.edge.devices.remove("new")
    await edge.edge.devices.add(device("new", tmp_path))
    await more_polls(edge, "new")
    own = [gap for gap in gaps(edge.buffer) if gap.device == "new"]
    assert {gap.cause for gap in own} <= {Reason.STOPPED}
    with pytest.raises(ValueError, match="there is a device 'new' already"):
        await edge.edge.devices.add(device("new", tmp_path))


async def test_a_device_stopped_before_it_was_reached_does_not_hold_the_others_up(
    tmp_path: Path,
) -> None:
    plant = Plant()
    plant.open.clear()
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    async with Runtime(loaded(tmp_path), plant, Clock(), buffer) as runtime:
        await until(lambda: plant.connects == 1)
        await runtime.edge.devices.stop("d")
        await skipping(runtime)
        plant.open.set()
        await runtime.edge.devices.start("d")
        await more_polls(runtime, "d")
    assert buffer.totals().balanced
    assert {gap.cause for gap in gaps(buffer)} == {Reason.STOPPED}
    buffer.close()


async def test_a_stop_of_the_gateway_is_no_stop_of_its_devices(edge: Runtime) -> None:
    await asyncio.gather(edge.edge.devices.halt(), edge.edge.devices.restart("e"))
    assert not any(one.is_running for one in edge.edge.devices)
    assert [gap for gap in stopped(edge) if gap.device == "d"] == []
