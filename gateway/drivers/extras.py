"""What a driver or its plan may be able to do beyond ``gateway.drivers.api``; none has to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from gateway.core.status import Reason
from gateway.drivers.api import Driver
from gateway.drivers.frames import FrameLog


class TellingDriver(Driver, Protocol):
    """A driver that can say more of its device than values and faults; no driver has to.

    Attributes:
        renewals: how many connections it has made anew within readings, because one that had
            served was ended; none of them is a loss.
    """

    renewals: int

    def progress(self) -> str:
        """How far the last reading had come, for people: ``11 of 20 requests were answered``.

        Asked after the poller's time-out has cut it off; empty: nothing was answered.
        """

    def remarks(self) -> Sequence[str]:
        """What is odd about the device, or was worked around, since the last call: sentences.

        Asked after each reading, so it is cheap; the poller logs each of them once.
        """


class Notice(NamedTuple):
    """What stands of a device as long as it lasts.

    Attributes:
        key: what it is about; stays the same while the words change.
        words: a sentence for people; of a loss also what to do.
        is_loss: whether values are lost by it. Then it is logged when it begins and when it ends.
    """

    key: str
    words: str
    is_loss: bool = False


class WaitingDriver(Driver, Protocol):
    """A driver that says how long it waits for one answer; no driver has to.

    Attributes:
        timeout_ms: the longest wait now, whether written or found out, milliseconds.
    """

    timeout_ms: int


class NoticingDriver(Driver, Protocol):
    """A driver that knows how its device differs from what was asked for; no driver has to."""

    def notices(self) -> Sequence[Notice]:
        """What stands now. Asked after each delivery and by pages, so it is cheap."""


class Finding(NamedTuple):
    """What one step of a test of a connection has shown.

    Attributes:
        step: id of what was looked at: ``unit``, ``function`` … Titles stand under
            ``test_step.<step>`` in the catalogues of ``gateway/web``.
        is_ok: whether it is as it should be; None: it need not be so, and is only told.
        tried: what was asked, for people.
        found: what came.
        fault: id of what is wrong, as of ``gateway/edge/device/standing/faults.py``; empty: none,
            or nobody knows more than ``found``.
    """

    step: str
    is_ok: bool | None
    tried: str
    found: str
    fault: str = ""


class DiagnosingDriver(Driver, Protocol):
    """A driver that can say which part of its protocol fails; no driver has to."""

    def diagnose(self) -> AsyncIterator[Finding]:
        """Look closer at a device that is connected, whatever its tags are.

        Each finding is asked for in a turn of its own and under the device's time-out, so it
        costs one request or few. Whoever asks may stop before the end.
        """


class RecordingDriver(Driver, Protocol):
    """A driver that keeps what goes over the wire, for people; no driver has to."""

    def record(self, frames: FrameLog) -> None:
        """Keep each frame of this device in a log from now on, and what cuts it off as notes.

        Asked once, before ``connect``. Adding a frame is cheap; what it says is asked of
        ``DriverSpec.explain`` when a person looks. Secrets are left out.
        """


class LendingDriver(Driver, Protocol):
    """A driver that leaves what it shares to others while its device has to be left alone."""

    def lend(self, away: Callable[[float], Awaitable[None]]) -> None:
        """What to await for a pause from now on, in place of ``asyncio.sleep``.

        Given once, before ``connect``; awaited within a call, with seconds. Others have the turn
        meanwhile, and may use the link, so nothing of it is held; when it returns the device has
        its turn again. The call's time-out stands still.
        """

    async def ready(self) -> None:
        """Wait until the device may be asked, as ``away`` does; awaited within a turn.

        What is wanted for a limited time only is looked at behind it: it is sent at once then.
        """


class LearningDriver(Driver, Protocol):
    """A driver whose experience with a connection is kept over restarts; no driver has to be one.

    ``knowledge`` and ``recall`` are those of :class:`LearningPlan`, of the connection itself.
    """

    @property
    def knowledge(self) -> Any:
        """What is known; None: nothing. Cheap, asked every 5 s."""

    def recall(self, knowledge: Any) -> None:
        """Go on with what another driver of the same connection knew. Before it connects.

        Raises:
            ValueError: it cannot be understood; the driver begins without it.
        """


class Resting(NamedTuple):
    """What is not asked for now, because the device refused it or did not answer it.

    Attributes:
        what: a request, in words.
        reason: how it was answered last.
        readings: so many readings pass before it is asked for again.
    """

    what: str
    reason: Reason
    readings: int


class RestingPlan(Protocol):
    """A plan that leaves alone what is refused; no plan has to."""

    def resting(self) -> Sequence[Resting]:
        """What rests now. Asked when a person looks."""


class LearningPlan(Protocol):
    """A plan whose experience with a device is kept over restarts; no plan has to be one."""

    @property
    def knowledge(self) -> Any:
        """What is known, of lists, texts and numbers; None: nothing. Cheap, asked every 5 s."""

    def recall(self, knowledge: Any) -> None:
        """Go on with what another plan of the same device and points knew. Before any reading.

        Raises:
            ValueError: it cannot be understood; the plan begins without it.
        """
