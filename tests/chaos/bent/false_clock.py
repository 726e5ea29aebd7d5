"""A gateway whose clock is set, by libfaketime: the clock that never steps goes on."""

import time
from pathlib import Path

from tests.support.peers import missing

LIBRARY = "libfaketime.so.1"
_PLACES = (Path("/usr/lib/x86_64-linux-gnu"), Path("/usr/lib/aarch64-linux-gnu"), Path("/usr/lib"))


class FalseClock:
    """How far a process's clock is ahead, in a file that libfaketime reads at every look.

    Attributes:
        environment: of the process.
        shifts: since when it was how far ahead, (true UTC ms, ms ahead).
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.shifts: list[tuple[int, int]] = []
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, ahead_s: int) -> None:
        """From now on it is so far ahead."""
        made = self._file.with_suffix(".new")
        made.write_text(f"{ahead_s:+d}")
        made.replace(self._file)
        self.shifts.append((time.time_ns() // 1_000_000, ahead_s * 1_000))


def library() -> Path:
    """Where libfaketime is."""
    for place in _PLACES:
        if (place / "faketime" / LIBRARY).exists():
            return place / "faketime" / LIBRARY
    missing(LIBRARY, "apt-get install libfaketime")
    raise AssertionError
