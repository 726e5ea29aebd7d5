"""The S7 driver: one connection to one CPU."""

from collections.abc import AsyncIterator, Sequence
from weakref import WeakSet

from gateway.core.batch import Reading
from gateway.drivers.api import (
    DriverError,
    NotConnectedError,
    Point,
    RefusedError,
    TagFault,
    Value,
)
from gateway.drivers.extras import Finding
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.s7 import codec
from gateway.drivers.s7.address import Address
from gateway.drivers.s7.channel import Channel
from gateway.drivers.s7.config import REQUEST_TIMEOUT_MS, Connection, endpoint
from gateway.drivers.s7.diagnosis import examine
from gateway.drivers.s7.plan import LAYOUTS, head, shown, write_request
from gateway.drivers.toolkit.plans import PointPlan
from gateway.drivers.toolkit.reading import Answer


class S7Driver:
    """Reads and writes one CPU. See :class:`gateway.drivers.api.Driver` for the contract."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.timeout_ms = connection.request_timeout_ms or REQUEST_TIMEOUT_MS
        self._timeout_s = self.timeout_ms / 1000
        self._name = f"S7 at {endpoint(connection)}"
        self._frames = NOT_KEPT
        self._channel: Channel | None = None
        self._plans: WeakSet[PointPlan] = WeakSet()

    def record(self, frames: FrameLog) -> None:
        """Keep what goes over the wire from the next connection on."""
        self._frames = frames

    async def connect(self) -> None:
        """Open the connection; whether the CPU lets us read shows at the first reading."""
        await self.close()
        self._channel = Channel(self._connection, self._timeout_s, self._frames)
        try:
            await self._channel.open()
        except NotConnectedError as error:
            words = (
                f"cannot connect to {self._name}: {error}; see rack and slot, and whether all "
                "connections of the CPU are taken"
            )
            raise NotConnectedError(words, error.reason) from error

    async def diagnose(self) -> AsyncIterator[Finding]:
        """Look closer at the CPU; see :mod:`gateway.drivers.s7.diagnosis`."""
        try:
            async for finding in examine(self._connected(), self._connection):
                yield finding
        except NotConnectedError as error:
            raise self._lost(error) from error

    def plan(self, points: Sequence[Point]) -> PointPlan:
        """Merge the points into the fewest parts of messages."""
        plan = PointPlan(LAYOUTS.get(points, self._connection), codec.CODES)
        self._plans.add(plan)
        return plan

    async def read(self, plan: PointPlan) -> Reading:
        """Read all points of a plan once."""
        return await plan.read(self._ask_all)

    async def _ask_all(self, items: Sequence[codec.Item]) -> list[Answer]:
        channel = self._connected()
        answers: list[Answer] = [codec.NOT_SENT] * len(items)
        for places in codec.messages(items, channel.pdu):
            found = await self._ask([items[place] for place in places], channel)
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer
        self._demand_access(items, answers)
        return answers

    async def _ask(self, items: Sequence[codec.Item], channel: Channel) -> Sequence[Answer]:
        """Parts that share a message; where it is refused as a whole, each by itself."""
        if codec.is_too_long(items[0], channel.pdu):
            return [codec.TOO_LONG]
        try:
            return await channel.read(items)
        except codec.RefusedAnswerError as error:
            if len(items) == 1:
                return [error.code]
        except NotConnectedError as error:
            raise self._lost(error) from error
        return [(await self._ask([item], channel))[0] for item in items]

    def _demand_access(self, items: Sequence[codec.Item], answers: Sequence[Answer]) -> None:
        """Say at once that nothing is let be read; timers alone do not exist everywhere."""
        is_memory = any(not item.area.is_element for item in items)
        refusals = [one for one in answers if isinstance(one, int) and one in codec.NO_ACCESS]
        if is_memory and len(refusals) == len(items):
            raise RefusedError(f"{self._name}: {codec.words_for(refusals[0])}")

    def _connected(self) -> Channel:
        if self._channel is None:
            raise NotConnectedError(f"{self._name}: not connected")
        return self._channel

    def _lost(self, error: NotConnectedError) -> NotConnectedError:
        return NotConnectedError(f"{self._name}: {error}", error.reason)

    def tag_faults(self) -> dict[str, TagFault]:
        """Which part of a message each tag is missed by, and how it was answered."""
        return {
            name: fault
            for plan in self._plans
            for name, fault in plan.faults(
                lambda block, code: f"{codec.words_for(code)}; asked for {shown(block)}"
            )
        }

    async def write(self, point: Point, value: Value) -> None:
        """Write one value; the controller's confirmation is checked."""
        write_request(point, value, None)  # whatever is wrong by itself is said before anything
        channel = self._connected()
        what = f"{point.name} ({point.address})"
        try:
            longest = await self._longest(point.address, channel)
            answer = await channel.write(write_request(point, value, longest))
        except codec.RefusedAnswerError as error:
            answer = error.code
        except NotConnectedError as error:
            words = f"{self._name} confirmed nothing, it may have written {what}: {error}"
            raise NotConnectedError(words, error.reason) from error
        if answer != codec.DONE:
            words = codec.words_for(answer)
            raise DriverError(f"{self._name} refused to write {what}: {words}")

    async def _longest(self, address: Address, channel: Channel) -> int | None:
        """How many characters a text was declared with; more would overwrite what follows."""
        item = head(address)
        if item is None:
            return None
        (answer,) = await channel.read([item])
        if isinstance(answer, int):
            raise codec.RefusedAnswerError(answer)
        return int.from_bytes(answer, "big")

    async def close(self) -> None:
        """Close the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.abort("closed")
