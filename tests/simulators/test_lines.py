"""Every tag of every sample reads GOOD from its simulator, through the real drivers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import ResolvedDevice
from gateway.core.batch import Reading
from gateway.drivers.api import Point
from gateway.drivers.registry import installed
from simulators.line import lines
from tests.simulators.process import Simulator, simulator
from tests.simulators.test_catalogue import CONFIG, SAMPLES


@dataclass(frozen=True)
class Running:
    """A simulator and the devices of the sample, moved to its ports."""

    simulator: Simulator
    devices: tuple[ResolvedDevice, ...]


def _moved(name: str, folder: Path, running: Simulator) -> tuple[ResolvedDevice, ...]:
    line = lines()[name]
    sample = (CONFIG / "samples" / SAMPLES[name]).read_text("utf-8")
    sample = sample.replace(f"port: {line.modbus_port},", f"port: {running.modbus},")
    sample = sample.replace(f":{line.opcua_port}/", f":{running.opcua}/")
    own = [place.controller_port for place in line.places if place.controller_port]
    for port, moved in zip(own, running.controllers, strict=False):
        sample = sample.replace(f"port: {port}", f"port: {moved}")
    file = folder / "gateway.yaml"
    file.write_text(sample, encoding="utf-8")
    return load_gateway(file, installed()).devices


@pytest.fixture(scope="module", params=SAMPLES)
def running(request, tmp_path_factory) -> Iterator[Running]:
    with simulator(request.param) as process:
        yield Running(process, _moved(request.param, tmp_path_factory.mktemp("line"), process))


def _driver(device: ResolvedDevice) -> Any:
    """The driver of a device, with the patience that a busy machine needs."""
    patient = replace(device.connection, request_timeout_ms=30_000)
    return installed()[device.config.driver].make(patient)


async def _read(device: ResolvedDevice) -> Reading:
    """Read all tags of a device at once, as a polled group."""
    spec = installed()[device.config.driver]
    (group,) = device.groups
    points = [Point(t.config.name, spec.kind(t.address), t.address) for t in group.tags]
    driver = _driver(device)
    try:
        await driver.connect()
        return await driver.read(driver.plan(points))
    finally:
        await driver.close()


async def test_every_tag_is_good_and_within_its_range(running: Running) -> None:
    wrong = []
    for device in running.devices:
        reading = await _read(device)
        tags = [tag.config for tag in device.groups[0].tags]
        values = [value for column in reading.columns for value in column]
        for tag, value, status in zip(tags, values, reading.status, strict=True):
            place = f"{device.config.id}/{tag.name} = {value!r}"
            if status != 0:
                wrong.append(f"{place}: status {status:#x}")
            elif not isinstance(value, str | np.bool_):
                scaled = float(value) * (tag.scale or 1) + tag.offset
                low = -np.inf if tag.minimum is None else tag.minimum
                high = np.inf if tag.maximum is None else tag.maximum
                if not low <= scaled <= high:
                    wrong.append(f"{place}: outside {low:g} … {high:g}")
    assert wrong == []


async def test_subscriptions_of_opcua_machines_deliver(running: Running) -> None:
    for device in running.devices:
        if device.config.driver != "opcua":
            continue
        spec = installed()["opcua"]
        (group,) = device.groups
        points = [Point(t.config.name, spec.kind(t.address), t.address) for t in group.tags]
        driver = _driver(device)
        try:
            await driver.connect()
            assert not np.any(await driver.subscribe("main", points, group.interval_ms))
            seen: set[int] = set()
            while len(seen) < len(points):
                for arrival in await driver.arrivals():
                    assert not np.any(arrival.status)
                    seen |= set(arrival.index.tolist())
        finally:
            await driver.close()
