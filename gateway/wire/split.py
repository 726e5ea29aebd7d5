"""Values cut into smaller records, for readers and brokers that take no large messages. Pure."""

from itertools import pairwise
from math import ceil

import numpy as np

from gateway.core.batch import Batch, Changes
from gateway.wire.records import encode_record


def as_changes(batch: Batch) -> Changes:
    """The values of a batch that travel, each with the batch's time."""
    present = batch.present
    index = np.flatnonzero(present).astype(np.uint32)
    columns = [
        column[present[run.span]]
        for run, column in zip(batch.schema.runs, batch.columns, strict=True)
    ]
    return Changes(
        batch.schema,
        index,
        np.full(len(index), batch.time_ms, np.int64),
        tuple(column for column in columns if len(column)),
        None if batch.status is None else batch.status[present],
    )


def cut(record: Batch | Changes, max_bytes: int) -> list[Changes]:
    """The same values in records of at most so many bytes each.

    A record of a single value may be larger; nothing smaller can be made of it. A batch becomes
    changes, because parts of it would cost a place for every tag of its schema each.

    Args:
        record: what is too large.
        max_bytes: of one record as it is encoded.
    """
    changes = as_changes(record) if isinstance(record, Batch) else record
    size = len(encode_record(changes))
    # A single value ends the recursion whatever its size.
    if size <= max_bytes or changes.count <= 1:
        return [changes]
    parts = min(changes.count, ceil(1.05 * size / max_bytes))  # they are not quite equal
    bounds = np.linspace(0, changes.count, parts + 1).astype(int).tolist()
    pieces: list[Changes] = []
    for start, stop in pairwise(bounds):
        pieces += cut(_between(changes, start, stop), max_bytes)
    return pieces


def _between(changes: Changes, start: int, stop: int) -> Changes:
    columns = []
    for run, column in zip(changes.schema.runs_at(changes.index), changes.columns, strict=True):
        low, high = max(run.start, start), min(run.stop, stop)
        if low < high:
            columns.append(column[low - run.start : high - run.start])
    return Changes(
        changes.schema,
        changes.index[start:stop],
        changes.time_ms[start:stop],
        tuple(columns),
        None if changes.status is None else changes.status[start:stop],
    )
