"""The gap that a stop of the gateway leaves: one for all devices. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.device.clock import Leap


class Restart:
    """Dates what was not read because the gateway did not run.

    The gap begins with the first tick that was missed and ends when the first device has been
    tried, whether it answered or not: from then on one delivers, so a device that takes longer has
    a gap of its own. It is open until then, so that a kill in between leaves it to the next run.

    Args:
        send: takes the gap when it opens and when it ends.
        remembered: open gaps of the run before.

    Attributes:
        attempted_ms: no value of this run is older, whatever the clock has done since; 0: no
            device has been tried yet.
    """

    def __init__(self, send: Callable[[Gap], None], remembered: Iterable[Gap] = ()) -> None:
        self._send = send
        self._gap = next((gap for gap in remembered if _is_restart(gap)), None)
        self._end_ms = 0
        self.attempted_ms = 0

    def begin(self, missed_ms: Iterable[int], now_ms: int, *, is_awaited: bool) -> None:
        """The gateway runs again.

        Args:
            missed_ms: the first tick that each device missed, for those that missed one.
            now_ms: the gateway's clock, UTC milliseconds.
            is_awaited: whether there is a device that will be tried.
        """
        # A tick that comes in this very millisecond is missing too, and a gap ends before its end.
        self._end_ms = now_ms + 1
        first = min(missed_ms, default=None)
        if self._gap is None and first is not None:
            self._gap = Gap("", "", (), Reason.GATEWAY_DOWN, first)
            self._send(self._gap)
        if not is_awaited:
            self._end(now_ms)

    def attempted(self, device: str, missed_ms: int | None, now_ms: int) -> None:
        """The first attempt to reach a device has ended.

        Args:
            device: its id.
            missed_ms: the newest tick that it missed until now; None if it missed none.
            now_ms: the gateway's clock, UTC milliseconds.
        """
        self.attempted_ms = self.attempted_ms or now_ms + 1
        self._end(now_ms)
        if missed_ms is not None and missed_ms >= self._end_ms:
            self._send(Gap(device, "", (), Reason.GATEWAY_DOWN, self._end_ms, now_ms + 1))

    def leap(self, leap: Leap) -> None:
        """The clock goes on elsewhere, and the gap with it if it is open."""
        gap = self._gap
        if gap is not None:
            self._send(replace(gap, to_ms=max(leap.from_ms + 1, gap.from_ms)))
            self._gap = replace(gap, from_ms=leap.to_ms)
            self._send(self._gap)
        self._end_ms += leap.ms
        if self.attempted_ms:
            self.attempted_ms += min(leap.ms, 0)

    def confirmed(self, missed_ms: Iterable[int], end_ms: int) -> None:
        """The clock turns out to be right, and with it what the gateway missed before its start.

        Args:
            missed_ms: the first tick that each device missed, for those that missed one.
            end_ms: when it started, UTC milliseconds.
        """
        first = min(missed_ms, default=None)
        if first is not None:
            self._send(Gap("", "", (), Reason.GATEWAY_DOWN, first, end_ms + 1))

    def _end(self, now_ms: int) -> None:
        gap, self._gap = self._gap, None
        if gap is not None:
            self._end_ms = max(now_ms + 1, gap.from_ms)
            self._send(replace(gap, to_ms=self._end_ms))


def _is_restart(gap: Gap) -> bool:
    return not gap.device and gap.cause is Reason.GATEWAY_DOWN and gap.to_ms is None
