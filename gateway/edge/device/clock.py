"""The one place of the edge that knows what time it is, and whether that may be believed.

A clock is *in doubt* until somebody confirms it: the kernel, which knows whether a time service
keeps it right, or the city, whose acknowledgements carry its own time. To set it makes it doubtful
again. A city that contradicts it outranks the kernel: one of the two is wrong, and which of them
only a person can tell.
"""

import ctypes
import logging
import time
from pathlib import Path

from gateway.core.days import MAX_AHEAD_MS
from gateway.edge.live.records import ClockLive

_log = logging.getLogger(__name__)

STEP_MS = 1_000
"""A clock that moved by more against one that never steps has been set."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN = "-"

_UNSYNCHRONISED = 5
"""What ``adjtimex`` answers while no time service keeps the clock (TIME_ERROR)."""
_TIMEX_BYTES = 512
"""More than ``struct timex`` has on any machine; all zeros ask and change nothing."""


class Clock:
    """Two clocks: one that people set, and one that only runs.

    Attributes:
        in_doubt: whether nobody has confirmed the first since it was set last; to be read for
            every reading, so it costs nothing.
        steady_since_ms: since when, by its own time, it has only run, UTC milliseconds; 0: it was
            not looked at.
        mark: what another process needs to go on with it, see :meth:`resume`.
    """

    def __init__(self) -> None:
        self.in_doubt = False  # until the first look, before which nothing is read
        self.steady_since_ms = 0
        self.mark = ""
        self._offset_ms: float | None = None
        self._is_synchronised = False
        self._city_agrees: bool | None = None  # None: it has not said
        self._contradiction = ""  # until the city agrees; setting the clock may have ended it
        self._contradictions = 0

    def now_ms(self) -> int:
        """The system's clock, UTC milliseconds; it may step in either direction."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds since some moment; never steps."""
        return time.monotonic() * 1000

    def offset_ms(self, now_ms: int) -> float:
        """How far the system's clock is ahead of the one that never steps, milliseconds.

        It changes when, and only when, somebody set the clock.

        Args:
            now_ms: what :meth:`now_ms` just said.
        """
        offset_ms = now_ms - self.monotonic_ms()
        if self._offset_ms is None or abs(offset_ms - self._offset_ms) > STEP_MS:
            self.look()  # it was set; or the caller's time is old, and then nothing has happened
        return offset_ms

    def look(self) -> None:
        """Notice whether the clock was set, and ask the kernel; before every commit."""
        now_ms = self.now_ms()
        offset_ms = now_ms - self.monotonic_ms()
        before, self._offset_ms = self._offset_ms, offset_ms
        if before is None or abs(offset_ms - before) > STEP_MS:
            self.steady_since_ms = now_ms
            self.mark = f"{self.boot_id()} {offset_ms:.0f} {now_ms}"
            self._city_agrees = None
        self._is_synchronised = self.is_synchronised()
        self._judge()

    def resume(self, mark: str) -> None:
        """Look for the first time, and go on where an earlier process has left off.

        The clock that never steps goes on from process to process until the machine starts anew,
        so it tells whether somebody set the other one meanwhile.

        Args:
            mark: what that process had as :attr:`mark`; empty: there was none.
        """
        self.look()
        boot_id, offset_ms, since_ms = mark.split() if mark else ("", "0", "0")
        now_boot_id, now_offset_ms, _ = self.mark.split()
        is_same = boot_id == now_boot_id and boot_id != _UNKNOWN
        if is_same and abs(int(now_offset_ms) - int(offset_ms)) <= STEP_MS:
            self.steady_since_ms, self.mark = int(since_ms), mark

    def boot_id(self) -> str:
        """What the machine calls the time since it was started; ``-`` if it does not say."""
        try:
            return _BOOT_ID.read_text().strip()
        except OSError:
            return _UNKNOWN

    def is_synchronised(self) -> bool:
        """Whether the kernel says that a time service keeps the clock right."""
        return _kernel_is_synchronised()

    def hear_city(self, city_ms: int, age_ms: float) -> None:
        """Compare the clock with the city's.

        On its way the city's time grows old; how old, is known only up to the round trip. What is
        within ``MAX_AHEAD_MS`` however long it took agrees, what is beyond however long it took
        contradicts, and anything else says nothing.

        Args:
            city_ms: what the city said its time was, UTC milliseconds.
            age_ms: it was said no longer ago than this.
        """
        most_ms = self.now_ms() - city_ms
        least_ms = most_ms - age_ms
        if least_ms > MAX_AHEAD_MS or most_ms < -MAX_AHEAD_MS:
            self._contradicted(round(least_ms if least_ms > 0 else most_ms))
        elif least_ms >= -MAX_AHEAD_MS and most_ms <= MAX_AHEAD_MS:
            self._agreed()

    def _contradicted(self, ahead_ms: int) -> None:
        self._contradiction = (
            f"this gateway's clock is {abs(ahead_ms) // 1000} s "
            f"{'ahead of' if ahead_ms > 0 else 'behind'} the city's; its values are in doubt until "
            "they agree: have a time service keep both (here: timedatectl, chronyc tracking)"
        )
        if self._city_agrees is not False:
            self._contradictions += 1
            _log.warning("%s", self._contradiction)
        self._city_agrees = False
        self._judge()

    def _agreed(self) -> None:
        if self._contradiction:
            _log.info("this gateway's clock agrees with the city's again")
        self._contradiction = ""
        self._city_agrees = True
        self._judge()

    def _judge(self) -> None:
        is_confirmed = self._is_synchronised or self._city_agrees is True
        before, self.in_doubt = self.in_doubt, not is_confirmed or self._city_agrees is False
        if before and not self.in_doubt:
            by = "the kernel's time service" if self._is_synchronised else "the city"
            _log.info("the clock is confirmed by %s", by)
        elif self.in_doubt and not before:
            _log.info("the clock is in doubt until a time service or the city confirms it")

    def live(self) -> ClockLive:
        """What is known of it, for pages."""
        contradiction = self._contradiction if self._city_agrees is False else ""
        return ClockLive(self.in_doubt, self.steady_since_ms, contradiction, self._contradictions)


def _kernel_is_synchronised() -> bool:
    """Ask Linux; elsewhere, and where it may not be asked, nobody knows."""
    adjtimex = getattr(_LIBRARY, "adjtimex", None)
    if adjtimex is None:
        return False
    answer = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= answer < _UNSYNCHRONISED


_LIBRARY = ctypes.CDLL(None)
