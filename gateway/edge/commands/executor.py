"""How one admitted value is written: recorded first, then written, then read back.

Reading before and after is the reading of a plan made for the moment; raw values are compared,
exactly. What is told in the end follows from how far it had come, whatever ended it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from gateway.core.batch import Reading
from gateway.core.status import FIRST_BAD, is_replay, reason_of, sendable
from gateway.drivers.api import Driver, DriverError, NoResponseError, NotConnectedError, Value
from gateway.drivers.extras import LendingDriver
from gateway.edge.commands.gate import Admitted
from gateway.edge.commands.inverse import shown
from gateway.edge.device.asking.reading import Askable
from gateway.wire.commands import CommandState


@dataclass(slots=True)
class Course:
    """How far a write has come.

    Attributes:
        before: what the tag showed before; None: that could not be read.
        is_sent: whether the driver was told to write: from then on it may have happened.
        is_confirmed: whether the device confirmed it.
        refusal: why the device refused it, if it did.
        shows: what it showed when it was read back.
        is_equal: whether that was, raw, exactly what was written.
        unread: why it could not be read back.
        fault: what ended it early; empty: nothing did.
    """

    before: Value | None = None
    is_sent: bool = False
    is_confirmed: bool = False
    refusal: str = ""
    shows: Value | None = None
    is_equal: bool = False
    unread: str = ""
    fault: str = ""

    def judged(self) -> tuple[CommandState, str]:
        """What became of it, and a sentence where that needs one."""
        if self.refusal:
            return CommandState.REFUSED, self.refusal
        if not self.is_sent:
            return CommandState.REFUSED, f"nothing was written: {self.fault}"
        if not self.is_confirmed:
            return CommandState.UNKNOWN, f"it may have been written: {self.fault}"
        if self.is_equal:
            return CommandState.VERIFIED, ""
        if self.shows is not None:
            return CommandState.WRITTEN, f"written, not verified: the device shows {self.shows}"
        why = self.unread or self.fault
        return CommandState.WRITTEN, f"written, not verified: it could not be read back: {why}"


async def look(device: Askable, admitted: Admitted) -> Value | None:
    """What the tag shows now; None: it is BAD.

    Raises:
        DriverError, TimeoutError: the device does not answer.
    """
    reading = await device.ask(lambda driver: _read(driver, admitted), urgent=True, repeatable=True)
    value, _ = _value(reading)
    return None if value is None else shown(admitted.rule, value)


async def write(
    device: Askable, admitted: Admitted, course: Course, is_wanted: Callable[[], None]
) -> None:
    """Write it in the device's turn, before polls that wait, and read it back in the same turn.

    Args:
        device: in whose turn.
        admitted: what the gate let pass.
        course: kept up to date; counts however this ends.
        is_wanted: called when the turn has come; raises if nobody wants the write any more.

    Raises:
        DriverError, TimeoutError: the connection was lost, or there was no answer in time.
    """

    async def act(driver: Driver) -> None:
        if hasattr(driver, "ready"):  # a pause of the device may outlast what is wanted
            await cast("LendingDriver", driver).ready()
        is_wanted()
        course.is_sent = True
        try:
            await driver.write(admitted.point, admitted.raw)
        except (NotConnectedError, NoResponseError):
            raise
        except DriverError as error:
            course.refusal = str(error)
            return
        course.is_confirmed = True
        _compare(await _read(driver, admitted), admitted, course)

    await device.ask(act, urgent=True)


async def _read(driver: Driver, admitted: Admitted) -> Reading:
    return await driver.read(driver.plan([admitted.point]))


def _compare(reading: Reading, admitted: Admitted, course: Course) -> None:
    value, why = _value(reading)
    if value is None:
        course.unread = f"its value is BAD or not fresh: {why}"
        return
    wrote = np.array([admitted.raw], admitted.point.kind.dtype)[0]
    course.is_equal = bool(value == wrote)
    course.shows = shown(admitted.rule, value)


def _value(reading: Reading) -> tuple[Any, str]:
    """The only raw value of a reading; None and the reason if it is BAD or not fresh."""
    status = sendable(int(reading.status[0]))
    if status >= FIRST_BAD or is_replay(status):
        return None, reason_of(status).code
    return reading.columns[0][0], ""
