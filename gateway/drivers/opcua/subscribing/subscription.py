"""One subscription of a session, and the groups whose items are in it. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Mask, Status
from gateway.core.status import FIRST_BAD
from gateway.drivers.api import Arrivals, Point
from gateway.drivers.opcua.encoding.codec import BAD
from gateway.drivers.opcua.encoding.convert import Shape, arrivals_of
from gateway.drivers.opcua.encoding.quality import CHANGED, OVERFLOW_BITS, statuses
from gateway.drivers.opcua.encoding.times import SourceTimes
from gateway.drivers.opcua.encoding.values import Values, empty_values, joined, selected
from gateway.drivers.opcua.findings import Findings
from gateway.drivers.opcua.subscribing.revised import Revised

CLOCK_HANDLE = 0x7FFF_FFFF
"""Client handle of the item that tells the server's time. Not the largest number: a server was
seen to take that for none."""

Places = npt.NDArray[np.intp]


class Wanted(NamedTuple):
    """How items are to be monitored.

    Attributes:
        sampling_ms: period of sampling; 0: as fast as the server can.
        queue: values that the server keeps of an item between two messages.
        timestamps: whose times come with a value: ``source``, ``server`` or ``gateway`` (none).
    """

    sampling_ms: float
    queue: int
    timestamps: str


class Member:
    """A group in a subscription.

    Args:
        group: name of the group.
        points: what it monitors; an item's handle is ``first`` plus its place among them.
        first: handle of its first item.
        wanted: how they are to be monitored.
        times: judges the times of its values.
        revised: takes what the server makes of what is wanted.
        shape: what the points expect.

    Attributes:
        codes: StatusCode with which the server answered to each item.
        findings: what is wrong with its tags.
    """

    def __init__(
        self,
        group: str,
        points: Sequence[Point],
        first: int,
        wanted: Wanted,
        times: SourceTimes,
        revised: Revised,
        shape: Shape,
    ) -> None:
        self.group, self.points, self.first, self.wanted = group, points, first, wanted
        self.revised = revised
        self._answered_s = np.zeros(len(points))  # when the server did, on the loop's clock
        self.codes = np.zeros(len(points), np.uint32)
        self.findings = Findings(points)
        self._times = times
        self._shape = shape
        self._values: list[Values] = []  # not yet handed over, message by message
        self._has_come: Mask | None = np.zeros(len(points), np.bool_)  # None: all have
        self._is_after_loss: Mask | None = None

    # -- items ----------------------------------------------------------------------------

    @property
    def refused(self) -> Places:
        """Places of the items that the server does not monitor."""
        return np.flatnonzero(self.codes >= BAD)

    @property
    def silent(self) -> Places:
        """Places of the items that are monitored and have given nothing since the session began."""
        if self._has_come is None:
            return np.zeros(0, np.intp)
        return np.flatnonzero(~self._has_come & (self.codes < BAD))

    def silent_since(self, before_s: float) -> Places:
        """Those of the silent items that are monitored since before a time on the loop's clock."""
        silent = self.silent
        return silent[self._answered_s[silent] < before_s]

    def answered(self, places: Places, codes: npt.NDArray[np.uint32], now_s: float) -> None:
        """Take the server's answer to some items, which came at ``now_s`` on the loop's clock."""
        self.codes[places], self._answered_s[places] = codes, now_s
        nothing = np.zeros(len(places), np.uint8)
        self.findings.note(places, statuses(codes), codes, nothing)

    def status(self) -> Status:
        """One status byte an item: BAD where the server refuses it."""
        return statuses(np.where(self.codes >= BAD, self.codes, 0).astype(np.uint32))

    def fail(self, places: Places, codes: np.uint32 | npt.NDArray[np.uint32]) -> None:
        """Let items give faults in place of values."""
        if not len(places):
            return
        values = empty_values(len(places))
        values.handle[:], values.code[:] = places, codes
        self.give(values)

    # -- values ---------------------------------------------------------------------------

    @property
    def has_values(self) -> bool:
        """Whether some wait to be handed over."""
        return bool(self._values)

    def lose(self) -> None:
        """Any item may have lost values: mark the next one of each as after a loss."""
        self._is_after_loss = np.ones(len(self.points), np.bool_)

    def give(self, values: Values) -> None:
        """Take values of a message; handles are places in the group."""
        if self._is_after_loss is not None:
            self._mark(values, self._is_after_loss)
        if self._has_come is not None:
            self._has_come[values.handle] = True
            if self._has_come.all():
                self._has_come = None
        self._values.append(values)

    def _mark(self, values: Values, is_after_loss: Mask) -> None:
        items, first = np.unique(values.handle, return_index=True)
        values.code[first[is_after_loss[items]]] |= np.uint32(OVERFLOW_BITS)
        is_after_loss[items] = False
        if not is_after_loss.any():
            self._is_after_loss = None

    def drain(self, now_ms: int, *, is_server_wrong: bool) -> Arrivals:
        """All values that wait, with times that can be.

        Args:
            now_ms: the gateway's clock, UTC milliseconds.
            is_server_wrong: whether the server's own clock is known to be wrong.
        """
        values, self._values = joined(self._values), []
        if self.wanted.timestamps == "gateway":
            values.ticks[:] = 0  # servers were seen to send times that nobody asked for
        arrivals = arrivals_of(self.group, values, self._shape, now_ms)
        self._times.judge(arrivals, now_ms, is_server_wrong=is_server_wrong)
        if (arrivals.status >= FIRST_BAD).any() or (values.code & CHANGED).any():
            order = np.argsort(values.handle, kind="stable")  # as the arrivals are
            self.findings.note(
                arrivals.index, arrivals.status, values.code[order], values.variant[order]
            )
        return arrivals


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription at the server.

    Attributes:
        publishing_ms: how often the server sends what has changed.
        silence_s: longest time between two responses before the server counts as dead.
        heard: when the last response came, on the loop's clock.
        members: the groups in it, in the order of their handles.
        sequence: sequence number of the last message with data; 0 before the first.
    """

    publishing_ms: float
    silence_s: float
    heard: float
    members: list[Member] = field(default_factory=list)
    sequence: int = 0

    @property
    def size(self) -> int:
        """How many handles its groups have."""
        return sum(len(member.points) for member in self.members)

    @property
    def names(self) -> str:
        """Its groups, for messages."""
        return " and ".join(repr(member.group) for member in self.members)

    def accept(self, sequence: int, values: Values) -> bool:
        """Take a message's values, of which none is the server's time.

        Args:
            sequence: the message's number; one that is missing before it may have held values of
                any item.
            values: of the message.

        Returns:
            False if one is of an item that was never asked for; then nothing is taken.
        """
        if len(values) and int(values.handle.max()) >= self.size:
            return False
        if self.sequence and sequence != self.sequence % 0xFFFF_FFFF + 1:
            for member in self.members:
                member.lose()
        self.sequence = sequence
        for member in self.members:
            some = _of(member, values, alone=len(self.members) == 1)
            if len(some):
                member.give(some)
        return True


def _of(member: Member, values: Values, *, alone: bool) -> Values:
    """A group's part of the values, with handles that are places in the group."""
    if alone:
        return values
    last = member.first + len(member.points)
    mine = (values.handle >= member.first) & (values.handle < last)
    some = selected(values, np.flatnonzero(mine))
    some.handle -= np.uint32(member.first)
    return some


def without_clock(values: Values) -> tuple[Values, Values | None]:
    """A message's values without those of the server's time, and these."""
    is_clock = values.handle == CLOCK_HANDLE
    if not is_clock.any():
        return values, None
    return selected(values, np.flatnonzero(~is_clock)), selected(values, np.flatnonzero(is_clock))
