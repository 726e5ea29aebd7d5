"""Drivers of counters that break one rule of the contract each; see ``tests.drivers.acme``.

They stand in a plain module, not in a package: the kit searches the files of a driver's package.
"""

import asyncio
import re
import socket
from typing import Any, ClassVar

from broken_base import Sound
from qulink_acme.config import Connection
from qulink_acme.driver import Plan

from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NotConnectedError, Point, Value

FORM = re.compile(r"[RW] \d+ \d+.*")


class DoesIo(Sound):
    """D-01."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        socket.getaddrinfo("127.0.0.1", connection.port)


class DoesNotSayWhom(Sound):
    """D-02."""

    async def connect(self) -> None:
        try:
            await super().connect()
        except NotConnectedError as error:
            raise NotConnectedError("cannot connect") from error


class LeaksSockets(Sound):
    """D-02."""

    kept: ClassVar[list[socket.socket]] = []

    async def connect(self) -> None:
        try:
            await super().connect()
        except NotConnectedError:
            self.kept.append(socket.socket())
            raise


class NeedsPoints(Sound):
    """D-03."""

    def plan(self, points: Any) -> Plan:
        _ = points[0]
        return super().plan(points)


class SpoilsAll(Sound):
    """D-04."""

    async def read(self, plan: Plan) -> Reading:
        reading = await super().read(plan)
        reading.status[:] = max(reading.status, default=0)
        return reading


class HidesALoss(Sound):
    """D-04."""

    async def read(self, plan: Plan) -> Reading:
        was_open = self._streams is not None
        try:
            return await super().read(plan)
        except NotConnectedError as error:
            if was_open:
                raise DriverError("something went wrong") from error
            raise


class ClosesOnlyWhatWasOpened(Sound):
    """D-06."""

    was_opened = False

    async def connect(self) -> None:
        self.was_opened = True
        await super().connect()

    async def close(self) -> None:
        if not self.was_opened:
            raise RuntimeError("was never opened")
        await super().close()


class KeepsWhatIsLate(Sound):
    """D-07: what was cut off is answered over the connection that is taken up again."""

    late: Any = None

    async def connect(self) -> None:
        if self.late is None:
            await super().connect()
        else:
            self._streams, self.late = self.late, None

    async def _ask(self, request: str) -> str:
        if self._streams is None:
            raise NotConnectedError("not connected")
        streams = self._streams
        try:
            return await _any_answer(streams, request)
        except asyncio.CancelledError:
            self.late, self._streams = streams, None
            raise
        except NotConnectedError:
            await self.close()
            raise

    async def abandon(self) -> None:
        """What the kit cannot do: close what was kept."""
        self._streams = self.late
        await super().close()


async def _any_answer(streams: Any, request: str) -> str:
    """The next line, whoever and whatever it is an answer to."""
    reader, writer = streams
    try:
        writer.write(f"{request}\n".encode())
        line = (await reader.readuntil()).decode().rstrip("\n")
    except (OSError, EOFError, UnicodeError) as error:
        raise NotConnectedError(f"{request}: {error}") from error
    asked, _, answer = line.partition("=")
    if not FORM.fullmatch(asked):
        raise NotConnectedError(f"{asked!r} is no answer")
    return answer


class PlansForOneConnection(Sound):
    """D-08."""

    losses = 0

    def plan(self, points: Any) -> Any:
        return self.losses, super().plan(points)

    async def read(self, plan: Any) -> Reading:
        if plan[0] != self.losses:
            raise DriverError("this plan was for another connection")
        try:
            return await super().read(plan[1])
        except NotConnectedError as error:
            self.losses += isinstance(error.__cause__, OSError | EOFError)
            raise


class LeavesATask(Sound):
    """D-09."""

    kept: ClassVar[list[asyncio.Task[Any]]] = []

    async def connect(self) -> None:
        await super().connect()
        self.kept.append(asyncio.create_task(asyncio.Event().wait()))


class BelievesNoise(Sound):
    """D-10."""

    async def _ask(self, request: str) -> str:
        try:
            return await super()._ask(request)
        except NotConnectedError as error:
            if not isinstance(error.__cause__, ValueError):
                raise
            await self.connect()
            return "0"


class PlansOnlyWhenConnected(Sound):
    """D-12."""

    def plan(self, points: Any) -> Plan:
        if self._streams is None:
            raise NotConnectedError("not connected")
        return super().plan(points)


class WritesNothingAndSaysNothing(Sound):
    """D-14."""

    async def write(self, point: Point, value: Value) -> None:
        try:
            await super().write(point, value)
        except NotConnectedError:
            raise
        except DriverError:
            return


class ForgetsToWrite(Sound):
    """D-16."""

    async def write(self, point: Point, value: Value) -> None:
        if point.address.channel != 3 or isinstance(value, str):
            await super().write(point, value)


class SharesALine(Sound):
    """D-29: drivers of one endpoint share a connection, and take whatever comes next over it."""

    lines: ClassVar[dict[tuple[str, int], Any]] = {}
    users: ClassVar[dict[tuple[str, int], set[Any]]] = {}

    @property
    def key(self) -> tuple[str, int]:
        return self._connection.host, self._connection.port

    async def connect(self) -> None:
        await self.close()
        if self.key not in self.lines:
            await super().connect()
            self.lines[self.key] = self._streams
        self._streams = self.lines[self.key]
        self.users.setdefault(self.key, set()).add(self)

    async def close(self) -> None:
        self._streams = None
        users = self.users.get(self.key, set())
        users.discard(self)
        if not users and self.key in self.lines:
            self.lines.pop(self.key)[1].close()

    async def _ask(self, request: str) -> str:
        if self._streams is None:
            raise NotConnectedError("not connected")
        try:
            return await _any_answer(self._streams, request)
        except NotConnectedError:
            await self.close()
            raise


class KeepsEveryReading(Sound):
    """D-30."""

    kept: list[bytes]

    async def read(self, plan: Plan) -> Reading:
        self.__dict__.setdefault("kept", []).append(bytes(65_536))
        return await super().read(plan)


class LooksEverythingUpAgain(Sound):
    """D-31: for each value it goes through all others, again and again."""

    async def read(self, plan: Plan) -> Reading:
        for _ in range(6 * len(plan.points)):
            sum(one.name < other.name for one in plan.points for other in plan.points * 4)
        return await super().read(plan)


class CallsARefusalALoss(Sound):
    """D-11."""

    refusal = NotConnectedError
