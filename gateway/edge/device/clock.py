"""The one place of the edge that knows what time it is, and whether that may be believed.

The edge keeps a time of its own. It runs with the clock that never steps and follows the system's
clock slowly, so its times only grow. Where the two come apart because somebody set the system's
clock, it is followed if it is known to be right, or if nobody knew its own time to be; that is a
*leap*, in which no time passes. Else the edge goes on with its own time.

It is *in doubt* until somebody confirms it: the kernel, which knows whether a time service keeps
the system's clock right, or the city, whose acknowledgements carry its own time. A city that
contradicts it outranks the kernel: one of the two is wrong, and which of them only a person can
tell.
"""

import ctypes
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.core.days import MAX_AHEAD_MS
from gateway.edge.live.records import ClockLive

_log = logging.getLogger(__name__)

SLEW = 0.05
"""So much faster or slower than time passes the edge's time may run to follow the system's."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNKNOWN = "-"

_UNSYNCHRONISED = 5
"""What ``adjtimex`` answers while no time service keeps the clock (TIME_ERROR)."""
_TIMEX_BYTES = 512
"""More than ``struct timex`` has on any machine; all zeros ask and change nothing."""


@dataclass(frozen=True, slots=True)
class Leap:
    """The edge's time goes on elsewhere; none passed in between. UTC milliseconds.

    Attributes:
        from_ms: the last time before it.
        to_ms: the first time after it.
        since_ms: when, by the time that is left, that one began to run.
    """

    from_ms: int
    to_ms: int
    since_ms: int

    @property
    def ms(self) -> int:
        """How far it goes; below zero: back."""
        return self.to_ms - self.from_ms


@dataclass(frozen=True, slots=True)
class _CityTime:
    """How far the city's clock is ahead of the one that never steps, milliseconds."""

    least_ms: float
    most_ms: float

    def confirms(self, offset_ms: float) -> bool | None:
        """Whether it agrees with a clock that is so far ahead; None: that cannot be told."""
        if not self.least_ms - MAX_AHEAD_MS <= offset_ms <= self.most_ms + MAX_AHEAD_MS:
            return False
        is_sure = self.most_ms - MAX_AHEAD_MS <= offset_ms <= self.least_ms + MAX_AHEAD_MS
        return True if is_sure else None


