"""What the kit finds in sources and models; ``test_broken_drivers`` breaks rule by rule."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from edge_config.models.settings import Settings
from gateway.drivers.kit.conformance import (
    Bench,
    DriverConformance,
    FaultProxy,
)
from gateway.drivers.modbus import SPEC
from tests.drivers.broken import ModbusDriver
from tests.drivers.modbus.peers import modbus_serial
from tests.support.peers import free_port

DRIVER = "from tests.drivers.broken import ModbusDriver\nclass Acme(ModbusDriver): pass\n"
BROKEN = (Exception, pytest.fail.Exception)


@pytest.fixture(scope="module")
def device() -> Iterator[int]:
    with modbus_serial() as port:
        yield port


@pytest.fixture
async def bench(device: int) -> AsyncIterator[Bench]:
    async with FaultProxy(device) as proxy:
        yield Bench(
            spec=SPEC,
            connection={"host": "127.0.0.1", "port": proxy.port},
            dead={"host": "127.0.0.1", "port": free_port()},
            good=[("holding:1", 7), ("holding:2", 8)],
            unknown="holding:5000",
            stop=proxy.stop,
            start=proxy.start,
            writable=("holding:100", 99),
            read_only=("input:10", 1),
            stall=proxy.stall,
            resume=proxy.resume,
            deadline_s=2,
        )


def made(bench: Bench, make: Callable[[Any], ModbusDriver]) -> Bench:
    """The bench with another driver."""
    return replace(bench, spec=replace(SPEC, make=make))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import time; time.sleep(1)", "sleep"),
        ("from asyncio import sleep", "sleep"),
        ("import logging; logging.info(1)", "logging"),
        ("from logging import getLogger", "logging"),
        ("import logging as log", "logging"),
        ('import logging; logging.getLogger("lib").setLevel(logging.CRITICAL + 1)', None),
        ("import logging; import time; time.monotonic()", None),
    ],
)
async def test_sleeping_and_logging_are_caught(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, found: str | None
) -> None:
    """In the driver's one module; what else is installed beside it is not its own."""
    (tmp_path / "acme_single.py").write_text(f"{DRIVER}{line}\n")
    (tmp_path / "acme_neighbour.py").write_text("import time; time.sleep(0)")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_single", raising=False)
    caught = pytest.raises(AssertionError, match=f"acme_single.py: .*{found}")
    with caught if found else nullcontext():
        DriverConformance().test_d05_no_scheduling_and_no_logging(
            made(bench, import_module("acme_single").Acme)
        )


@pytest.mark.parametrize("place", ["retries.py", "codec/retries.py"])
async def test_a_package_is_searched_whole(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    file = tmp_path / "acme_package" / place
    file.parent.mkdir(parents=True)
    (tmp_path / "acme_package/__init__.py").write_text(DRIVER)
    file.write_text("import time; time.sleep(0)")
    monkeypatch.delitem(sys.modules, "acme_package", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(AssertionError, match=r"retries.py: line 1: sleep"):
        DriverConformance().test_d05_no_scheduling_and_no_logging(
            made(bench, import_module("acme_package").Acme)
        )


async def test_loose_models_and_bare_fields_are_caught(bench: Bench) -> None:
    class Loose(SPEC.address):  # type: ignore[name-defined, misc]
        __pydantic_config__ = MappingProxyType({"extra": "ignore"})

    class Bare(Settings):
        host: str
        port: int

    kit = DriverConformance()
    kit.test_d13_unknown_keys_are_refused(bench)
    with pytest.raises(BROKEN):
        kit.test_d13_unknown_keys_are_refused(replace(bench, spec=replace(SPEC, address=Loose)))
    alone = replace(SPEC, link=None)
    kit.test_d17_the_spec_describes_itself(replace(bench, spec=alone))
    with pytest.raises(AssertionError, match="without a description"):
        spec = replace(alone, connection=Bare, endpoint=lambda connection: f"{connection.host}:1")
        kit.test_d17_the_spec_describes_itself(replace(bench, spec=spec))


async def test_forgotten_rule_classes_are_caught(bench: Bench) -> None:
    kit = DriverConformance()
    pushing = replace(bench, spec=replace(SPEC, modes=("subscribe", "poll")))
    with pytest.raises(AssertionError, match="inherit SubscribingConformance"):
        kit.test_d17_the_spec_describes_itself(pushing)
    with pytest.raises(AssertionError, match="inherit RefusalConformance"):
        kit.test_d17_the_spec_describes_itself(replace(bench, refused=bench.connection))
    with pytest.raises(AssertionError, match="inherit LinkConformance"):
        kit.test_d17_the_spec_describes_itself(bench)
