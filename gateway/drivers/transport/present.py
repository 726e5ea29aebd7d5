"""Which serial ports there are, and who has one open: for messages."""

import os
from pathlib import Path

_BY_ID = Path("/dev/serial/by-id")
_PATTERNS = ("ttyS*", "ttyUSB*", "ttyACM*", "ttyAMA*", "ttymxc*", "ttyO*", "cu.*")
_MOST = 8


def ports() -> list[str]:
    """All names of the serial ports that there are; those that stay the same stand first."""
    return [*_stable_ports(), *_real_ports()]


def present_ports() -> str:
    """``there are now: /dev/serial/by-id/…``, as a part of a sentence."""
    found = _stable_ports() or _real_ports()
    if not found:
        return "there is no serial port at all: is the adapter plugged in?"
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f"there are now: {', '.join(found[:_MOST])}{more}"


def _stable_ports() -> list[str]:
    return sorted(map(str, _BY_ID.glob("*")))


def _real_ports() -> list[str]:
    """Those of ``/dev`` with something behind them; Linux names 32 ttyS whatever there is."""
    found = (path for pattern in _PATTERNS for path in Path("/dev").glob(pattern))
    return sorted(str(path) for path in found if not _is_empty(path.name))


def _is_empty(name: str) -> bool:
    kind = Path("/sys/class/tty", name, "type")
    try:
        return kind.read_text().strip() == "0"  # PORT_UNKNOWN
    except OSError:
        return False


def holder(path: str) -> str:
    """Who has locked a port, as a part of a sentence."""
    pid = _locking_process(path)
    if pid is None:
        return "another program"
    if pid == os.getpid():
        return "this process, under this or another name of it (write one path for all its devices)"
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    except OSError:
        return f"process {pid}"
    return f"process {pid} ({command.decode(errors='replace')[:120]})"


def _locking_process(path: str) -> int | None:
    """By ``/proc/locks``: ``1: FLOCK ADVISORY WRITE pid major:minor:inode 0 EOF`` a line."""
    try:
        inode = Path(path).stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for words in map(str.split, lines):
        if words[1:2] == ["FLOCK"] and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return None
