"""How often a program may ask: a bucket of requests for each who asks. Pure; clocks come in."""

from collections import OrderedDict
from dataclasses import dataclass

BURST = 120
PER_SECOND = 4.0
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Pace:
    """Requests of each who asks: :data:`BURST` at once, then :data:`PER_SECOND`."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, who: str, now_s: float) -> float:
        """How long who asks must wait, seconds; 0: the request is taken, and counted.

        Args:
            who: by whose requests this one counts.
            now_s: a clock that only runs, seconds.
        """
        bucket = self._buckets.setdefault(who, _Bucket(BURST, now_s))
        self._buckets.move_to_end(who)
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(BURST, bucket.left + (now_s - bucket.at_s) * PER_SECOND)
        bucket.at_s = now_s
        if bucket.left < 1:
            return (1 - bucket.left) / PER_SECOND
        bucket.left -= 1
        return 0.0
