"""``qulink trace`` of the real gateway: each unit's own frames, and what led to a loss."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.edge.control.client import ask
from gateway.edge.control.protocol import ControlError
from tests.edge.one_device import configured, running
from tests.edge.test_run import (
    Factory,
    factory,  # noqa: F401 - a fixture
)
from tests.support.command import qulink
from tests.support.waiting import until


def states(path: Path) -> dict[str, str]:
    try:
        return {one["id"]: one["state"] for one in ask(path, "devices")}
    except ControlError:
        return {}


@pytest.mark.timeout(300)
async def test_units_of_one_connection_have_their_own_frames(factory: Factory) -> None:  # noqa: F811
    path = factory.buffer.with_suffix(".sock")
    with factory.gateway():
        await until(lambda: set(states(path).values()) == {"up"})
        for device, unit in (("d0", 1), ("d1", 2)):
            done = qulink("trace", factory.config, device, "--hex")
            assert done.returncode == 0, done.stderr
            assert "→  transaction" in done.stdout
            assert f"unit {unit}: read 10 holding registers from 0 (function 3)" in done.stdout
            assert f"unit {unit}: 10 holding registers:" in done.stdout
            assert f"unit {3 - unit}:" not in done.stdout
        answer = ask(path, "frames", device="d0")
        later = ask(path, "frames", device="d0", since=answer["count"])
        assert all(one["number"] >= answer["count"] for one in later["frames"])
        done = qulink("trace", factory.config, "d0", "--fault")
        assert done.stderr == "d0 was not lost since the start\n"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    import sys

    from tests.support.peers import free_port, wait_for_port

    port = free_port()
    script = Path(__file__).parent / "modbus_machine.py"
    process = subprocess.Popen([sys.executable, str(script), str(port)])
    try:
        wait_for_port(port)
        yield process, port
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.timeout(300)
async def test_what_led_to_a_loss_is_kept_while_attempts_fail(
    machine: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    process, port = machine
    tags = [{"name": "t", "address": "holding:7:uint16"}]
    connection = {"host": "127.0.0.1", "port": port}
    config = configured(tmp_path, "modbus", connection, tags, retry_min_ms=100, retry_max_ms=1_000)
    path = tmp_path / "b.sock"
    with running(config):
        await until(lambda: states(path) == {"press-1": "up"})
        process.kill()
        await until(lambda: states(path) == {"press-1": "down"})
        await until(
            lambda: "cannot connect" in ask(path, "frames", device="press-1")["frames"][-1]["words"]
        )
        first = ask(path, "frames", device="press-1", before_fault=True)["frames"]
        assert any("1 holding registers" in one["words"] for one in first)
        await asyncio.to_thread(process.wait)
        await until(lambda: ask(path, "devices")[0]["failures"] > 2)
        again = ask(path, "frames", device="press-1", before_fault=True)["frames"]
        assert [one["words"] for one in again] == [one["words"] for one in first]
        assert "holding registers" in qulink("trace", config, "press-1", "--fault").stdout
