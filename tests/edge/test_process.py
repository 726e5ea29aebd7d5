"""The process that runs the edge: what it is made of, and how it takes over."""

# ruff: noqa: F811 - fixtures of another module

import asyncio
import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_config.loading.load import load_gateway
from gateway.drivers.registry import installed
from gateway.edge.process.handover import Handover, taken_over
from gateway.edge.process.memory import collect_seldom
from tests.edge.city import City
from tests.edge.test_run import (
    TAGS,
    Factory,
    ended,
    factory,  # noqa: F401 - a fixture
)
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

READERS = {"pydantic", "pydantic_core", "typer", "click", "rich", "openpyxl", "yaml"}
"""What reads configurations and command lines."""
UNUSED = {"asyncua", "cryptography", "http.client", "email", "importlib.metadata", "uvicorn"}
"""What a gateway without OPC UA and console has no use for."""
WITNESS = """
import atexit, os, sys
def tell():
    with open(os.environ["WITNESS"], "w") as file:
        real = [name for name, one in sys.modules.items() if getattr(one, "__spec__", None)]
        file.write("\\n".join([*real, f"optimized {sys.flags.optimize}"]))
atexit.register(tell)
"""


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which the last program of a process says what it has imported."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(WITNESS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("WITNESS", str(tmp_path / "modules"))
    return tmp_path / "modules"


def imported(witness: Path) -> set[str]:
    return set(witness.read_text().split("\n"))


async def test_what_read_the_configuration_is_gone_while_the_edge_runs(
    factory: Factory, witness: Path
) -> None:
    city = City(factory.broker.port, "gw")
    async with city.running():
        with factory.gateway() as process:
            await until(lambda: len(city.points) >= 4 * TAGS)
            process.terminate()
            assert await ended(process) == 0
    loaded = imported(witness)
    assert {"gateway.edge.process.handover", "gateway.drivers.modbus.driver"} <= loaded
    assert loaded & (READERS | UNUSED) == set()


async def test_nor_does_the_console_bring_it_back(factory: Factory, witness: Path) -> None:
    port = free_port()
    factory.config.write_text(
        factory.config.read_text() + f"\nconsole: {{listen: '127.0.0.1:{port}'}}\n"
    )
    with factory.gateway() as process:
        await asyncio.to_thread(wait_for_port, port)
        process.terminate()
        assert await ended(process) == 0
    loaded = imported(witness)
    assert "uvicorn" in loaded
    assert loaded & {"pydantic", "pydantic_core", "typer", "openpyxl"} == set()


async def test_a_wrong_configuration_ends_before_anything_runs(
    factory: Factory, witness: Path
) -> None:
    factory.config.write_text(
        factory.config.read_text().replace("interval_ms: 50", "interval_ms: 5")
    )
    with factory.gateway() as process:
        assert await ended(process) == 1
    assert "interval_ms: must be between 10 and" in factory.log.read_text()
    assert "gateway.edge.app" not in imported(witness)
    assert not factory.buffer.exists()


@pytest.mark.parametrize(("forbidden", "flag"), [("", "optimized 2"), ("1", "optimized 0")])
async def test_docstrings_are_left_out_where_that_is_not_compiled_at_each_start(
    factory: Factory,
    witness: Path,
    tmp_path: Path,
    forbidden: str,
    flag: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "compiled"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", forbidden)
    with factory.gateway() as process:
        await until(factory.buffer.exists)
        process.terminate()
        assert await ended(process) == 0
    assert flag in imported(witness)


def test_devices_of_one_profile_share_it_on_the_other_side(factory: Factory) -> None:
    loaded = load_gateway(factory.config, installed())
    handover = Handover(loaded, {"modbus": installed().reference("modbus")}, 0.0)
    read, write = os.pipe()
    os.write(write, pickle.dumps(handover))
    os.close(write)
    other = taken_over(read)
    assert other == handover
    first, second = other.loaded.devices
    assert first.groups is second.groups
    assert other.specs() == {"modbus": installed()["modbus"]}


def test_importing_the_mqtt_library_loads_no_http_client_until_it_is_used() -> None:
    code = (
        "import sys, gateway.mqtt.client\n"
        "assert 'http.client' not in sys.modules\n"
        "import urllib.request\n"
        "urllib.request.getproxies()\n"
        "from urllib.request import urlopen\n"
        "assert 'http.client' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """The generations that the garbage collector has searched."""
    before, searched = gc.get_threshold(), list[int]()
    gc.set_threshold(700, 10, 10)  # as Python begins; tests are run with another

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            searched.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    yield searched
    gc.callbacks.remove(note)
    gc.set_threshold(*before)


def test_what_waits_for_a_commit_is_not_searched_for_cycles(collections: list[int]) -> None:
    made = [[number] for number in range(10_000)]
    assert collections, "by default this many are searched"
    collections.clear()
    collect_seldom()
    made += [[number] for number in range(10_000)]
    assert collections == []
