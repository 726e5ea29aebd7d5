"""The kit itself: each rule must catch a driver that breaks it."""

import asyncio
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
    RefusalConformance,
    SubscribingConformance,
)
from gateway.drivers.modbus import SPEC
from tests.drivers import broken as drivers
from tests.drivers.broken import ModbusDriver
from tests.drivers.modbus.peers import modbus_serial
from tests.support.peers import free_port

RULES: list[tuple[str, type[ModbusDriver]]] = [
    ("test_d02_nobody_there_is_not_connected", drivers.RaisesTheLibrarysOwn),
    ("test_d02_nobody_there_is_not_connected", drivers.LeaksSockets),
    ("test_d03_values_come_in_the_order_asked", drivers.TurnsTheOrder),
    ("test_d03_no_points_is_no_error", drivers.NeedsPoints),
    ("test_d04_an_unknown_point_harms_only_itself", drivers.SpoilsAll),
    ("test_d04_a_lost_connection_is_an_exception", drivers.HidesALoss),
    ("test_d04_a_lost_connection_is_an_exception", drivers.ReadsBadForEver),
    ("test_d06_close_is_always_harmless", drivers.ClosesOnce),
    ("test_d06_a_closed_driver_says_so", drivers.OnlySaysItCloses),
    ("test_d06_close_is_quick_when_the_device_is_gone", drivers.ClosesSlowly),
    ("test_d07_a_late_answer_is_never_the_next", drivers.OnlySaysItCloses),
    ("test_d08_works_again_after_the_device_returns", drivers.ConnectsOnce),
    ("test_d09_nothing_is_left_after_close", drivers.LeavesATask),
    ("test_d12_a_plan_needs_no_connection_and_lasts", drivers.PlansOnlyWhenConnected),
    ("test_d14_a_read_only_point_is_not_written", drivers.WritesAnything),
    ("test_d16_a_written_value_is_read_back", drivers.WritesAnything),
]
PUSHING: list[tuple[str, type[drivers.Pushing]]] = [
    ("test_d18_subscribed_values_arrive", drivers.PushesInAnyOrder),
    ("test_d18_subscribed_values_arrive", drivers.PushesNoFirstValues),
    ("test_d18_subscribed_values_arrive", drivers.PushesOnlyFirstValues),
    ("test_d18_an_unknown_point_is_refused_alone", drivers.AcceptsTheUnknown),
    ("test_d19_a_silent_subscription_is_an_exception", drivers.NeverNoticesSilence),
]
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
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_coro().__qualname__ == "sleep":  # type: ignore[union-attr]
                task.cancel()


async def filled(bench: Bench) -> None:
    async with bench.connected() as driver:
        for raw, value in bench.good:
            await driver.write(bench.point(raw), value)


def made(bench: Bench, make: Callable[[Any], ModbusDriver]) -> Bench:
    """The bench with another driver."""
    return replace(bench, spec=replace(SPEC, make=make))


async def keeps(kit: DriverConformance, rule: str, bench: Bench) -> None:
    """Prove one rule on a device that holds its values and is there."""
    await bench.start()
    await filled(bench)
    await getattr(kit, rule)(bench)


@pytest.mark.parametrize(("rule", "broken"), RULES, ids=lambda part: getattr(part, "__name__", ""))
async def test_a_broken_rule_is_caught(
    bench: Bench, rule: str, broken: Callable[[Any], ModbusDriver]
) -> None:
    await keeps(DriverConformance(), rule, bench)
    with pytest.raises(BROKEN):
        await keeps(DriverConformance(), rule, made(bench, broken))


@pytest.mark.parametrize(
    ("rule", "broken"), PUSHING, ids=lambda part: getattr(part, "__name__", "")
)
async def test_a_broken_subscription_is_caught(
    bench: Bench, rule: str, broken: Callable[[Any], ModbusDriver]
) -> None:
    async def change() -> None:
        async with bench.connected() as driver:
            await driver.write(bench.point(bench.good[0][0]), 70)

    changing = replace(bench, change=change)
    await keeps(SubscribingConformance(), rule, made(changing, drivers.Pushing))
    with pytest.raises(BROKEN):
        await keeps(SubscribingConformance(), rule, made(changing, broken))


async def test_a_refusal_that_looks_like_a_loss_is_caught(bench: Bench) -> None:
    kit, refused = RefusalConformance(), replace(bench, refused=bench.dead)
    await kit.test_d11_a_refusal_is_told_apart(made(refused, drivers.Refused))
    with pytest.raises(BROKEN):
        await kit.test_d11_a_refusal_is_told_apart(refused)


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


async def test_io_in_make_is_caught(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = DriverConformance()
    kit.test_d01_making_a_driver_does_no_io(bench, monkeypatch)
    with pytest.raises(pytest.fail.Exception, match="D-01"):
        kit.test_d01_making_a_driver_does_no_io(
            replace(bench, spec=replace(SPEC, make=drivers.DoesIo)), monkeypatch
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


async def test_an_eager_import_is_caught(bench: Bench) -> None:
    kit = DriverConformance()
    kit.test_d15_the_spec_imports_no_protocol_library(bench)
    with pytest.raises(AssertionError, match=r"D-15: importing gateway\.drivers\.modbus loads"):
        kit.test_d15_the_spec_imports_no_protocol_library(replace(bench, libraries=("numpy",)))


async def test_a_driver_that_reads_configurations_is_caught(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heavy_driver.py").write_text(
        "import yaml\nfrom tests.drivers.broken import ModbusDriver\n"
        "class Heavy(ModbusDriver): ...\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    kit = DriverConformance()
    kit.test_d21_a_running_driver_reads_no_configuration(bench)
    heavy = replace(SPEC, make=import_module("heavy_driver").Heavy)
    with pytest.raises(AssertionError, match=r"D-21: importing heavy_driver loads \['yaml'\]"):
        kit.test_d21_a_running_driver_reads_no_configuration(replace(bench, spec=heavy))


async def test_forgotten_rule_classes_are_caught(bench: Bench) -> None:
    kit = DriverConformance()
    pushing = replace(bench, spec=replace(SPEC, modes=("subscribe", "poll")))
    with pytest.raises(AssertionError, match="inherit SubscribingConformance"):
        kit.test_d17_the_spec_describes_itself(pushing)
    with pytest.raises(AssertionError, match="inherit RefusalConformance"):
        kit.test_d17_the_spec_describes_itself(replace(bench, refused=bench.connection))
    with pytest.raises(AssertionError, match="inherit LinkConformance"):
        kit.test_d17_the_spec_describes_itself(bench)
