"""What quarantine takes is missing: an interval with that cause, as long as it goes on. Pure."""

from collections.abc import Mapping, Sequence

from gateway.city.ingest.admission import LATEST_MS, is_device_id
from gateway.city.ingest.limits import MAX_LOSSES, MAX_UNSTORED
from gateway.core.batch import JOIN_MS, Batch, Changes, Gap
from gateway.core.days import DAY_MS, MAX_AHEAD_MS
from gateway.core.status import Reason

LONGEST_MS = DAY_MS
"""An interval that goes on for longer ends, and another begins: by when they begin the database
finds those that are new."""

_Place = tuple[str, str, tuple[str, ...], Reason]
"""Device, group, tags and cause."""


class Losses:
    """Intervals of values of one gateway that were quarantined.

    Attributes:
        unstored: what the gateway is told of them: ``Ack.unstored``.
    """

    def __init__(self) -> None:
        self.unstored: dict[str, tuple[int, int]] = {}
        self._newest: dict[_Place, tuple[int, int]] = {}
        self._changed: dict[tuple[_Place, int], Gap] = {}

    def note(
        self,
        device: str,
        group: str,
        times_ms: Sequence[int],
        newest_ms: int | None = None,
    ) -> None:
        """Note that values were quarantined.

        Args:
            device: whose they were; empty, or if it is no name, for the whole gateway.
            group: of that device; empty for the whole device.
            times_ms: their times, UTC milliseconds; those that no database takes are left out.
                Empty: no value was lost.
            newest_ms: the newest of their times as the gateway gave it, if that is not believed.
        """
        if not times_ms:
            return
        self.tell(device, max(times_ms) if newest_ms is None else newest_ms)
        self._extend((device, group, (), Reason.QUARANTINE), times_ms)

    def note_outside(
        self, device: str, group: str, tags: tuple[str, ...], times_ms: Sequence[int]
    ) -> None:
        """Note that values were not kept because no data agreement names them.

        The gateway is not told: it would send them again.

        Args:
            device: whose they were.
            group: of that device.
            tags: of that group; empty: all of them.
            times_ms: their times, UTC milliseconds.
        """
        self._extend((device, group, tags, Reason.AGREEMENT), times_ms)

    def _extend(self, place: "_Place", times_ms: Sequence[int]) -> None:
        times = [time for time in times_ms if abs(time) < LATEST_MS]
        if not times:
            return
        if not all(is_device_id(name) for name in place[:2] if name):
            place = ("", "", (), place[3])
        from_ms, to_ms = self._joined(place, min(times), max(times) + 1)
        self._changed[place, from_ms] = Gap(*place, from_ms, to_ms)
        self._newest.pop(place, None)
        self._newest[place] = (from_ms, to_ms)
        if len(self._newest) > MAX_LOSSES:
            del self._newest[next(iter(self._newest))]

    def tell(self, device: str, newest_ms: int) -> None:
        """Have the gateway told that values were not stored, so that it sends them anew.

        Args:
            device: whose they were.
            newest_ms: the newest of their times, UTC milliseconds.
        """
        name = device if is_device_id(device) else ""
        number, known_ms = self.unstored.get(name, (0, newest_ms))
        self.unstored[name] = (number + 1, max(known_ms, newest_ms))
        self._bound_unstored()

    def recall(self, unstored: Mapping[str, tuple[int, int]]) -> None:
        """Go on with what the gateway was told, or not yet told, before a restart."""
        self.unstored.update(unstored)
        self._bound_unstored()

    def _bound_unstored(self) -> None:
        if len(self.unstored) > MAX_UNSTORED:
            numbers, times_ms = zip(*self.unstored.values(), strict=True)
            self.unstored = {"": (sum(numbers), max(times_ms))}

    def _joined(self, place: "_Place", from_ms: int, to_ms: int) -> tuple[int, int]:
        begin, end = self._newest.get(place, (from_ms, to_ms))
        if begin <= from_ms <= end + JOIN_MS and to_ms - begin <= LONGEST_MS:
            from_ms, to_ms = begin, max(end, to_ms)
        return from_ms, to_ms

    def changed(self) -> Sequence[Gap]:
        """The intervals that have begun or grown since the last call."""
        changed, self._changed = self._changed, {}
        return list(changed.values())


def believed(span_ms: tuple[int, int], received_ms: int) -> Sequence[int]:
    """First and last time of a message of which only the header can be read.

    Args:
        span_ms: as the header says; nothing vouches for it.
        received_ms: when it came; holds if the header cannot be true, UTC milliseconds.
    """
    first, last = span_ms
    return span_ms if 0 < first <= last <= received_ms + MAX_AHEAD_MS else (received_ms,)


def span_of(record: Batch | Changes) -> Sequence[int]:
    """The first and the last time of the values, UTC milliseconds; empty if there are none."""
    if not record.count:
        return ()
    if isinstance(record, Batch):
        return (record.time_ms,)
    return int(record.time_ms.min()), int(record.time_ms.max())
