"""When the next request may be sent over a connection. Pure."""

from gateway.drivers.modbus.config import Unit
from gateway.drivers.modbus.pauses import TURNAROUND_S, Pauses
from gateway.drivers.modbus.reach.timing import UNTIMED, Timing


class Quiet:
    """How long a connection is quiet before the next request, by the clock of its loop.

    Args:
        pauses: waits of the link.
        timing: what the speed of a serial port asks for.
        not_before: units that are not to be asked yet, and until when: they need a pause, or a late
            answer of theirs could not be told apart. Connections of one link share it, as what is
            late may come over the next one.
        first_s: when a line was first opened by this process; 0: it is none. What was asked
            before by another one is not known, and its answers look like those to the first
            requests of this one.
    """

    __slots__ = ("_first_s", "_not_before", "_pauses", "_ready_from", "timing")

    def __init__(
        self,
        pauses: Pauses,
        timing: Timing = UNTIMED,
        not_before: dict[int, float] | None = None,
        first_s: float = 0.0,
    ) -> None:
        self._pauses = pauses
        self.timing = timing
        self._not_before = {} if not_before is None else not_before
        self._first_s = first_s
        self._ready_from = 0.0

    def opened(self, now_s: float) -> None:
        """The connection is open."""
        self._ready_from = now_s + self._pauses.after_connect_s

    @property
    def between_s(self) -> float:
        """Between an answer and the next request; asked for after each answer."""
        pause_s, gap_s = self._pauses.between_s, self.timing.gap_s
        return pause_s if pause_s > gap_s else gap_s  # noqa: FURB136 - max is slower

    def until_s(self, unit: Unit, answered_s: float) -> float:
        """When the unit may be asked, if the last answer came then."""
        not_before_s = self._not_before.get(unit.number, 0.0)
        if self._first_s:
            not_before_s = max(not_before_s, self._first_s + unit.timeout_s)
        return max(answered_s + self.between_s, self._ready_from, not_before_s)

    def leave_alone(self, unit: Unit, now_s: float) -> None:
        """A unit has answered, or may have; some need a pause then."""
        if unit.pause_s:
            ready_s = now_s + unit.pause_s
            self._not_before[unit.number] = max(self._not_before.get(unit.number, 0.0), ready_s)

    def silent(self, unit: Unit, sent_s: float, now_s: float) -> None:
        """A unit of a line did not answer; its late answer would pass for its next one."""
        allowed_s = unit.timeout_s
        self._ready_from = now_s + TURNAROUND_S
        late_until_s = max(now_s, sent_s + allowed_s) + allowed_s
        self._not_before[unit.number] = late_until_s + unit.pause_s

    def lost(self, unit: Unit, sent_s: float) -> None:
        """The connection ended; its answer may be on the line, and come over the next one."""
        self._not_before[unit.number] = sent_s + unit.timeout_s + unit.pause_s
