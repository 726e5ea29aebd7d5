"""Links that break one rule of the contract each; the kit must catch every one."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.modbus import driver as modbus
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import UnitPlan
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.transport.tcp import TcpWay


class Sound(ModbusLink):
    """Not broken: what those below are made of."""


class ConnectsWhenMade(Sound):
    def __init__(self, connections: Sequence[Connection]) -> None:
        super().__init__(connections)
        socket.getaddrinfo("127.0.0.1", connections[0].port)


class MixesUnits(Sound):
    """Each driver asks the unit that was made first."""

    first: Connection | None = None

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        self.first = self.first or connection
        return super().driver(self.first)


class OneConnectionEach(Sound):
    """What there was before links: every unit connects for itself."""

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return ModbusLink([connection]).driver(connection)


class HasNoTurns(Sound):
    turns = 0  # type: ignore[assignment]


class SilenceEndsAll(Sound):
    """A silent unit takes the connection of all with it."""

    def _end_if_silent(self, channel: Channel) -> None:
        if channel.silences:
            channel.abort("no answer")


class SilenceIsALoss(Sound):
    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _CallsSilenceALoss(self, connection)


class _CallsSilenceALoss(modbus.ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        try:
            return await super().read(plan)
        except NoResponseError as error:
            raise NotConnectedError("lost") from error


class CountsTheWait(Sound):
    """The time-out of a reading begins when the one before has ended in silence."""

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _HasNoTimeLeft(self, connection)


class _HasNoTimeLeft(modbus.ModbusDriver):
    was_silent = False

    async def read(self, plan: UnitPlan) -> Reading:
        try:
            async with asyncio.timeout(0.01 if _HasNoTimeLeft.was_silent else None):
                return await super().read(plan)
        except NoResponseError:
            _HasNoTimeLeft.was_silent = True
            raise
        except TimeoutError as error:
            raise NoResponseError("no time left") from error


class TakesAnyAnswer(Sound):
    """What comes late is given to who asks next."""

    late: asyncio.Future[Reading] | None = None

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _TakesAnyAnswer(self, connection)


class _TakesAnyAnswer(modbus.ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        link: Any = self._link
        link.late = link.late or asyncio.ensure_future(super().read(plan))
        reading: Reading = await asyncio.shield(link.late)
        link.late = None
        return reading


class FirstOneClosesAll(Sound):
    async def leave(self, user: modbus.ModbusDriver) -> None:
        self._users.clear()
        await super().leave(user)


class NeverCloses(Sound):
    async def leave(self, user: modbus.ModbusDriver) -> None:
        self._users.discard(user)


class LeavesATask(Sound):
    async def join(self, user: modbus.ModbusDriver) -> None:
        await super().join(user)
        self.kept = asyncio.create_task(asyncio.sleep(3600))


class ConnectsOnce(Sound):
    has_connected = False

    async def join(self, user: modbus.ModbusDriver) -> None:
        if self._pool.is_empty and self.has_connected:
            raise NotConnectedError("lost for good")
        await super().join(user)
        self.has_connected = True


class CannotBeChanged(Sound):
    def configure(self, connections: Sequence[Connection]) -> None:
        if self._settings:
            raise RuntimeError("made already")
        super().configure(connections)


class ForgetsItsUnits(Sound):
    """New settings, and nobody is there any more."""

    def configure(self, connections: Sequence[Connection]) -> None:
        is_new = not self._settings
        super().configure(connections)
        if not is_new:
            self._pool.abort("new settings")
            self._dialling.way = TcpWay("127.0.0.255", 1)


class MixesAfterARepeat(Sound):
    """Who asks after another has asked twice is given that one's values."""

    asked: tuple[Any, ...] = ()
    given: Reading | None = None

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _MixesAfterARepeat(self, connection)


class _MixesAfterARepeat(modbus.ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        link: Any = self._link
        reading = await super().read(plan)
        is_repeat = len(link.asked) == 2 and link.asked[0] is link.asked[1] is not self
        link.asked = (*link.asked[-1:], self)
        reading, link.given = (link.given if is_repeat else reading), reading
        return reading


class PlansForOneConnection(Sound):
    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _PlansForOneConnection(self, connection)


class _PlansForOneConnection(modbus.ModbusDriver):
    losses = 0
    is_closed = True

    async def connect(self) -> None:
        await super().connect()
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True
        await super().close()

    def plan(self, points: Any) -> Any:
        return self.losses, super().plan(points)

    async def read(self, plan: Any) -> Reading:
        if plan[0] != self.losses:
            raise DriverError("this plan was for another connection")
        try:
            return await super().read(plan[1])
        except NotConnectedError:
            self.losses += not self.is_closed
            raise


class GivesWhatIsLateToWhoWaits(Sound):
    """What has come before it is asked is dropped, but whose a later answer is, nobody looks."""

    late: asyncio.Task[Reading] | None = None

    def driver(self, connection: Connection) -> modbus.ModbusDriver:
        return _GivesWhatIsLateToWhoWaits(self, connection)


class _GivesWhatIsLateToWhoWaits(modbus.ModbusDriver):
    async def read(self, plan: UnitPlan) -> Reading:
        link: Any = self._link
        late, link.late = link.late, None
        if late is not None:
            done, _ = await asyncio.wait({late}, timeout=0.02)
            if not done:
                return await late
            late.exception()
        task = asyncio.ensure_future(super().read(plan))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            link.late = task
            raise
