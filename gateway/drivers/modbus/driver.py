"""The Modbus driver: one unit, reached over a link that other units may share."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet

import numpy as np

from gateway.core.batch import Reading
from gateway.core.status import bad
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
    Point,
    TagFault,
    Value,
)
from gateway.drivers.extras import Finding, Notice
from gateway.drivers.frames import FrameLog
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.config import (
    REQUEST_TIMEOUT_MS,
    Connection,
    Unit,
    endpoint,
)
from gateway.drivers.modbus.diagnosis.unit import examine
from gateway.drivers.modbus.diagnosis.words import hint, request_words, said_to
from gateway.drivers.modbus.identifying import identify
from gateway.drivers.modbus.plan import CODES, LAYOUTS, write_request
from gateway.drivers.modbus.reach.leaving_alone import Away, asking_of
from gateway.drivers.toolkit.layout import Kept
from gateway.drivers.toolkit.learnt import LONGEST_PAUSE
from gateway.drivers.toolkit.merge import Block
from gateway.drivers.toolkit.reading import ReadPlan, UnansweredError

if TYPE_CHECKING:
    from gateway.drivers.modbus.link import ModbusLink


class UnitPlan(ReadPlan):
    """The plan of one unit; it keeps the layout that equal units share.

    Of several plans of a unit – its groups – one may hold nothing that is ever answered. It is
    left alone for longer and longer, as single requests are, and costs the others no session.
    """

    def __init__(self, kept: Kept) -> None:
        super().__init__(kept.layout, CODES)
        self.kept = kept
        self._code = codec.SILENT
        self._alone = self._left = 0  # readings that pass without asking; how many are left

    def passes(self) -> bool:
        """Begin a reading; whether it passes without asking."""
        self._left = max(0, self._left - 1)
        return self._left > 0

    def is_answered(self) -> None:
        """It holds something that is answered."""
        self._alone = self._left = 0

    def leave_alone(self, code: int) -> Reading:
        """Nothing of it was answered, though the unit is there; what its points are meanwhile."""
        self._alone = min(2 * self._alone or 1, LONGEST_PAUSE)
        self._left, self._code = self._alone + 1, code
        return self.nothing()

    def nothing(self) -> Reading:
        """A reading without values."""
        self.missed = [(block, self._code) for block in self.blocks]
        layout = self.kept.layout
        status = np.full(len(layout.places), bad(codec.reason_for(self._code)), np.uint8)
        return Reading(layout.decoder.columns(bytes(layout.size), status), status)


class ModbusDriver:
    """Reads and writes one unit. See :class:`gateway.drivers.api.Driver` for the contract.

    Args:
        link: what the units of its host and port share.
        connection: the unit's own settings.

    Attributes:
        renewals: connections that were made anew within readings, because the one that had
            served was ended.
    """

    def __init__(self, link: "ModbusLink", connection: Connection) -> None:
        self._link = link
        self._connection = connection
        quirks = frozenset(connection.quirks)
        self._unit = Unit(
            connection.unit,
            connection.window or 1,
            (connection.request_timeout_ms or REQUEST_TIMEOUT_MS) / 1000,
            quirks,
            pause_s=connection.unit_pause_ms / 1000,
        )
        self._away: Away | None = None
        self._asking = asking_of(link, self, self._unit, self._away)
        self.renewals = 0
        self._plans: WeakSet[UnitPlan] = WeakSet()
        self._heard: WeakSet[UnitPlan] = WeakSet()  # of which something was answered last time
        self._turn = 0  # failed readings of the whole unit
        self._name = f"Modbus unit {connection.unit} at {endpoint(connection)}"

    @property
    def timeout_ms(self) -> int:
        """How long a first answer is waited for now."""
        return round(self._asking.waits_s * 1000)

    def record(self, frames: FrameLog) -> None:
        """Keep what goes to and comes from the unit."""
        self._unit = replace(self._unit, frames=frames)
        self._asking = asking_of(self._link, self, self._unit, self._away)

    def lend(self, away: Away) -> None:
        """Let others have the line in the unit's own pauses."""
        self._away = away
        self._asking = asking_of(self._link, self, self._unit, away)

    def diagnose(self) -> AsyncIterator[Finding]:
        """Whether the unit answers, which functions it has, and who answers instead."""
        return examine(self._link, self, self._unit)

    async def ready(self) -> None:
        """Wait until the unit's own pause is over."""
        await self._asking.ready()

    async def connect(self) -> None:
        """Join the link; whether the unit answers shows at the first reading."""
        await self.close()
        try:
            await self._link.join(self)
        except NotConnectedError as error:
            self._unit.frames.note(f"cannot connect: {error}")
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error

    def plan(self, points: Sequence[Point]) -> UnitPlan:
        """Merge the points into the fewest requests."""
        plan = UnitPlan(LAYOUTS.get(points, self._connection))
        self._plans.add(plan)
        return plan

    async def read(self, plan: UnitPlan) -> Reading:
        """Read all points of a plan once."""
        # Where nothing is heard of the unit a reading without a request would be a sign of life.
        if self._heard and plan.passes():
            return plan.nothing()
        try:
            return await self._read(plan)
        except UnansweredError as fault:
            raise self._unheard(fault) from fault
        except NotConnectedError as error:
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error
        finally:
            self._asking.end()

    async def _read(self, plan: UnitPlan) -> Reading:
        self._asking.begin()
        await self._knock(plan)
        try:
            reading = await self._poll(plan)
        except UnansweredError as fault:
            self._heard.discard(plan)
            other = next(iter(self._heard), None)
            if other is None or not await self._hears(other):
                raise
            return plan.leave_alone(fault.code)
        plan.is_answered()
        self._heard.add(plan)
        self._asking.heard()
        return reading

    async def _knock(self, plan: UnitPlan) -> None:
        """Ask a unit that was silent for another plan first, each second time."""
        if self._turn % 2 == 0 or self._heard:
            return
        others = [one for one in self._plans if one is not plan and one.likely is not None]
        if not others:
            return
        other = others[self._turn // 2 % len(others)]
        if not await self._hears(other):
            raise UnansweredError(cast("Block", other.likely), codec.SILENT)

    async def _hears(self, plan: UnitPlan) -> bool:
        """Whether the unit answers something of a plan now."""
        block = plan.likely
        if block is None:
            return False
        (answer,) = await self._asking.ask([block.request])
        is_answer = isinstance(answer, bytes) or answer not in codec.NO_RESPONSE | codec.UNANSWERED
        (self._heard.add if is_answer else self._heard.discard)(plan)
        return is_answer

    async def _poll(self, plan: UnitPlan) -> Reading:
        steps = plan.poll()
        try:
            requests = next(steps)
            while True:
                answers = await self._asking.ask(requests, is_known=plan.is_sound)
                requests = steps.send(answers)
        except StopIteration as done:
            reading: Reading = done.value
            return reading

    def tag_faults(self) -> dict[str, TagFault]:
        """Which request each tag is missed by, and how it was answered."""
        return {
            plan.kept.points[member].name: TagFault(
                codec.reason_for(code), said_to(block, code, self.timeout_ms)
            )
            for plan in self._plans
            for block, code in plan.missed
            for member in block.members
        }

    def progress(self) -> str:
        """How many requests of the last reading were answered."""
        return self._asking.progress

    def remarks(self) -> Sequence[str]:
        """What its link has had to say since the last call."""
        return self._link.remarks() if self._link.has_remarks else ()

    def notices(self) -> Sequence[Notice]:
        """What was found out about its link."""
        return self._link.notices()

    @property
    def knowledge(self) -> Any:
        """What its link has found out; see ``gateway.drivers.extras.LearningDriver``."""
        return self._link.knowledge

    def recall(self, knowledge: Any) -> None:
        """Go on with what was found out before."""
        self._link.recall(knowledge)

    def _unheard(self, fault: UnansweredError) -> DriverError:
        """What to raise where a reading found nothing; the next one waits accordingly."""
        self._turn += 1
        error = self._fault(fault)
        self._asking.not_heard()
        return error

    def _fault(self, fault: UnansweredError) -> DriverError:
        """What to raise where a reading found nothing but this."""
        reason, asked = codec.reason_for(fault.code), request_words(fault.block)
        if fault.code in codec.LOST:
            why = f"{self._name}: {self._asking.loss}, asked for {asked}"
            return NotConnectedError(why, reason)
        if fault.code == codec.SILENT:
            why = f"{self._name}: no answer within {self.timeout_ms} ms to {asked}"
            return NoResponseError(why + hint(self._asking.channel))
        why = f"{reason.code} (exception {fault.code}) to {asked}"
        return NoResponseError(f"{self._name}: {why}", reason)

    async def ask(self, request: codec.Request) -> codec.Answer:
        """What the unit answers to one request of a search, an exception or silence included."""
        try:
            return (await self._asking.ask([request], is_known=False))[0]
        finally:
            self._asking.end()

    async def identify(self) -> dict[str, str]:
        """What the unit says of itself by function 43/14; empty: nothing."""
        return {} if self._unit.quirks else await identify(self.ask)

    async def write(self, point: Point, value: Value) -> None:
        """Write one value and check the device's echo; bits of a register by function 22."""
        request = write_request(point, value, self._connection)
        what = f"{point.name} ({point.address})"
        try:
            answer = await self._asking.ask_once(request)
        except NotConnectedError as error:
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error
        finally:
            loss = self._asking.loss
            self._asking.end()
        if answer in codec.LOST:
            may_be = f"it may have written {what}"
            raise NotConnectedError(f"{self._name} confirmed nothing, {may_be}: {loss}")
        if answer == codec.SILENT:
            raise NoResponseError(
                f"{self._name} did not confirm within {1000 * self._unit.timeout_s:.0f} ms "
                f"that it has written {what}; it may have"
            )
        if isinstance(answer, int):
            reason = codec.reason_for(answer).code
            raise DriverError(
                f"{self._name} refused to write {what}: {reason} (exception {answer})"
            )

    async def close(self) -> None:
        """Leave the link; the last unit closes its connections."""
        self._heard.clear()
        await self._link.leave(self)
