"""The gap that a stop of the gateway leaves: one for all devices. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.core.batch import Gap
from gateway.core.status import Reason

GRACE_MS = 2_000
"""So long after its start the gateway counts as starting; devices that take longer to be tried
for the first time have a gap of their own from then on."""


class Restart:
    """Dates what was not read because the gateway did not run.

    The gap begins with the first tick that was missed and ends when every device has been tried
    once, whether it answered or not. It is open until then, so that a kill in between leaves it
    to the next run.

    Args:
        send: takes the gap when it opens and when it ends.
        remembered: open gaps of the run before.
    """

    def __init__(self, send: Callable[[Gap], None], remembered: Iterable[Gap] = ()) -> None:
        self._send = send
        self._gap = next((gap for gap in remembered if _is_restart(gap)), None)
        self._waiting: set[str] = set()
        self._begin_ms = self._end_ms = 0

    def begin(self, devices: Iterable[str], missed_ms: Iterable[int], now_ms: int) -> None:
        """The gateway runs again.

        Args:
            devices: ids of those that will be tried.
            missed_ms: the first tick that each device missed, for those that missed one.
            now_ms: the gateway's clock, UTC milliseconds.
        """
        self._waiting = set(devices)
        self._begin_ms = self._end_ms = now_ms
        first = min(missed_ms, default=None)
        if self._gap is None and first is not None:
            self._gap = Gap("", "", (), Reason.GATEWAY_DOWN, first)
            self._send(self._gap)
        if not self._waiting:
            self._end(now_ms)

    def attempted(self, device: str, missed_ms: int | None, now_ms: int) -> None:
        """The first attempt to reach a device has ended.

        Args:
            device: its id.
            missed_ms: the newest tick that it missed until now; None if it missed none.
            now_ms: the gateway's clock, UTC milliseconds.
        """
        self._waiting.discard(device)
        if self._gap is None and missed_ms is not None and missed_ms >= self._end_ms:
            self._send(Gap(device, "", (), Reason.GATEWAY_DOWN, self._end_ms, now_ms))
        if not self._waiting:
            self._end(now_ms)

    def end_if_long(self, now_ms: int) -> None:
        """End the gap if devices take too long; called before every commit."""
        if self._gap is not None and abs(now_ms - self._begin_ms) >= GRACE_MS:
            self._end(now_ms)

    def _end(self, now_ms: int) -> None:
        gap, self._gap = self._gap, None
        if gap is not None:
            self._end_ms = max(now_ms, gap.from_ms)
            self._send(replace(gap, to_ms=self._end_ms))


def _is_restart(gap: Gap) -> bool:
    return not gap.device and gap.cause is Reason.GATEWAY_DOWN and gap.to_ms is None
