"""What has come since the last commit, in memory. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from gateway.core.batch import Gap, GapKey
from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.core.schema import Equipment, Schema
from gateway.edge.buffer.frames import Entry
from gateway.edge.buffer.incoming import Commit, GroupProgress, MachineKey, NewFrame
from gateway.wire.records import MachineRecord

MAX_GAPS = 10_000
"""Gaps that wait for a disk that refuses; of more than these the newest are told."""

Key = tuple[str, date]


def machine_key(device: str, machine: Equipment, day: date) -> MachineKey:
    """Under which the counters of a machine and day are kept."""
    return device, machine.site_no, machine.asset_no, day


def machine_record(key: MachineKey, counts: MachineCounts) -> MachineRecord:
    """The counters of a machine and day as they travel."""
    return MachineRecord(*key, counts.valid, counts.expected, counts.first_ms, counts.last_ms)


@dataclass(slots=True)
class Gathered:
    """What has come since the last commit."""

    entries: list[Entry] = field(default_factory=list)
    counts: dict[Key, Counts] = field(default_factory=dict)
    progress: dict[tuple[str, str], GroupProgress] = field(default_factory=dict)
    machines: dict[MachineKey, MachineCounts] = field(default_factory=dict)
    gaps: dict[GapKey, Gap] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    size: int = 0
    overflowed: bool = False
    renews: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.entries or self.counts or self.progress or self.gaps)

    def count(self, key: Key, counts: Counts) -> None:
        """Add to the books."""
        known = self.counts.get(key)
        if known is None:
            self.counts[key] = known = Counts()
        known.add(counts)

    def count_machine(self, key: MachineKey, counts: MachineCounts) -> None:
        """Add to the counters of a machine."""
        known = self.machines.get(key)
        if known is None:
            self.machines[key] = known = MachineCounts()
        known.add(counts)

    def gap(self, gap: Gap) -> None:
        """Remember a gap that opened or ended."""
        self.gaps[gap.key] = gap

    def keep(self, older: Collection[Gap]) -> None:
        """Gaps that did not travel go before newer ones."""
        if not older:
            return
        gaps = {gap.key: gap for gap in older} | self.gaps
        self.gaps = dict(islice(gaps.items(), max(0, len(gaps) - MAX_GAPS), None))

    def with_frames(
        self,
        frames: Sequence[NewFrame],
        reported: Collection[Key],
        reported_machines: Collection[MachineKey],
    ) -> Commit:
        """All of it, of which the frames carry entries, schemas and gaps.

        Args:
            frames: made of what is gathered here and of what they report.
            reported: devices and days whose books they report.
            reported_machines: the same of the counters of machines.
        """
        return Commit(
            frames=frames,
            counts=self.counts,
            progress=self.progress,
            gaps=tuple(self.gaps.values()),
            schemas=tuple(self.schemas.values()),
            machines=self.machines,
            reported=reported,
            reported_machines=reported_machines,
            renews=self.renews,
        )

    def without_frames(self) -> Commit:
        """What a disk may still take that takes no values; gaps wait there for a frame."""
        return Commit(
            counts=self.counts,
            progress=self.progress,
            machines=self.machines,
            waiting=tuple(self.gaps.values()),
        )

    def put_back(self, older: "Gathered") -> None:
        """Take what an earlier commit could not write: books, progress and gaps."""
        for key, counts in older.counts.items():
            self.count(key, counts)
        for machine, given in older.machines.items():
            self.count_machine(machine, given)
        self.progress = {**older.progress, **self.progress}
        self.keep(older.gaps.values())
