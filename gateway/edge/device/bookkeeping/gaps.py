"""From status columns over time to gaps: intervals without values, with their cause. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from gateway.core.batch import JOIN_MS, Gap, Status
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, reason_of

SKIPS = (Reason.LATE, Reason.CLOCK)
"""Causes of ticks that were not read at all."""


class Named(Protocol):
    """Anything with a tag's name."""

    @property
    def name(self) -> str:
        """The tag's name."""


class GapTracker:
    """The open gaps of one device.

    The loss of the whole device is one gap; while it lasts no other is open. Within a group,
    tags that fail together with the same cause are one gap; when some of them recover, it ends
    and a new one begins for the rest.

    Args:
        device: device id.
        groups: the tags of each group, in column order.
        remembered: gaps of this device that were open when the gateway stopped.
    """

    def __init__(
        self, device: str, groups: Mapping[str, Sequence[Named]], remembered: Iterable[Gap] = ()
    ) -> None:
        self._device = device
        self._tags = dict(groups)
        self._before: dict[str, tuple[bytes, Status]] = {}  # by group: its status, its causes
        self._whole: Gap | None = None
        self._partial: dict[str, list[Gap]] = {group: [] for group in groups}
        self._skips: dict[tuple[str, Reason], tuple[Gap, int]] = {}
        self._orphans: list[Gap] = []
        for gap in remembered:
            self._restore(gap)

    def _restore(self, gap: Gap) -> None:
        if not gap.group and self._whole is None:
            self._whole = gap
        elif gap.group in self._partial and gap.cause in SKIPS:
            self._skips[gap.group, gap.cause] = (gap, gap.from_ms)
        elif gap.group in self._partial and set(gap.tags) <= self._place(gap.group).keys():
            self._partial[gap.group].append(gap)
        else:
            self._orphans.append(gap)

    def resume(self, group: str, upto_ms: int) -> None:
        """Ticks of a group that were skipped before the gateway stopped ended by ``upto_ms``."""
        for key, (gap, _) in self._skips.items():
            if key[0] == group:
                self._skips[key] = (gap, upto_ms)

    def end_orphans(self, time_ms: int) -> list[Gap]:
        """End remembered gaps of groups and tags that are not configured any more."""
        ended = [replace(gap, to_ms=time_ms) for gap in self._orphans]
        self._orphans.clear()
        return ended

    def open_gaps(self) -> list[Gap]:
        """All that are open, for whoever goes on with this device."""
        whole = [] if self._whole is None else [self._whole]
        partial = [gap for gaps in self._partial.values() for gap in gaps]
        return [*whole, *partial, *(gap for gap, _ in self._skips.values()), *self._orphans]

    def end_all(self, time_ms: int) -> list[Gap]:
        """End whatever is open; the device is not configured any more."""
        ended = [replace(gap, to_ms=max(time_ms, gap.from_ms)) for gap in self.open_gaps()]
        self._whole = None
        self._partial = {group: [] for group in self._tags}
        self._skips.clear()
        self._orphans.clear()
        return ended

    def lost(self, cause: Reason, time_ms: int) -> list[Gap]:
        """The whole device gives no values from ``time_ms`` on."""
        if self._whole is not None and self._whole.cause is cause:
            return []
        ended = self.back(time_ms)
        # The gap of the device covers those of its groups.
        for group, gaps in self._partial.items():
            ended += [replace(gap, to_ms=time_ms) for gap in gaps]
            gaps.clear()
            self._before.pop(group, None)
        self._whole = Gap(self._device, "", (), cause, time_ms)
        return [*ended, self._whole]

    def back(self, time_ms: int) -> list[Gap]:
        """The device gives values again from ``time_ms`` on."""
        if self._whole is None:
            return []
        ended = replace(self._whole, to_ms=time_ms)
        self._whole = None
        return [ended]

    def leap(self, from_ms: int, to_ms: int) -> list[Gap]:
        """The clock goes on elsewhere: what is open ends here, and what lasts begins anew there."""
        ended = self.end_skips()
        lasting = [gap for gap in self.open_gaps() if gap not in self._orphans]
        ended += [replace(gap, to_ms=max(from_ms, gap.from_ms)) for gap in lasting]
        moved = {gap.key: replace(gap, from_ms=to_ms) for gap in lasting}
        for group, gaps in self._partial.items():
            self._partial[group] = [moved[gap.key] for gap in gaps]
        self._whole = moved[self._whole.key] if self._whole else None
        return [*ended, *moved.values()]

    def update(self, group: str, status: Status, time_ms: int) -> list[Gap]:
        """Take the status column of a group at a time; cheap while nothing changes."""
        # As bytes: that is quick to compare, and mostly nothing has changed.
        before, column = self._before.get(group), status.tobytes()
        if before is not None and before[0] == column:
            return []
        causes = np.where(status >= FIRST_BAD, status, GOOD)
        self._before[group] = column, causes
        if before is not None and np.array_equal(before[1], causes):
            return []
        return self._compare(group, causes, time_ms)

    def _compare(self, group: str, causes: Status, time_ms: int) -> list[Gap]:
        records: list[Gap] = []
        open_gaps: list[Gap] = []
        fresh = causes != GOOD
        place = self._place(group)
        for gap in self._partial[group]:
            tags = [place[name] for name in gap.tags] if gap.tags else slice(None)
            if (causes[tags] == bad(gap.cause)).all():
                fresh[tags] = False
                open_gaps.append(gap)
            else:
                records.append(replace(gap, to_ms=time_ms))
        for code in dict.fromkeys(causes[fresh].tolist()):
            chosen = np.flatnonzero(fresh & (causes == code)).tolist()
            names = tuple(self._tags[group][at].name for at in chosen)
            concerned = () if len(chosen) == len(causes) else names
            gap = Gap(self._device, group, concerned, reason_of(code), time_ms)
            open_gaps.append(gap)
            records.append(gap)
        self._partial[group] = open_gaps
        return records

    def _place(self, group: str) -> dict[str, int]:
        return {tag.name: at for at, tag in enumerate(self._tags[group])}

    def skipped(self, group: str, cause: Reason, from_ms: int, to_ms: int) -> list[Gap]:
        """Ticks in ``from_ms <= t < to_ms`` were not read; near ones join to one gap."""
        found = self._skips.get((group, cause))
        if found and from_ms - found[1] <= JOIN_MS:
            self._skips[group, cause] = (found[0], to_ms)
            return []
        ended = self._end_skip(group, cause)
        gap = Gap(self._device, group, (), cause, from_ms)
        self._skips[group, cause] = (gap, to_ms)
        return [*ended, gap]

    @property
    def has_skips(self) -> bool:
        """Whether a gap of skipped ticks waits for :meth:`end_old_skips`."""
        return bool(self._skips)

    def end_old_skips(self, now_ms: int) -> list[Gap]:
        """End the gaps of skipped ticks after which none was skipped for a while."""
        if not self._skips:
            return []
        old = [key for key, (_, to_ms) in self._skips.items() if abs(now_ms - to_ms) > JOIN_MS]
        return [gap for group, cause in old for gap in self._end_skip(group, cause)]

    def end_skips(self) -> list[Gap]:
        """End all gaps of skipped ticks behind the last of them: nothing can be joined any more."""
        return [gap for group, cause in list(self._skips) for gap in self._end_skip(group, cause)]

    def _end_skip(self, group: str, cause: Reason) -> list[Gap]:
        found = self._skips.pop((group, cause), None)
        if found is None:
            return []
        gap, to_ms = found
        return [replace(gap, to_ms=max(to_ms, gap.from_ms))]