class Clock:
    """The edge's time.

    Attributes:
        in_doubt: whether nobody has confirmed it; to be read for every reading, so it costs
            nothing.
        steady_since_ms: since when, by its own word, it has only run, UTC milliseconds; 0: it was
            not looked at.
        era: how often it has gone back. Ticks of each era lie a millisecond further within their
            interval, so that none has the time of one that is stored.
        is_continuous: whether this run goes on with the time of the run before: the time that
            passed in between is known, whether the clock is right or not.
    """

    def __init__(self) -> None:
        self.in_doubt = False  # until the first look, before which nothing is read
        self.steady_since_ms = 0
        self.era = 0
        self.is_continuous = False
        self._boot_id = ""
        self._ahead_ms: float | None = None  # of the edge's time, to the clock that never steps
        self._system_ahead_ms = 0.0  # of the system's clock; as of the last look, as the next ones
        self._looked_ms = 0.0
        self._is_synchronised = False
        self._city: _CityTime | None = None  # what it said last, if that told anything
        self._city_agrees: bool | None = None  # None: it has not said since a clock was set
        self._was_confirmed = False  # the edge's time, since it leapt last
        self._contradiction = ""  # until the city agrees; setting the clock may have ended it
        self._contradictions = 0

    # -- what the time is -----------------------------------------------------------------

    def now_ms(self) -> int:
        """The edge's time, UTC milliseconds; between two looks it never steps."""
        if self._ahead_ms is None:
            self.look()
        assert self._ahead_ms is not None  # noqa: S101 - by the look
        return int(self.monotonic_ms() + self._ahead_ms)

    def system_ms(self) -> int:
        """The system's clock, UTC milliseconds; it may step in either direction."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Milliseconds since some moment; never steps."""
        return time.monotonic() * 1000

    def boot_id(self) -> str:
        """What the machine calls the time since it was started; ``-`` if it does not say."""
        try:
            return _BOOT_ID.read_text().strip()
        except OSError:
            return _UNKNOWN

    def is_synchronised(self) -> bool:
        """Whether the kernel says that a time service keeps the system's clock right."""
        return _kernel_is_synchronised()

    # -- from run to run ------------------------------------------------------------------

    @property
    def mark(self) -> str:
        """What another process needs to go on with this time, see :meth:`resume`."""
        ahead_ms = round(self._ahead_ms or 0, -2)  # coarsely: each change of it is written
        confirmed = int(self._was_confirmed)
        return f"{self._boot_id} {ahead_ms:.0f} {self.steady_since_ms} {confirmed} {self.era}"

    def resume(self, mark: str) -> None:
        """Look for the first time, and go on where an earlier process has left off.

        The clock that never steps goes on from process to process until the machine starts anew,
        so the edge's time does too, whatever somebody did to the system's meanwhile.

        Args:
            mark: what that process had as :attr:`mark`; empty, or damaged: there was none.
        """
        boot_id, *numbers = mark.split() or [""]
        with suppress(ValueError):
            ahead_ms, since_ms, confirmed, era = map(int, numbers)
            self._boot_id, self.era = self.boot_id(), era
            if boot_id == self._boot_id != _UNKNOWN:
                self.is_continuous = True
                self._ahead_ms, self._looked_ms = float(ahead_ms), self.monotonic_ms()
                self.steady_since_ms, self._was_confirmed = since_ms, confirmed == 1
        self._measure()
        self._judge()

    def begin_era(self) -> None:
        """Times that are stored lie ahead: let none of them be given again."""
        self.era += 1

    # -- whether it is right --------------------------------------------------------------

    def look(self) -> Leap | None:
        """Follow the system's clock, and ask the kernel; before every commit.

        Returns:
            What the books must know, if the edge's time has leapt.
        """
        self._measure()
        leap = self._follow()
        self._judge()
        return leap

    def _measure(self) -> None:
        run_ms = self.monotonic_ms()
        before_ms, self._system_ahead_ms = self._system_ahead_ms, self.system_ms() - run_ms
        self._is_synchronised = self.is_synchronised()
        if self._ahead_ms is None:
            self._boot_id = self.boot_id()
            self._ahead_ms, self._looked_ms = self._system_ahead_ms, run_ms
            self.steady_since_ms = self.now_ms()
        elif before_ms and abs(self._system_ahead_ms - before_ms) > MAX_AHEAD_MS:
            self._city_agrees = None
            _log.warning("the clock was set by %d s", (self._system_ahead_ms - before_ms) // 1000)

    def _follow(self) -> Leap | None:
        run_ms, ahead_ms = self.monotonic_ms(), self._ahead_ms or 0.0
        apart_ms = self._system_ahead_ms - ahead_ms
        most_ms, self._looked_ms = (run_ms - self._looked_ms) * SLEW, run_ms
        if abs(apart_ms) > MAX_AHEAD_MS:
            return self._leap() if self._is_to_be_followed() else None
        self._ahead_ms = ahead_ms + min(max(apart_ms, -most_ms), most_ms)
        return None

    def _is_to_be_followed(self) -> bool:
        """Whether the system's clock, which was set, is rather right than the edge's time."""
        city = self._city
        if city is not None:
            # The city's clock runs on as this machine does; nobody has to ask it again.
            is_likely = city.confirms(self._system_ahead_ms) is not False
            if is_likely != (city.confirms(self._ahead_ms or 0.0) is not False):
                return is_likely
        return self._is_synchronised or not self._was_confirmed

    def _leap(self) -> Leap:
        from_ms, since_ms = self.now_ms(), self.steady_since_ms
        self._ahead_ms = self._system_ahead_ms
        leap = Leap(from_ms, self.now_ms(), since_ms)
        if leap.ms < 0:
            self.begin_era()
        self.steady_since_ms, self._was_confirmed = leap.to_ms, False
        if self._city is not None and self._city_agrees is not None:
            self._city_agrees = self._city.confirms(self._ahead_ms)
        _log.warning("this gateway's time goes on %d s %s", abs(leap.ms) // 1000, _side(leap.ms))
        return leap

    def hear_city(self, city_ms: int, age_ms: float) -> None:
        """Compare the edge's time with the city's.

        On its way the city's time grows old; how old, is known only up to the round trip. What is
        within ``MAX_AHEAD_MS`` however long it took agrees, what is beyond however long it took
        contradicts, and anything else says nothing.

        Args:
            city_ms: what the city said its time was, UTC milliseconds.
            age_ms: it was said no longer ago than this.
        """
        self.now_ms()  # if need be, the first look
        ahead_ms = city_ms - self.monotonic_ms()
        city = _CityTime(ahead_ms, ahead_ms + age_ms)
        own, system = city.confirms(self._ahead_ms or 0.0), city.confirms(self._system_ahead_ms)
        if own is None and system is None:
            return
        self._city = city
        if own:
            self._agreed()
        elif own is False:
            # If it agrees with the system's clock instead, the next look follows that.
            self._contradicted("" if system else self._difference(city))

    def _difference(self, city: _CityTime) -> str:
        ahead_ms = self._ahead_ms or 0.0
        by_ms = max(ahead_ms - city.most_ms, 0.0) or ahead_ms - city.least_ms
        return (
            f"this gateway's clock is {abs(round(by_ms)) // 1000} s "
            f"{'ahead of' if by_ms > 0 else 'behind'} the city's; its values are in doubt until "
            "they agree: have a time service keep both (here: timedatectl, chronyc tracking)"
        )

    def _contradicted(self, words: str) -> None:
        self._contradiction = words or self._contradiction
        if words and self._city_agrees is not False:
            self._contradictions += 1
            _log.warning("%s", words)
        self._city_agrees, self._was_confirmed = False, False
        self._judge()

    def _agreed(self) -> None:
        if self._contradiction:
            _log.info("this gateway's clock agrees with the city's again")
        self._contradiction = ""
        self._city_agrees = True
        self._judge()

    def _judge(self) -> None:
        # The kernel speaks of the system's clock only.
        apart_ms = self._system_ahead_ms - (self._ahead_ms or 0.0)
        by_kernel = self._is_synchronised and abs(apart_ms) <= MAX_AHEAD_MS
        is_confirmed = (by_kernel or self._city_agrees is True) and self._city_agrees is not False
        self._was_confirmed = self._was_confirmed or is_confirmed
        before, self.in_doubt = self.in_doubt, not is_confirmed
        if before and not self.in_doubt:
            _log.info("the clock is confirmed by %s", "a time service" if by_kernel else "the city")
        elif self.in_doubt and not before:
            _log.info("the clock is in doubt until a time service or the city confirms it")

    def live(self) -> ClockLive:
        """What is known of it, for pages."""
        contradiction = self._contradiction if self._city_agrees is False else ""
        return ClockLive(self.in_doubt, self.steady_since_ms, contradiction, self._contradictions)


def _side(ms: int) -> str:
    return "back" if ms < 0 else "ahead"


def _kernel_is_synchronised() -> bool:
    """Ask Linux; elsewhere, and where it may not be asked, nobody knows."""
    adjtimex = getattr(_LIBRARY, "adjtimex", None)
    if adjtimex is None:
        return False
    answer = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return 0 <= answer < _UNSYNCHRONISED


_LIBRARY = ctypes.CDLL(None)
