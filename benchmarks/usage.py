"""What a process and its children cost, from the kernel's own accounts (Linux)."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _TIMES, _RSS = 1, slice(11, 15), 21
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A process with its children at one moment."""

    at_s: float
    cpu_s: float
    rss_bytes: int


def snapshot(pid: int) -> Snapshot:
    """Processor seconds used so far (user and system) and resident memory, children included.

    Source: proc(5), fields 4, 14 … 17 and 24 of ``/proc/[pid]/stat``; the time of children that
    have ended is in their parent's fields.
    """
    fields = [_stat(one) for one in family(pid)]
    ticks = sum(int(ticks) for one in fields for ticks in one[_TIMES])
    return Snapshot(time.monotonic(), ticks / _TICKS, sum(int(one[_RSS]) for one in fields) * _PAGE)


def spent(work: Callable[[], object]) -> dict[str, object]:
    """What the children that some work starts, and waits for, cost: seconds, and processor time."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(time.monotonic() - began, 2), "cpu_seconds": round(cpu_s, 2)}


def share_of_core(first: Snapshot, last: Snapshot) -> float:
    """Per cent of one core used between two snapshots."""
    return 100 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[_PARENT]), []).append(int(entry.name))
    found = [pid]
    for one in found:  # grows while it is walked
        found += children.get(one, [])
    return found


def _stat(pid: int) -> list[str]:
    """Fields of a process from the third on; none if it has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def proportional_bytes(pid: int, *own: Path) -> int:
    """Memory of a process and its children as if nobody else ran the same Python (PSS).

    The kernel divides a page of a file among all processes that map it. The files of our own
    interpreter and libraries are mapped by this benchmark, too, which no gateway's neighbour
    does: of those every resident page counts.

    Args:
        pid: of the process.
        own: folders with the interpreter and its libraries.
    """
    return sum(
        sizes["Rss" if name.startswith(tuple(map(str, own))) else "Pss"]
        for one in family(pid)
        for name, sizes in _mappings(one)
    )


def _mappings(pid: int) -> Iterator[tuple[str, dict[str, int]]]:
    """File (empty if none) and sizes in bytes of every mapping of a process, from ``smaps``."""
    name, sizes = "", {"Rss": 0, "Pss": 0}
    for line in (_PROC / str(pid) / "smaps").read_text().splitlines():
        word, _, rest = line.partition(" ")
        if not word.endswith(":"):
            yield name, sizes
            name, sizes = " ".join(line.split()[5:]), {"Rss": 0, "Pss": 0}
        elif word in ("Rss:", "Pss:"):
            sizes[word[:-1]] = int(rest.split()[0]) * 1024
    yield name, sizes
