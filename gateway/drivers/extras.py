"""What a driver or its plan may be able to do beyond ``gateway.drivers.api``; none has to."""

from collections.abc import Sequence
from typing import Any, Protocol

from gateway.drivers.api import Driver


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
