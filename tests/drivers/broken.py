"""Drivers that break one rule of the contract each; the kit must catch every one."""

import asyncio
import socket
from collections.abc import Sequence

import numpy as np

from gateway.core.batch import Reading, Status
from gateway.core.schema import runs_of
from gateway.core.status import FIRST_BAD
from gateway.drivers.api import Arrivals, DriverError, NotConnectedError, Point, RefusedError, Value
from gateway.drivers.modbus import driver as modbus
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import UnitPlan
from gateway.drivers.modbus.link import ModbusLink


class ModbusDriver(modbus.ModbusDriver):
    """Not broken: a unit on a link of its own."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(ModbusLink([connection]), connection)


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
    async def read(self, plan: UnitPlan) -> Reading:
        reading = await super().read(plan)
        return Reading(tuple(column[::-1] for column in reading.columns), reading.status)


class NeedsPoints(ModbusDriver):
    def plan(self, points: Sequence[Point]) -> UnitPlan:
        _ = points[0]
        return super().plan(points)


class SpoilsAll(ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        reading = await super().read(plan)
        return Reading(reading.columns, np.full_like(reading.status, reading.status.max()))


class HidesALoss(ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
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


class ClosesSlowly(ModbusDriver):
    async def close(self) -> None:
        await super().close()
        await asyncio.sleep(60)


class OnlySaysItCloses(ModbusDriver):
    """Keeps its connection, and hands what was asked before the end to who asks next."""

    late: asyncio.Future[Reading] | None = None

    async def connect(self) -> None:
        if self._link is None:
            await super().connect()

    async def read(self, plan: UnitPlan) -> Reading:
        self.late = self.late or asyncio.ensure_future(super().read(plan))
        reading = await asyncio.shield(self.late)
        self.late = None
        return reading

    async def close(self) -> None:
        """Do nothing."""


class ConnectsOnce(ModbusDriver):
    connected = False

    async def connect(self) -> None:
        if self.connected:
            raise RuntimeError("connected twice")
        await super().connect()
        self.connected = True


class LeavesATask(ModbusDriver):
    kept: set[asyncio.Task[None]]

    async def connect(self) -> None:
        self.__dict__.setdefault("kept", set()).add(asyncio.create_task(asyncio.sleep(3600)))
        await super().connect()


class PlansOnlyWhenConnected(ModbusDriver):
    def plan(self, points: Sequence[Point]) -> UnitPlan:
        self._alive()
        return super().plan(points)


class WritesAnything(ModbusDriver):
    async def write(self, point: Point, value: Value) -> None:
        return


class Refused(ModbusDriver):
    """Not broken: what the kit wants of a device that refuses."""

    async def connect(self) -> None:
        raise RefusedError("wrong password")


class Pushing(ModbusDriver):
    """Not broken: a subscription that is a poll in truth."""

    points: Sequence[Point] = ()
    last: dict[int, Value]

    async def subscribe(self, _group: str, points: Sequence[Point], _interval_ms: int) -> Status:
        self.points, self.last = points, {}
        return np.where((await self.read(self.plan(points))).status >= FIRST_BAD, 0x82, 0)

    async def arrivals(self) -> Sequence[Arrivals]:
        while True:
            reading = await self.read(self.plan(self.points))
            if index := self.news(reading):
                return [self.delivery(index)]
            await asyncio.sleep(0.01)

    def news(self, reading: Reading) -> list[int]:
        values = [value for column in reading.columns for value in column.tolist()]
        good = {i: v for i, v in enumerate(values) if reading.status[i] < FIRST_BAD}
        changed = [i for i, value in good.items() if self.last.get(i) != value]
        self.last |= good
        return changed

    def delivery(self, index: list[int]) -> Arrivals:
        runs = runs_of(self.points[i].kind for i in index)
        values = [self.last[i] for i in index]
        columns = tuple(np.array(values[run.span], run.kind.dtype) for run in runs)
        times, status = np.zeros(len(index), np.int64), np.zeros(len(index), np.uint8)
        return Arrivals("group", np.array(index, np.uint32), times, columns, status)


class PushesInAnyOrder(Pushing):
    def delivery(self, index: list[int]) -> Arrivals:
        return super().delivery(index[::-1])


class AcceptsTheUnknown(Pushing):
    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        return np.zeros_like(await super().subscribe(group, points, interval_ms))


class PushesNoFirstValues(Pushing):
    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        status = await super().subscribe(group, points, interval_ms)
        self.news(await self.read(self.plan(points)))
        return status


class PushesOnlyFirstValues(Pushing):
    def news(self, reading: Reading) -> list[int]:
        return [] if self.last else super().news(reading)


class ReadsBadForEver(ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        try:
            return await super().read(plan)
        except NotConnectedError:
            return Reading((), np.full(len(plan.blocks), 0x82, np.uint8))


class NeverNoticesSilence(Pushing):
    async def arrivals(self) -> Sequence[Arrivals]:
        try:
            return await super().arrivals()
        except NotConnectedError:
            return []
