"""What processing hands on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from gateway.core.batch import Batch, Changes, Status, Times, doubted
from gateway.core.books import Counts
from gateway.core.machines import MachineCounts, MachineDay
from gateway.core.schema import Column


@dataclass(frozen=True, slots=True)
class Outcome:
    """What processing made of a poll, or of arrivals.

    Attributes:
        record: what is to be made durable; None if nothing is to be sent.
        counts: the books of it, by Asia/Shanghai day; ``due = ok + failed`` and
            ``ok = suppressed + buffered``, and UNCERTAIN values are part of ``ok``.
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

    def in_doubt(self) -> "Outcome":
        """The same in clock doubt: what is GOOD travels as UNCERTAIN, and nothing is valid.

        The books count them so; processing does not see it, nor do pages of the box. The values
        are as they were; only the day that they name is not sure, so they are not sent again for
        that alone.
        """
        record = self.record
        return replace(
            self,
            counts={day: counts.in_doubt() for day, counts in self.counts.items()},
            record=record and replace(record, status=doubted(record.status, record.cells)),
            machines=[
                (machine, day, MachineCounts(expected=given.expected))
                for machine, day, given in self.machines
            ],
        )
