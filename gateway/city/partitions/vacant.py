"""Partitions that no worker holds, and for how long. Pure."""

from collections.abc import Collection

from gateway.wire.topics import ALL_PARTITIONS

HAND_OVER_S = 30.0
"""A partition without a worker for longer is a fault: a dead one's have another by then."""
_NAMED = 10
"""Partitions that a sentence names."""


class Vacant:
    """What has been seen free, since when."""

    def __init__(self) -> None:
        self._since_s: dict[int, float] = {}

    @property
    def count(self) -> int:
        """How many were free when last seen."""
        return len(self._since_s)

    def note(self, held: Collection[int], now_s: float) -> None:
        """Enter what was seen.

        Args:
            held: partitions that any worker holds.
            now_s: monotonic seconds.
        """
        free = ALL_PARTITIONS.difference(held)
        self._since_s = {number: self._since_s.get(number, now_s) for number in free}

    def problem(self, now_s: float) -> str:
        """Which partitions have been free for too long, in a sentence; empty if none has."""
        late = sorted(n for n, since_s in self._since_s.items() if now_s - since_s > HAND_OVER_S)
        if not late:
            return ""
        named = ", ".join(map(str, late[:_NAMED])) + (", …" if len(late) > _NAMED else "")
        return (
            f"no worker holds {len(late)} partitions ({named}) for more than {HAND_OVER_S:.0f} s: "
            "their gateways are not heard; start a worker, or look why one does not take them"
        )
