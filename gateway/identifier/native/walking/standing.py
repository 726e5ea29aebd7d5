"""How servers did lately: how long their answers take, and which gave none. Pure."""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.identifier.native.walking.places import Place

BAD_S = 30.0
"""How long a server that failed is asked last."""
LEAST_PATIENCE_S = 0.05
"""A second server is never asked sooner: a pause of a millisecond is nobody's fault."""
_SAMPLES, _ENOUGH = 64, 8
_MOST = 1024
"""Places that are remembered; the ones asked longest ago are forgotten."""


@dataclass(slots=True)
class _Record:
    took_s: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    bad_until_s: float = 0.0


class Standing:
    """What is remembered of places.

    Args:
        patience_s: how long a server that is not known yet is waited for alone; nobody is for
            longer.
        clock_s: a clock that only runs.
    """

    def __init__(self, patience_s: float, clock_s: Callable[[], float]) -> None:
        self._patience_s = patience_s
        self._clock_s = clock_s
        self._records: OrderedDict[Place, _Record] = OrderedDict()

    def answered(self, place: Place, took_s: float) -> None:
        """A good answer, and how long it took."""
        record = self._record(place)
        record.took_s.append(took_s)
        record.bad_until_s = 0.0

    def failed(self, place: Place) -> None:
        """No answer, none that can be believed, or one that others were quicker than."""
        self._record(place).bad_until_s = self._clock_s() + BAD_S

    def patience_s(self, place: Place) -> float:
        """After how long another server is asked beside this one: the 95th of 100 answers."""
        took_s = sorted(self._records[place].took_s) if place in self._records else []
        if len(took_s) < _ENOUGH:
            return self._patience_s
        late_s = took_s[int(0.95 * len(took_s))]
        return min(max(late_s, LEAST_PATIENCE_S), self._patience_s)

    def ordered(self, places: Iterable[Place]) -> list[Place]:
        """In their order, but those that failed a moment ago last."""
        return sorted(places, key=self._is_bad)

    def _is_bad(self, place: Place) -> bool:
        record = self._records.get(place)
        return record is not None and record.bad_until_s > self._clock_s()

    def _record(self, place: Place) -> _Record:
        record = self._records.setdefault(place, _Record())
        self._records.move_to_end(place)
        if len(self._records) > _MOST:
            self._records.popitem(last=False)
        return record
