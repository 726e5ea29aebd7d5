"""One group of one device at work, and which of its nominal ticks are in the books."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from gateway.core.arrival.processor import GroupProcessor
from gateway.core.batch import NEVER, Gap
from gateway.core.books import Counts
from gateway.core.schedule import last_tick_ms, next_tick_ms, ticks_by_day
from gateway.core.schema import Equipment
from gateway.edge.buffer.incoming import GroupProgress
from gateway.edge.device.clock import Leap
from gateway.edge.device.model import GroupModel


@dataclass(slots=True)
class Ticks:
    """Which ticks of a group are in the books. Only the bookkeeper changes it.

    Attributes:
        counted_ms: newest nominal tick in the books; NEVER: none is.
        reading_ms: the tick that is being read now; its reading will count it.
        failing_tags: subscribed tags that are BAD while the session is up.
        era: milliseconds by which its ticks lie further in their interval, see ``Clock.era``.
    """

    counted_ms: int = NEVER
    reading_ms: int | None = None
    failing_tags: int = 0
    era: int = 0


@dataclass(slots=True)
class Group:
    """One group at work.

    Attributes:
        model: what the configuration says; does not change.
        processor: rules, and what was sent last; the runtime feeds it.
        ticks: what is in the books; the bookkeeper keeps it.
    """

    model: GroupModel
    processor: GroupProcessor
    ticks: Ticks = field(default_factory=Ticks)

    @classmethod
    def of(cls, model: GroupModel, known: GroupProgress | None = None) -> "Group":
        """A group that goes on where an earlier run, or runtime, had come to."""
        known = known or GroupProgress(NEVER, NEVER)
        processor = GroupProcessor(model.schema, model.rules, known.newest_ms)
        return cls(model, processor, Ticks(known.tick_ms))

    @property
    def name(self) -> str:
        """Group name."""
        return self.model.name

    @property
    def size(self) -> int:
        """How many tags."""
        return len(self.model.points)

    def next_tick(self) -> int:
        """The first tick that is not in the books, UTC milliseconds."""
        return next_tick_ms(self.ticks.counted_ms, self.model.interval_ms, self._phase_ms)

    def tick_at(self, now_ms: int) -> int:
        """The newest tick that has come, UTC milliseconds."""
        return last_tick_ms(now_ms, self.model.interval_ms, self._phase_ms)

    def ticks_by_day(self, after_ms: int, upto_ms: int) -> list[tuple[date, int]]:
        """How many ticks ``t`` with ``after_ms < t <= upto_ms`` fall on each day that has one."""
        return list(ticks_by_day(after_ms, upto_ms, self.model.interval_ms, self._phase_ms))

    @property
    def _phase_ms(self) -> int:
        return self.model.phase_ms + self.ticks.era

    def enter_era(self, era: int) -> None:
        """Let ticks lie where those of earlier eras do not; what is counted stays counted."""
        self.ticks.era = era
        self.ticks.counted_ms = self.in_era(self.ticks.counted_ms)

    def in_era(self, tick_ms: int) -> int:
        """Where a tick of the era before would lie now."""
        return tick_ms + 1 if self.tick_at(tick_ms + 1) == tick_ms + 1 else tick_ms

    def leap(self, leap: Leap, era: int) -> None:
        """Go on behind a leap of the clock; a reading under way is one of the first tick there."""
        self.ticks.era = era
        self.ticks.counted_ms = first_ms = self.tick_at(leap.to_ms)
        if self.ticks.reading_ms is not None:
            self.ticks.reading_ms, self.ticks.counted_ms = first_ms, self.tick_at(first_ms - 1)
        self.processor.leap(leap.since_ms, leap.to_ms)

    def progress(self, tick_ms: int) -> GroupProgress:
        """How far the group has come with this tick, to be committed with its values."""
        return GroupProgress(tick_ms, max(tick_ms, self.processor.newest_ms))


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a device before its runtime begins.

    Attributes:
        gaps: its open gaps.
        progress: how far its groups had come, by name.
    """

    gaps: Sequence[Gap] = ()
    progress: Mapping[str, GroupProgress] = field(default_factory=dict)

    def forgotten(self) -> dict[str, GroupProgress]:
        """Its progress once the device is taken out: should it return, its books begin anew."""
        return {name: GroupProgress(NEVER, one.newest_ms) for name, one in self.progress.items()}


def pasts_of(
    known: Mapping[tuple[str, str], GroupProgress], gaps: Iterable[Gap]
) -> dict[str, Past]:
    """What a buffer knows of each device, whether it is still configured or not.

    Args:
        known: how far groups had come, by (device, group).
        gaps: gaps that it remembers.
    """
    progress: dict[str, dict[str, GroupProgress]] = {}
    open_gaps: dict[str, list[Gap]] = {}
    for (device, group), one in known.items():
        progress.setdefault(device, {})[group] = one
    for gap in gaps:
        if gap.device and gap.to_ms is None:
            open_gaps.setdefault(gap.device, []).append(gap)
    return {
        device: Past(open_gaps.get(device, ()), progress.get(device, {}))
        for device in progress.keys() | open_gaps.keys()
    }


class Journal(Protocol):
    """What is made durable of ticks without a reading: the recorder."""

    def count(
        self, device: str, day: date, counts: Counts, expected: Mapping[Equipment, int]
    ) -> None:
        """Add to the books of a device and day; ``expected`` says which machines' values."""

    def progress(self, device: str, group: str, progress: GroupProgress) -> None:
        """Note how far a group has come."""

    def gap(self, gap: Gap) -> None:
        """Send a gap that opened or ended."""


class TickCounter:
    """Writes ticks without a reading, and gaps, into the journal.

    Args:
        device: id of the device.
        journal: takes them.
    """

    def __init__(self, device: str, journal: Journal) -> None:
        self.device = device
        self._journal = journal

    def catch_up(self, group: Group, upto_ms: int, *, failed: int = 0, skipped: int = 0) -> None:
        """Count all ticks up to a time that are not in the books yet.

        Args:
            group: whose ticks.
            upto_ms: UTC milliseconds, included.
            failed: how many tags failed at each of them.
            skipped: how many tags were skipped at each of them.
        """
        days = group.ticks_by_day(group.ticks.counted_ms, upto_ms)
        self.count(group, days, failed=failed, skipped=skipped)
        group.ticks.counted_ms = group.tick_at(upto_ms)
        self.note_progress(group)

    def note_progress(self, group: Group) -> None:
        """Have the next run know how far a group has come."""
        self._journal.progress(self.device, group.name, group.progress(group.ticks.counted_ms))

    def count(
        self,
        group: Group,
        days: Iterable[tuple[date, int]],
        *,
        failed: int = 0,
        skipped: int = 0,
    ) -> None:
        """Count ticks by day, each with so many tags that failed or were skipped.

        Fewer than all tags are those of a subscription that are BAD now.
        """
        due = failed + skipped
        if not due:
            return
        machines = group.processor.tags_by_machine(only_bad=due < group.size)
        for day, ticks in days:
            counts = Counts(due=ticks * due, failed=ticks * failed, skipped=ticks * skipped)
            expected = {machine: ticks * tags for machine, tags in machines.items()}
            self._journal.count(self.device, day, counts, expected)

    def send(self, gaps: Iterable[Gap]) -> None:
        """Send gaps that opened or ended."""
        for gap in gaps:
            self._journal.gap(gap)
