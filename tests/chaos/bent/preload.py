"""Writes that fail, tear or kill: ``preload.c``, compiled when it is needed, and its plan."""

import mmap
import struct
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.support.peers import program

_PLAN = struct.Struct("=5q")
"""Process, calls so far, fatal call, torn, error: as ``struct plan`` of ``preload.c``."""
_PID, _CALLS, _FATAL, _TORN, _ERROR = range(0, _PLAN.size, 8)


@cache
def library() -> Path:
    """The compiled library."""
    place = Path(mkdtemp(prefix="qulink-preload-")) / "preload.so"
    source = Path(__file__).with_suffix(".c")
    cc = program("cc", "gcc libc6-dev")
    subprocess.run([cc, "-O2", "-Wall", "-shared", "-fPIC", "-o", place, source], check=True)
    return place


class Plan:
    """What becomes of the writes of one process below one folder.

    Args:
        file: is made; shared with the process.
        folder: whose files are meant.
    """

    def __init__(self, file: Path, folder: Path) -> None:
        file.write_bytes(bytes(_PLAN.size))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), _PLAN.size)
        self.environment = {
            "LD_PRELOAD": str(library()),
            "CHAOS_PLAN": str(file),
            "CHAOS_FOLDER": f"{folder.resolve()}/",
        }

    @property
    def calls(self) -> int:
        """Writes and syncs so far."""
        return self._read(_CALLS)

    def mean(self, pid: int) -> None:
        """From now on the plan is for this process."""
        self._write(_PID, pid)

    def kill_at(self, calls: int, *, torn: bool = False) -> None:
        """SIGKILL in the call that comes after so many, perhaps half done."""
        self._write(_TORN, int(torn))
        self._write(_FATAL, self.calls + calls)

    def fail_with(self, error: int) -> None:
        """Let every call fail with this error number."""
        self._write(_ERROR, error)

    def spare(self) -> None:
        """Let all calls do what they should."""
        for place in (_FATAL, _TORN, _ERROR):
            self._write(place, 0)

    def _read(self, place: int) -> int:
        (value,) = struct.unpack_from("=q", self._memory, place)
        return int(value)

    def _write(self, place: int, value: int) -> None:
        struct.pack_into("=q", self._memory, place, value)
