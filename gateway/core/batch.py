"""The unit that travels: columns of values with their times and the schema they follow."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.core.schema import Column, Schema
from gateway.core.status import GOOD, Reason, uncertain

Mask = npt.NDArray[np.bool_]
Status = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a driver returns for one poll, before processing.

    Attributes:
        columns: one array a run of the raw kinds of the tags asked for, in their order.
        status: one status byte a tag; the value of a BAD tag is meaningless.
    """

    columns: tuple[Column, ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Batch:
    """One poll of one group of one device after processing: one time for all its values.

    Attributes:
        schema: order, kinds and meaning of the tags.
        time_ms: nominal tick, UTC milliseconds.
        present: bool[n]; False where nothing is sent (suppressed or BAD).
        columns: one array a run of the schema, full length; entries that are not present are
            meaningless.
        status: one status byte a tag, GOOD or UNCERTAIN where present, meaningless elsewhere;
            None: every value that travels is GOOD.
    """

    schema: Schema
    time_ms: int
    present: Mask
    columns: tuple[Column, ...]
    status: Status | None = None

    @property
    def count(self) -> int:
        """How many values travel."""
        return int(np.count_nonzero(self.present))

    @property
    def cells(self) -> int:
        """How many places for values the columns have."""
        return len(self.present)


@dataclass(frozen=True, slots=True)
class Changes:
    """Values that came one by one (a subscription), each with its own time.

    Attributes:
        schema: order, kinds and meaning of the tags.
        index: uint32[m], ascending: which tag of the schema a value belongs to.
        time_ms: int64[m]: source time of each value, UTC milliseconds; strictly ascending
            within one tag.
        columns: one array a run of ``runs_of(schema.tags[i].kind for i in index)``.
        status: one status byte a value, GOOD or UNCERTAIN; None: every value is GOOD.
    """

    schema: Schema
    index: npt.NDArray[np.uint32]
    time_ms: npt.NDArray[np.int64]
    columns: tuple[Column, ...]
    status: Status | None = None

    @property
    def count(self) -> int:
        """How many values travel."""
        return len(self.index)

    @property
    def cells(self) -> int:
        """How many places for values the columns have."""
        return len(self.index)


Times = npt.NDArray[np.int64]
"""UTC milliseconds."""
NEVER = int(np.iinfo(np.int64).min)
"""A time before all others: of a tag that was never sent, is due whatever its value, has none."""
JOIN_MS = 60_000
"""What is lost again within a minute belongs to one gap: a bad line would else fill the lists."""


def doubted(status: Status | None, count: int) -> Status:
    """Status bytes with all that is GOOD in clock doubt.

    Args:
        status: one byte a value; None: all are GOOD.
        count: how many values there are.
    """
    if status is None:
        return np.full(count, _CLOCK_DOUBT, np.uint8)
    return np.where(status == GOOD, _CLOCK_DOUBT, status).astype(np.uint8)


_CLOCK_DOUBT = uncertain(Reason.CLOCK_DOUBT)


GapKey = tuple[str, str, tuple[str, ...], Reason, int]


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval in which values that were due are missing, with its cause.

    A gap is sent when it opens (``to_ms`` None) and again when it ends; its key stays the same.

    Attributes:
        device: device id; empty for the whole gateway.
        group: group name; empty for the whole device.
        tags: names of the tags concerned; empty for all tags of the group.
        cause: why.
        from_ms: first missing time, UTC milliseconds.
        to_ms: first time at which values came again; None while it lasts.
    """

    device: str
    group: str
    tags: tuple[str, ...]
    cause: Reason
    from_ms: int
    to_ms: int | None = None

    @property
    def key(self) -> GapKey:
        """What tells it from other gaps of its gateway; several may begin at one time."""
        return self.device, self.group, self.tags, self.cause, self.from_ms
