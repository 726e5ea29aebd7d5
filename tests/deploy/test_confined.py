"""Edge and city do their work with no more than their units allow."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from gateway.edge.buffer.buffer import read_books
from tests.deploy import confined
from tests.edge.test_run_opcua import written
from tests.simulators.process import simulator
from tests.support.broker import Mosquitto
from tests.support.city import USCC, assembled, city_config, city_file, fill_ledger
from tests.support.peers import free_port, program
from tests.support.waiting import SOON_S, until

SYSTEMD = Path(__file__).parents[2] / "deploy" / "systemd"


@contextmanager
def service(name: str, folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """``qulink`` as the unit of that name runs it."""
    unit = SYSTEMD / f"qulink-{name}.service"
    command = [sys.executable, "-m", "gateway", *words]
    command = confined.command(unit, program("systemd-analyze", "systemd"), command)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=confined.environment(unit, folder))
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return await asyncio.to_thread(process.wait, 30)


def committed(page: str) -> int:
    found = [line for line in page.splitlines() if 'values_total{outcome="committed"}' in line]
    return int(float(found[0].split()[1]))


async def test_values_go_from_machines_to_the_city(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async with assembled(city_config(mosquitto.url, tmp_path / "data")) as city:
        fill_ledger(city, "gw-door")
    listen = f"127.0.0.1:{free_port()}"
    data = str(tmp_path / "data")
    config = city_file(tmp_path, mosquitto.url, data_dir=data, console={"listen": listen})
    address = f"http://{listen}"
    with simulator("door") as line:
        edge_file = written(tmp_path, mosquitto, line)
        document = yaml.safe_load(edge_file.read_text())
        document["gateway"]["enterprise_uscc"] = USCC
        edge_file.write_text(yaml.safe_dump(document))
        with (
            service("city", tmp_path, "city", str(config)) as city_run,
            service("edge", tmp_path, "run", str(edge_file), "--drain-s", "10") as edge_run,
            closing(httpx.Client(base_url=address, timeout=SOON_S)) as console,
        ):

            def arrived() -> bool:
                assert city_run.poll() is None, (tmp_path / "city.log").read_text()
                assert edge_run.poll() is None, (tmp_path / "edge.log").read_text()
                try:
                    return committed(console.get("/metrics").text) > 50
                except (httpx.TransportError, IndexError):
                    return False

            await until(arrived)
            await until(lambda: console.get("/").status_code == 200)  # 503 while it is computed
            assert await ended(edge_run) == 0
            assert await ended(city_run) == 0
    assert read_books(tmp_path / "b.db").pending.frames == 0


def test_what_the_unit_does_not_allow_is_noticed() -> None:
    unit = SYSTEMD / "qulink-edge.service"
    mount = "import ctypes; ctypes.CDLL(None).mount(0, 0, 0, 0, 0)"
    words = [sys.executable, "-c", mount]
    run = confined.command(unit, program("systemd-analyze", "systemd"), words)
    assert subprocess.run(run, check=False).returncode == -signal.SIGSYS


@pytest.mark.parametrize("name", ["city", "edge"])
def test_a_service_has_a_home(name: str, tmp_path: Path) -> None:
    unit = SYSTEMD / f"qulink-{name}.service"
    assert confined.environment(unit, tmp_path)["HOME"] == str(tmp_path / f"qulink-{name}")
