"""What goes into the buffer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.core.schema import Schema

MachineKey = tuple[str, str, str, date]
"""(device, site_no, asset_no, Asia/Shanghai day) of the counters of a machine."""

Share = tuple[str, date, int]
"""(device, Asia/Shanghai day, values): whose values a frame carries."""


@dataclass(frozen=True, slots=True)
class NewFrame:
    """A frame to be made durable.

    Attributes:
        body: from ``wire.BodyEncoder``; header and sequence number come when it is sent.
        values: values in it.
        first_ms: oldest time in it, UTC milliseconds.
        last_ms: newest time in it, UTC milliseconds.
        shares: whose values they are; their sum is ``values``.
        gaps: gap records in it.
    """

    body: bytes
    values: int
    first_ms: int
    last_ms: int
    shares: tuple[Share, ...]
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """How far a group has come.

    Attributes:
        tick_ms: newest nominal tick that is in the books.
        newest_ms: newest time of a value of the group.
    """

    tick_ms: int
    newest_ms: int


@dataclass(slots=True)
class Commit:
    """What one transaction takes.

    Attributes:
        frames: frames, oldest first.
        counts: increments of the books.
        progress: how far groups have come, by (device, group).
        gaps: gaps opened (``to_ms`` None: remembered) or ended (forgotten) by these frames.
        waiting: gaps that no frame carries yet: remembered, opened or ended, until one does.
        schemas: schemas that these frames carry.
        machines: increments of the counters of machines.
        reported: devices and days whose books, as of the commit before, these frames report.
        reported_machines: the same of the counters of machines.
        renews: whether what comes behind it begins with the values of all tags.
    """

    frames: Sequence[NewFrame] = ()
    counts: Mapping[tuple[str, date], Counts] = field(default_factory=dict)
    progress: Mapping[tuple[str, str], GroupProgress] = field(default_factory=dict)
    gaps: Sequence[Gap] = ()
    schemas: Sequence[Schema] = ()
    machines: Mapping[MachineKey, MachineCounts] = field(default_factory=dict)
    reported: Collection[tuple[str, date]] = ()
    reported_machines: Collection[MachineKey] = ()
    waiting: Sequence[Gap] = ()
    renews: bool = False
