"""The DL/T 645 driver: one meter, on a line that others may share."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING
from weakref import WeakSet

from gateway.core.batch import Reading
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
    Point,
    TagFault,
    Value,
)
from gateway.drivers.dlt645 import codec
from gateway.drivers.dlt645.address import read_only
from gateway.drivers.dlt645.config import REQUEST_TIMEOUT_MS, Connection, endpoint
from gateway.drivers.dlt645.diagnosis import ADDRESS_ITEM, examine
from gateway.drivers.dlt645.plan import (
    CODES,
    LAYOUTS,
    NOT_SENT,
    SILENT,
    TORN,
    Read,
    reason_for,
    shown,
    words_for,
)
from gateway.drivers.extras import Finding
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.toolkit.layout import Kept
from gateway.drivers.toolkit.reading import Answer, ReadPlan, UnansweredError

if TYPE_CHECKING:
    from gateway.drivers.dlt645.line import Line
    from gateway.drivers.dlt645.link import DltLink

MOST_FRAMES = 32
"""Of one answer; the longest of the standard, load curves, need fewer."""

LATE_S = 60.0
"""An answer may be this late; after it nothing is expected any more."""

OTHERS = (0x04000401, 0x04000402, 0x04000101, 0x04000102)
"""What a meter is asked for to hear that it is in step: every meter knows one of them."""


def named(connection: Connection) -> str:
    """Who is asked, as it is written; empty: whoever is alone on the line."""
    return "" if connection.meter == codec.ANYBODY else connection.meter


class MeterPlan(ReadPlan):
    """The plan of one meter; it keeps the layout that equal ones share."""

    def __init__(self, kept: Kept) -> None:
        super().__init__(kept.layout, CODES)
        self.kept = kept


class DltDriver:
    """Reads one meter. See :class:`gateway.drivers.api.Driver` for the contract.

    An answer repeats the data identifier it was asked for, but not when: one that was given up
    may come while the same is asked again, with a value of then. So after silence a meter is
    asked for something else first; meters answer in turn, so what was late has come by then. The
    same is done where one item is asked again within a time-out: repeaters say things twice.
    """

    def __init__(self, link: "DltLink", connection: Connection) -> None:
        self._link = link
        self._connection = connection
        self.timeout_ms = connection.request_timeout_ms or REQUEST_TIMEOUT_MS
        self._meter = named(connection)
        self._name = f"meter {connection.meter} at {endpoint(connection)}"
        self._plans: WeakSet[MeterPlan] = WeakSet()
        self._late: dict[int, float] = {}  # given up, and when: may still be answered
        self._heard: dict[int, float] = {}  # answered, and when, the newest last
        self._frames = NOT_KEPT

    def record(self, frames: FrameLog) -> None:
        """Keep what goes to the meter and comes from it."""
        self._frames = frames

    async def connect(self) -> None:
        """Join the line; whether the meter answers shows at the first reading."""
        await self.close()
        self._meter = named(self._connection)
        try:
            await self._link.join(self)
        except NotConnectedError as error:
            raise NotConnectedError(
                f"cannot connect to {self._name}: {error}", error.reason
            ) from error

    async def number(self) -> str:
        """The number of the meter, or of whoever is alone on the line; empty: nobody answers.

        Raises:
            NotConnectedError: the line is lost.
        """
        meter = self._connection.meter
        is_named = meter != codec.ANYBODY
        request = codec.read(meter, ADDRESS_ITEM) if is_named else codec.read_address()
        answer = await self._exchange(await self._link.line(self), request)
        return answer.meter if answer else ""

    async def diagnose(self) -> AsyncIterator[Finding]:
        """Look closer at the meter; see :mod:`gateway.drivers.dlt645.diagnosis`."""
        line = await self._link.line(self)

        async def ask(request: codec.Request, wake_up: int) -> codec.Frame | None:
            return await self._exchange(line, request, wake_up)

        wanted, is_alone = self._connection, self._link.meters == 1
        try:
            async for one in examine(ask, lambda: line.stranger, wanted, is_alone=is_alone):
                yield one
        except NotConnectedError as error:
            raise NotConnectedError(f"{self._name}: {error}", error.reason) from error

    def plan(self, points: Sequence[Point]) -> MeterPlan:
        """One request for each data identifier."""
        plan = MeterPlan(LAYOUTS.get(points, self._connection))
        self._plans.add(plan)
        return plan

    async def read(self, plan: MeterPlan) -> Reading:
        """Read all points of a plan once."""
        steps = plan.poll()
        try:
            line = await self._link.line(self)
            if not self._meter:
                self._meter = await self._the_only_meter(line)
            reads = next(steps)
            while True:
                reads = steps.send(await self._ask_all(line, reads))
        except StopIteration as end:
            reading: Reading = end.value
            return reading
        except UnansweredError as fault:
            self._meter = named(self._connection)  # it may have been exchanged for another
            what = f"{self._name}: no answer within {self.timeout_ms} ms to {shown(fault.block)}"
            raise NoResponseError(what + self._hint(line)) from fault
        except NotConnectedError as error:
            raise NotConnectedError(f"{self._name}: {error}", error.reason) from error

    async def _the_only_meter(self, line: "Line") -> str:
        """The meter that is alone on its line, which is asked by its number from then on.

        All are asked twice, as whatever else answers the first time comes before the second one.

        Raises:
            NoResponseError: none answers, or several do: values of any would pass for the one's.
        """
        said: set[str] = set()
        for request in (codec.read_address(), codec.read(codec.ANYBODY, ADDRESS_ITEM)):
            answer = await self._exchange(line, request)
            said |= {answer.meter if answer else "", line.stranger} - {""}
        if not said:
            raise NoResponseError(f"{self._name}: no answer within {self.timeout_ms} ms")
        # Some repeat the address that was written, which says nothing.
        one, *more = sorted(said - {codec.ANYBODY}) or [codec.ANYBODY]
        if more:
            raise NoResponseError(
                f"{self._name}: meters {', '.join([one, *more])} answer: write meter"
            )
        return one

    def _hint(self, line: "Line") -> str:
        if line.stranger:
            return f"; meter {line.stranger} answered instead: see meter"
        return ""

    async def _ask_all(self, line: "Line", reads: Sequence[Read]) -> list[Answer]:
        """Ask one after the other, what may be answered late last; no more after silence."""
        answers: list[Answer] = [NOT_SENT] * len(reads)
        for at in sorted(range(len(reads)), key=lambda at: self._is_doubtful(reads[at].item)):
            read = reads[at]
            is_asked = not self._is_doubtful(read.item) or await self._is_in_step(line, read.item)
            answers[at] = await self._ask(line, read) if is_asked else SILENT
            if answers[at] == SILENT:
                break
        return answers

    def _is_doubtful(self, item: int) -> bool:
        """Whether what comes may be the answer to an earlier request: late, or repeated."""
        now = self._now()
        is_late = now - self._late.get(item, -LATE_S) < LATE_S
        return is_late or now - self._heard.get(item, -LATE_S) < self.timeout_ms / 1_000

    async def _is_in_step(self, line: "Line", item: int) -> bool:
        """Whether the meter answers something else, which it cannot be answering late."""
        others = [one for one in (*reversed(self._heard), *OTHERS) if one != item]
        sure = [one for one in others if not self._is_doubtful(one)]
        # Where all are in doubt, the one that was given up first.
        asked = sure[0] if sure else min(others, key=lambda one: self._late.get(one, 0.0))
        answer = await self._exchange(line, codec.read(self._meter, asked))
        if answer is None:
            return False
        self._late.clear()
        self._note_heard(asked)
        return True

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _exchange(
        self, line: "Line", request: codec.Request, wake_up: int | None = None
    ) -> codec.Frame | None:
        """Ask once; what is not answered may be answered late."""
        wake_up = self._connection.wake_up if wake_up is None else wake_up
        wait_s = self.timeout_ms / 1_000
        item, answer = int.from_bytes(request.item, "little"), None
        try:
            answer = await line.ask(request, wake_up, wait_s, self._frames)
        finally:  # cut off, too
            if answer is None:
                self._late[item] = self._now()
        if answer is None:
            self._frames.note(f"no answer within {self.timeout_ms} ms")
        return answer

    async def _ask(self, line: "Line", read: Read) -> Answer:
        """The data of one identifier, from as many frames as it takes, or a code."""
        meter, data = self._meter, b""
        request = codec.read(meter, read.item)
        for number in range(1, MOST_FRAMES + 1):
            answer = await self._exchange(line, request)
            if answer is None:
                return SILENT
            if answer.control & codec.REFUSED and self._late:
                self._late.clear()  # it does not say what it refuses: what was given up, perhaps
                return await self._ask(line, read)
            if answer.control & codec.REFUSED:
                return answer.data[0] if answer.data else TORN
            body = answer.data[codec.ITEM :]
            if number > 1:
                if body[-1:] != bytes((number - 1,)):
                    return TORN
                body = body[:-1]
            data += body
            if not answer.control & codec.MORE:
                self._late.clear()
                self._note_heard(read.item)
                return read.wanted(data)
            request = codec.read_more(meter, read.item, number)
        return TORN

    def _note_heard(self, item: int) -> None:
        self._heard.pop(item, None)
        self._heard[item] = self._now()

    def tag_faults(self) -> dict[str, TagFault]:
        """Which identifier each tag is missed by, and how it was answered."""
        return {
            plan.kept.points[member].name: TagFault(
                reason_for(code), f"{words_for(code)}, asked for {shown(block)}"
            )
            for plan in self._plans
            for block, code in plan.missed
            for member in block.members
        }

    async def write(self, point: Point, value: Value) -> None:
        """Refuse: writing needs the meter's password and operator, and is not built."""
        raise DriverError(
            f"cannot write {value!r} to {point.name} ({point.address}) of {self._name}: "
            f"{read_only(point.address)}"
        )

    async def close(self) -> None:
        """Leave the line; the last meter closes it."""
        await self._link.leave(self)
