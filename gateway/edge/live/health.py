"""Whether an edge does its work, for ``/healthz``: what a watchdog may restart it for.

A lost device or broker, or a city with another time, is not the gateway's fault and no restart
cures it: the first is told by pages and metrics, the others as parts that are not ``ok`` but leave
the answer at 200.
"""

from gateway.edge.live.view import DeviceRecord, Live

TOLERABLE = frozenset({"broker", "clock"})
"""Parts whose fault leaves the gateway working: frames are kept, or values are in doubt."""

STUCK_MS = 210_000
"""A polled group of a device that is up is never so long overdue: two attempts at reading and a
new connection between them take 60 s each at most."""

STALLED_MS = 30_000
"""A commit, which tells the books every 10 s, is never so long ago."""


def health(live: Live, now_ms: int) -> dict[str, str]:
    """State of reading, buffer, broker and clock: ``ok``, or what is wrong."""
    stuck = [record.id for record in live.records() if _is_stuck(record, now_ms)]
    return {
        "reading": f"nothing is read any more from {', '.join(stuck)}" if stuck else "ok",
        "buffer": live.backlog().refused or _stall(now_ms - live.committed_ms()),
        "broker": live.northbound().error or live.northbound().unanswered or "ok",
        "clock": live.clock().contradiction or "ok",
    }


def _is_stuck(record: DeviceRecord, now_ms: int) -> bool:
    return record.link == "up" and any(
        isinstance(read_ms := group.newest.times, int)
        and now_ms - read_ms > group.schema.interval_ms + STUCK_MS
        for group in record.groups.values()
        if group.newest is not None
    )


def _stall(age_ms: int) -> str:
    return f"no commit has ended for {age_ms // 1000} s" if age_ms > STALLED_MS else "ok"
