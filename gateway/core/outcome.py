"""What processing hands on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway.core.batch import Batch, Changes, Status, Times
from gateway.core.books import Counts
from gateway.core.machines import MachineDay
from gateway.core.schema import Column


@dataclass(frozen=True, slots=True)
class Outcome:
    """What processing made of a poll, or of arrivals.

    Attributes:
        record: what is to be made durable; None if nothing is to be sent.
        counts: the books of it, by Asia/Shanghai day; ``due = ok + failed`` and
            ``ok = suppressed + buffered``.
        status: one status byte a tag, as it stands now.
        columns: newest values, one array a run of the schema; meaningless where BAD.
        times: time of each tag's newest value, UTC milliseconds; one number for all of a poll.
        machines: what each machine gave, by Asia/Shanghai day.
    """

    record: Batch | Changes | None
    counts: dict[date, Counts]
    status: Status
    columns: tuple[Column, ...]
    times: int | Times
    machines: Sequence[MachineDay] = ()
