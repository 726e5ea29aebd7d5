"""Whole gateways before devices that treat a register, or their connections, in their own way."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.drivers.toolkit.learnt import LONGEST_PAUSE
from gateway.edge.device.knowledge.keeper import path_beside
from tests.support.odd_device import ODD, Device, device, has_odd
from tests.support.waiting import until

USCC = "91330800MA2DGX3Y5B"
PLACES = [*range(ODD - 5, ODD + 1)]


def written(folder: Path, port: int, places: list[int], patience_ms: int = 100) -> Path:
    tags = [{"name": f"t{place}", "address": f"holding:{place}"} for place in places]
    group = {"name": "g", "interval_ms": 50, "tags": tags}
    profile = {"name": "p", "driver": "modbus", "source": "sensor", "groups": [group]}
    connection = {"host": "127.0.0.1", "port": port, "request_timeout_ms": patience_ms}
    one = {"id": "d", "driver": "modbus", "profile": "p", "asset_no": "A", "retry_min_ms": 100}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
        "profiles": [profile],
        "devices": [{**one, "connection": connection}],
        "buffer": {"path": str(folder / "buffer.db")},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


@contextlib.asynccontextmanager
async def running(file: Path) -> AsyncIterator[None]:
    """A gateway that is killed at the end; its log is beside its configuration."""
    with file.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "run", str(file), stderr=log
        )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def asked_in_first(one: Device, requests: int) -> int:
    """How often the odd register is asked for in the first requests of a run."""
    one.asked.clear()
    await until(lambda: len(one.asked) >= requests, 60)
    return sum(has_odd(pdu) for pdu in one.asked[:requests])


def of_link(learnt: Path) -> Any:
    """What the file says of the device's link; None: nothing."""
    if not learnt.exists():
        return None
    devices = json.loads(learnt.read_bytes())["devices"]
    return devices.get("d", {}).get("", {}).get("knowledge")


@pytest.mark.timeout(240)
async def test_a_pause_that_was_found_out_is_remembered_by_a_killed_gateway(tmp_path: Path) -> None:
    async with device("tcp") as (one, port):
        one.rest_s = 0.05
        file, learnt = written(tmp_path, port, [100, 300, 700]), path_beside(tmp_path / "buffer.db")
        async with running(file):
            await until(lambda: bool(of_link(learnt)), 120)
        assert of_link(learnt)["pauses"]["between_ms"] == 100
        assert "answers no request sent within 100 ms" in file.with_suffix(".log").read_text()
        one.ignored = 0
        async with running(file):
            one.asked.clear()
            await until(lambda: len(one.asked) >= 20, 60)
        assert one.ignored == 0


@pytest.mark.timeout(240)
async def test_framing_that_was_found_out_is_remembered_by_a_killed_gateway(tmp_path: Path) -> None:
    async with device("rtu") as (one, port):
        file, learnt = written(tmp_path, port, [100], 1_000), path_beside(tmp_path / "buffer.db")
        async with running(file):
            await until(lambda: bool(of_link(learnt)), 120)
        assert "is lost" in file.with_suffix(".log").read_text()  # that is what it costs
        async with running(file):
            one.asked.clear()
            await until(lambda: len(one.asked) >= 20, 60)
        assert "is lost" not in file.with_suffix(".log").read_text()


def pauses(learnt: Path) -> list[int]:
    """Those of all that the file says of the device, in readings."""
    if not learnt.exists():
        return []
    (of_device,) = json.loads(learnt.read_bytes())["devices"].values()
    return [entry[-1] for part in of_device["g"]["knowledge"] for entry in part]


async def test_what_was_silent_is_remembered_by_a_killed_gateway(tmp_path: Path) -> None:
    async with device("tcp", lambda _: b"") as (one, port):
        file, learnt = written(tmp_path, port, PLACES), path_beside(tmp_path / "buffer.db")
        async with running(file):
            # Found, and left alone for long.
            await until(lambda: set(pauses(learnt)) == {LONGEST_PAUSE}, 120)
        async with running(file):
            assert await asked_in_first(one, 40) == 0
        learnt.write_bytes(learnt.read_bytes()[:-9])
        async with running(file):
            assert await asked_in_first(one, 10) >= 1
        async with running(written(tmp_path, port, PLACES[1:])):
            assert await asked_in_first(one, 10) >= 1


@pytest.mark.parametrize("lasts", [1, 3])
async def test_a_server_that_ends_its_connections_is_read_without_a_loss(
    tmp_path: Path, lasts: int
) -> None:
    async with device("tcp") as (one, port):
        one.lasts = lasts
        file = written(tmp_path, port, [100, 300, 700, 900])
        async with running(file):
            await until(lambda: one.accepted >= 60, 60)
            log = file.with_suffix(".log").read_text()
    assert "is lost" not in log
    assert log.count("ends each connection after one answer") == (lasts == 1)
