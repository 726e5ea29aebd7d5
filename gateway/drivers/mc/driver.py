"""The MC protocol driver: one CPU, over a connection that others behind its port may share."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
from weakref import WeakSet

from gateway.core.batch import Reading
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
    Point,
    RefusedError,
    TagFault,
    Value,
)
from gateway.drivers.extras import Finding
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.mc import codec, ends
from gateway.drivers.mc.channel import Channel, Station
from gateway.drivers.mc.config import REQUEST_TIMEOUT_MS, Connection, Frame, endpoint, route
from gateway.drivers.mc.diagnosis import examine
from gateway.drivers.mc.plan import (
    LAYOUTS,
    Read,
    messages,
    parted,
    request,
    shown,
    write_request,
)
from gateway.drivers.toolkit.plans import PointPlan
from gateway.drivers.toolkit.reading import Answer, UnansweredError

if TYPE_CHECKING:
    from gateway.drivers.mc.link import McLink


class McDriver:
    """Reads and writes one CPU. See :class:`gateway.drivers.api.Driver` for the contract."""

    def __init__(self, link: "McLink", connection: Connection) -> None:
        self._link = link
        self._connection = connection
        self.timeout_ms = connection.request_timeout_ms or REQUEST_TIMEOUT_MS
        self._timeout_s = self.timeout_ms / 1000
        self._most_random = codec.MOST_RANDOM[connection.series] if connection.random_read else 0
        self._name = f"MELSEC controller at {endpoint(connection)}"
        self._frames = NOT_KEPT
        self._channel: Channel | None = None
        self._plans: WeakSet[PointPlan] = WeakSet()

    def record(self, frames: FrameLog) -> None:
        """Keep what goes over the wire from now on."""
        self._frames = frames

    async def connect(self) -> None:
        """Join the connection; whether the CPU answers shows at the first reading."""
        await self.close()
        try:
            self._channel = await self._link.join(self)
        except NotConnectedError as error:
            self._frames.note(f"cannot connect: {error}")
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error

    def diagnose(self) -> AsyncIterator[Finding]:
        """Look closer at the controller; see :mod:`gateway.drivers.mc.diagnosis`."""
        return examine(self._ask_in, self._connection)

    async def model(self) -> str:
        """Which CPU it is, or what it says in place of that.

        Raises:
            NotConnectedError, NoResponseError: nobody answers.
        """
        answer = await self._ask(codec.read_model())
        if answer == ends.SILENT:
            raise NoResponseError(f"{self._name}: no answer")
        return codec.model_name(answer) if isinstance(answer, bytes) else ends.words_for(answer)

    async def _ask_in(self, asked: codec.Request, frame: Frame) -> Answer:
        """Ask in the frames of the connection, or in others over a connection of their own."""
        if frame is self._connection.frame:
            return await self._ask(asked)
        await self.close()  # ports of controllers serve one connection
        channel = await self._link.open(frame)
        try:
            return await channel.ask(asked, self._station)
        finally:
            channel.abort("the frames were tried")

    @property
    def _station(self) -> Station:
        timer_ms = self._connection.monitoring_timer_ms
        return Station(route(self._connection), timer_ms, self._timeout_s, self._frames)

    def plan(self, points: Sequence[Point]) -> PointPlan:
        """Merge the points into the fewest requests."""
        plan = PointPlan(LAYOUTS.get(points, self._connection), ends.CODES)
        self._plans.add(plan)
        return plan

    async def read(self, plan: PointPlan) -> Reading:
        """Read all points of a plan once."""
        try:
            return await plan.read(self._ask_all)
        except UnansweredError as fault:
            what = f"{self._name}: no answer within {self._timeout_s * 1000:.0f} ms"
            raise NoResponseError(f"{what} to {shown(fault.block)}") from fault

    async def _ask_all(self, reads: Sequence[Read]) -> list[Answer]:
        answers: list[Answer] = [ends.NOT_SENT] * len(reads)
        for places in messages(reads, self._most_random):
            found = await self._ask_some([reads[place] for place in places])
            for place, answer in zip(places, found, strict=True):
                answers[place] = answer
            if ends.SILENT in found:
                break
        return answers

    async def _ask_some(self, reads: Sequence[Read]) -> Sequence[Answer]:
        """Requests that share a message; where one may be to blame for its refusal, each alone."""
        answer = await self._ask(request(reads, self._connection.series))
        if isinstance(answer, bytes):
            return parted(reads, answer)
        if answer == ends.SILENT:
            return [answer, *[ends.NOT_SENT] * (len(reads) - 1)]
        if len(reads) == 1 or answer not in ends.APART:
            return [answer] * len(reads)
        if answer == ends.UNSUPPORTED:
            self._most_random = 0
        return await self._ask_each(reads)

    async def _ask_each(self, reads: Sequence[Read]) -> Sequence[Answer]:
        answers: list[Answer] = [ends.NOT_SENT] * len(reads)
        for place, read in enumerate(reads):
            answers[place] = (await self._ask_some([read]))[0]
            if answers[place] == ends.SILENT:
                break
        return answers

    async def _ask(self, asked: codec.Request) -> Answer:
        channel = self._channel
        if channel is None:
            raise NotConnectedError(f"{self._name}: not connected")
        try:
            answer = await channel.ask(asked, self._station)
        except NotConnectedError as error:
            raise NotConnectedError(f"{self._name}: {error}", error.reason) from error
        if isinstance(answer, int) and ends.is_locked(answer):
            raise RefusedError(f"{self._name}: {ends.words_for(answer)}")
        return answer

    def tag_faults(self) -> dict[str, TagFault]:
        """Which request each tag is missed by, and how it was answered."""
        return {
            name: fault
            for plan in self._plans
            for name, fault in plan.faults(
                lambda block, code: f"{ends.words_for(code)}; asked for {shown(block)}"
            )
        }

    async def write(self, point: Point, value: Value) -> None:
        """Write one value; the controller's confirmation has no data to compare."""
        answer = await self._ask(write_request(point, value, self._connection.series))
        what = f"{point.name} ({point.address})"
        if answer == ends.SILENT:
            raise NoResponseError(
                f"{self._name} did not confirm to have written {what}; it may have"
            )
        if isinstance(answer, int):
            words = ends.words_for(answer)
            raise DriverError(f"{self._name} refused to write {what}: {words}")

    async def close(self) -> None:
        """Leave the connection; the last one behind the port closes it."""
        self._channel = None
        await self._link.leave(self)
