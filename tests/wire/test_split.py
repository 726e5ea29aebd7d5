"""Records cut into smaller ones hold the same values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.batch import Batch, Changes
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason, uncertain
from gateway.wire.records import encode_record
from gateway.wire.split import cut
from tests.wire.test_frame import batches, changes

Value = tuple[int, int, object, int]


def values_of(record: Batch | Changes) -> list[Value]:
    """(tag, time, value, status byte) of all values that travel."""
    if isinstance(record, Batch):
        index = np.flatnonzero(record.present).tolist()
        flat = [value for column in record.columns for value in column.tolist()]
        flat = [flat[at] for at in index]
        times = [record.time_ms] * len(index)
        codes = [0] * len(index) if record.status is None else record.status[index].tolist()
    else:
        index, times = record.index.tolist(), record.time_ms.tolist()
        flat = [value for column in record.columns for value in column.tolist()]
        codes = [0] * len(index) if record.status is None else record.status.tolist()
    return list(zip(index, times, flat, codes, strict=True))


@given(batches() | changes(), st.integers(1, 200))
def test_the_pieces_hold_the_same_and_are_small(record: Batch | Changes, most: int) -> None:
    pieces = cut(record, most)
    assert [value for one in pieces for value in values_of(one)] == values_of(record)
    for one in pieces:
        assert len(encode_record(one)) <= most or one.count <= 1


def test_long_texts_are_cut_between_values() -> None:
    tags = tuple(Tag(f"t{at}", Kind.STRING) for at in range(1_000))
    schema = Schema("d", "g", "p", "sensor", False, (Equipment("u", "1", "m"),), tags, 1_000)
    texts = np.array(["x" * 8_000] * 1_000, object)
    status = np.full(1_000, uncertain(Reason.SOURCE), np.uint8)
    batch = Batch(schema, 5, np.ones(1_000, np.bool_), (texts,), status)
    pieces = cut(batch, 256 * 1024)
    assert 32 <= len(pieces) <= 40
    assert sum(one.count for one in pieces) == 1_000
