"""What a process costs: processor time and memory, from the kernel's own accounts (Linux)."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_UTIME, _STIME, _RSS = 11, 12, 21


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A process at one moment."""

    at_s: float
    cpu_s: float
    rss_bytes: int


def snapshot(pid: int) -> Snapshot:
    """Processor seconds used so far (user and system) and resident memory of a process.

    Source: proc(5), fields 14, 15 and 24 of ``/proc/[pid]/stat``.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu_ticks = int(fields[_UTIME]) + int(fields[_STIME])
    return Snapshot(time.monotonic(), cpu_ticks / _TICKS, int(fields[_RSS]) * _PAGE)


def share_of_core(first: Snapshot, last: Snapshot) -> float:
    """Per cent of one core used between two snapshots."""
    return 100 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s)
