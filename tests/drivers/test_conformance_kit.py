"""The kit itself: each rule must catch a driver that breaks it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ConfigDict

from edge_config.base import StrictModel
from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NotConnectedError, Point, Value
from gateway.drivers.conformance import Bench, DriverConformance, FaultProxy
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.poll import ReadPlan
from tests.drivers.modbus.peers import modbus_serial
from tests.support.peers import free_port


class DoesIo(ModbusDriver):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        socket.getaddrinfo("127.0.0.1", connection.port)


class RaisesTheLibrarysOwn(ModbusDriver):
    async def connect(self) -> None:
        try:
            await super().connect()
        except NotConnectedError as error:
            raise ConnectionRefusedError from error


class LeaksSockets(ModbusDriver):
    kept: list[socket.socket]

    async def connect(self) -> None:
        self.__dict__.setdefault("kept", []).append(socket.socket())
        await super().connect()

    def __del__(self) -> None:
        for sock in self.__dict__.get("kept", []):
            sock.close()


class TurnsTheOrder(ModbusDriver):
    async def read(self, plan: ReadPlan) -> Reading:
        reading = await super().read(plan)
        return Reading(tuple(column[::-1] for column in reading.columns), reading.status)


class SpoilsAll(ModbusDriver):
    async def read(self, plan: ReadPlan) -> Reading:
        reading = await super().read(plan)
        return Reading(reading.columns, np.full_like(reading.status, reading.status.max()))


class HidesALoss(ModbusDriver):
    async def read(self, plan: ReadPlan) -> Reading:
        try:
            return await super().read(plan)
        except NotConnectedError as error:
            raise DriverError("something went wrong") from error


class ClosesOnce(ModbusDriver):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed twice")
        self.closed = True
        await super().close()


class LeavesATask(ModbusDriver):
    kept: set[asyncio.Task[None]]

    async def connect(self) -> None:
        self.__dict__.setdefault("kept", set()).add(asyncio.create_task(asyncio.sleep(3600)))
        await super().connect()


class PlansOnlyWhenConnected(ModbusDriver):
    def plan(self, points: Sequence[Point]) -> ReadPlan:
        self._alive()
        return super().plan(points)


class WritesAnything(ModbusDriver):
    async def write(self, point: Point, value: Value) -> None:
        return


RULES: list[tuple[str, type[ModbusDriver]]] = [
    ("test_d02_nobody_there_is_not_connected", RaisesTheLibrarysOwn),
    ("test_d02_nobody_there_is_not_connected", LeaksSockets),
    ("test_d03_values_come_in_the_order_asked", TurnsTheOrder),
    ("test_d04_an_unknown_point_harms_only_itself", SpoilsAll),
    ("test_d04_a_lost_connection_is_an_exception", HidesALoss),
    ("test_d06_close_is_always_harmless", ClosesOnce),
    ("test_d09_nothing_is_left_after_close", LeavesATask),
    ("test_d12_a_plan_needs_no_connection_and_lasts", PlansOnlyWhenConnected),
    ("test_d14_a_read_only_point_is_not_written", WritesAnything),
    ("test_d16_a_written_value_is_read_back", WritesAnything),
]
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
            deadline_s=2,
        )
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_coro().__qualname__ == "sleep":  # type: ignore[union-attr]
                task.cancel()


async def filled(bench: Bench) -> None:
    async with bench.connected() as driver:
        for raw, value in bench.good:
            await driver.write(bench.point(raw), value)


@pytest.mark.parametrize(("rule", "broken"), RULES, ids=lambda part: getattr(part, "__name__", ""))
async def test_a_broken_rule_is_caught(
    bench: Bench, rule: str, broken: Callable[[Any], ModbusDriver]
) -> None:
    await filled(bench)
    kit = DriverConformance()
    await getattr(kit, rule)(bench)
    with pytest.raises(BROKEN):
        await getattr(kit, rule)(replace(bench, spec=replace(SPEC, make=broken)))


async def test_io_in_make_is_caught(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = DriverConformance()
    kit.test_d01_making_a_driver_does_no_io(bench, monkeypatch)
    monkeypatch.undo()
    with pytest.raises(pytest.fail.Exception, match="D-01"):
        kit.test_d01_making_a_driver_does_no_io(
            replace(bench, spec=replace(SPEC, make=DoesIo)), monkeypatch
        )


async def test_loose_models_and_bare_fields_are_caught(bench: Bench) -> None:
    class Loose(SPEC.address):  # type: ignore[name-defined, misc]
        model_config = ConfigDict(extra="ignore")

    class Bare(StrictModel):
        host: str
        port: int

    kit = DriverConformance()
    kit.test_d13_unknown_keys_are_refused(bench)
    with pytest.raises(BROKEN):
        kit.test_d13_unknown_keys_are_refused(replace(bench, spec=replace(SPEC, address=Loose)))
    kit.test_d17_the_spec_describes_itself(bench)
    with pytest.raises(AssertionError, match="without a description"):
        spec = replace(SPEC, connection=Bare, endpoint=lambda connection: f"{connection.host}:1")
        kit.test_d17_the_spec_describes_itself(replace(bench, spec=spec))


async def test_an_eager_import_is_caught(bench: Bench) -> None:
    kit = DriverConformance()
    kit.test_d15_the_spec_imports_no_protocol_library(bench)
    with pytest.raises(AssertionError, match=r"D-15: importing gateway\.drivers\.modbus loads"):
        kit.test_d15_the_spec_imports_no_protocol_library(replace(bench, libraries=("pydantic",)))


async def test_forgotten_rule_classes_are_caught(bench: Bench) -> None:
    kit = DriverConformance()
    pushing = replace(bench, spec=replace(SPEC, modes=("subscribe", "poll")))
    with pytest.raises(AssertionError, match="inherit SubscribingConformance"):
        kit.test_d17_the_spec_describes_itself(pushing)
    with pytest.raises(AssertionError, match="inherit RefusalConformance"):
        kit.test_d17_the_spec_describes_itself(replace(bench, refused=bench.connection))
