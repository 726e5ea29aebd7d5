"""A simulated line with OPC UA and Modbus machines, through the real ``qulink run``."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway.core.status import Reason
from gateway.edge.buffer.buffer import read_books
from tests.edge.city import City
from tests.simulators.process import Simulator, simulator
from tests.support.broker import Mosquitto
from tests.support.waiting import until

SAMPLE = Path(__file__).parents[2] / "edge_config/samples/door-line.yaml"
MACHINES = {"opcua": 2, "modbus": 1}


def written(folder: Path, broker: Mosquitto, line: Simulator) -> Path:
    """The sample of a door line with a few of its machines, on the ports of the test."""
    document = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    chosen = []
    for driver, count in MACHINES.items():
        chosen += [one for one in document["devices"] if one["driver"] == driver][:count]
    for device in chosen:
        if device["driver"] == "opcua":
            device["connection"]["url"] = f"opc.tcp://127.0.0.1:{line.opcua}/"
        else:
            device["connection"]["port"] = line.modbus
    document["devices"] = chosen
    document["northbound"] = [{"url": broker.url}]
    document["buffer"] = {"path": str(folder / "b.db"), "commit_interval_ms": 50}
    del document["console"]
    config = folder / "gateway.yaml"
    config.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return config


def started(config: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gateway", "run", str(config), "--drain-s", "10"]
    with log.open("wb") as errors:
        return subprocess.Popen(command, stderr=errors)


@pytest.mark.timeout(600)
async def test_values_of_a_line_arrive_and_the_stop_is_clean(tmp_path: Path) -> None:
    settings = "allow_anonymous true\nset_tcp_nodelay true"
    with simulator("door") as line, Mosquitto(tmp_path, settings) as broker:
        config = written(tmp_path, broker, line)
        devices = yaml.safe_load(config.read_text(encoding="utf-8"))["devices"]
        city = City(broker.port, "gw-door")
        edge = started(config, tmp_path / "log")
        try:
            async with city.running():
                wanted = {device["id"] for device in devices}
                await until(lambda: {device for device, _, _ in city.points} >= wanted, 120)
                await until(lambda: len(city.points) >= 60, 120)
                edge.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(edge.wait, 60) == 0
        finally:
            edge.kill()
            edge.wait(10)
    books = read_books(tmp_path / "b.db")
    assert books.totals.balanced
    assert books.totals.buffered == len(city.points)
    assert city.totals() == books.totals
    assert books.pending.frames == 0
    causes = {gap.cause for gap in city.gaps.values() if not gap.group}
    assert causes == set(), "no device was lost, least of all at the start"
    assert all(gap.cause is not Reason.NODE_UNKNOWN for gap in city.gaps.values())
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "Traceback" not in text
    assert "is lost" not in text
