"""Frames: round trips of every record, and nothing but FrameError on arbitrary bytes."""

import contextlib
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.books import Counts
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason, bad, uncertain
from gateway.wire.body import read_gaps
from gateway.wire.columns import FrameError, UnknownSchemaError
from gateway.wire.frame import (
    MAX_CELLS,
    BodyEncoder,
    Header,
    decode_frame,
    join,
    prepend,
    read_header,
    seal,
    unknown_schemas,
)
from gateway.wire.records import (
    BooksRecord,
    GivenUp,
    MachineRecord,
    encode_begin,
    encode_record,
)

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.FLOAT64: st.floats(allow_nan=False),
    Kind.FLOAT32: st.floats(allow_nan=False, width=32),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.UINT64: st.integers(0, 2**64 - 1),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text(max_size=5),
}
TIMES = st.integers(0, 2**50)
STATUS = st.just(0) | st.sampled_from(list(Reason)).map(uncertain)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    kinds = sorted(draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=6)))
    tags = tuple(Tag(f"t{at}", kind, label_zh="温度") for at, kind in enumerate(kinds))
    device = draw(st.sampled_from(["press-1", "lathe"]))
    return Schema(device, "g", "p", "controller", False, (Equipment("u", "1", "a"),), tags, 1000)


def _columns(draw: st.DrawFn, kinds: list[Kind]) -> list[Any]:
    return [draw(VALUES[kind]) for kind in kinds]


def _column(kind: Kind, values: list[Any]) -> np.ndarray:
    out = np.empty(len(values), kind.dtype)
    out[:] = values
    return out


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    schema = draw(schemas())
    present = np.array([draw(st.booleans()) for _ in schema.tags], np.bool_)
    columns = tuple(
        _column(run.kind, [draw(VALUES[run.kind]) for _ in range(len(run))]) for run in schema.runs
    )
    return Batch(schema, draw(TIMES), present, columns, _status(draw, len(present)))


@st.composite
def changes(draw: st.DrawFn) -> Changes:
    schema = draw(schemas())
    index = sorted(draw(st.lists(st.integers(0, len(schema.tags) - 1), max_size=8)))
    columns = tuple(
        _column(run.kind, [draw(VALUES[run.kind]) for at in index if at in range(*_ends(run))])
        for run in schema.runs
        if any(at in range(*_ends(run)) for at in index)
    )
    times = np.array([draw(TIMES) for _ in index], np.int64)
    status = _status(draw, len(index))
    return Changes(schema, np.array(index, np.uint32), times, columns, status)


def _status(draw: st.DrawFn, count: int) -> np.ndarray | None:
    if draw(st.booleans()):
        return None
    return np.array([draw(STATUS) for _ in range(count)], np.uint8)


def _ends(run: Any) -> tuple[int, int]:
    return run.start, run.stop


GAPS = st.builds(
    Gap,
    st.text(max_size=5),
    st.text(max_size=5),
    st.lists(st.text(max_size=4), max_size=3).map(tuple),
    st.sampled_from(list(Reason)),
    TIMES,
    st.none() | TIMES,
)
BOOKS = st.builds(
    lambda device, day, due, dropped, doubted: BooksRecord.of(
        device, day, Counts(due, dropped=dropped, uncertain=doubted)
    ),
    st.text(max_size=5),
    st.dates(date(2020, 1, 1)),
    st.integers(0, 2**40),
    st.dictionaries(st.sampled_from(["quota", "disk"]), st.integers(0, 9)),
    st.dictionaries(st.sampled_from(["overflow", "clock"]), st.integers(0, 9)),
)
GIVEN_UP = st.builds(GivenUp, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
MACHINES = st.builds(
    MachineRecord,
    st.text(max_size=5),
    st.text(max_size=5),
    st.text(max_size=5),
    st.dates(date(2020, 1, 1)),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.none() | TIMES,
    st.none() | TIMES,
)
RECORDS = batches() | changes() | GAPS | BOOKS | MACHINES | GIVEN_UP


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Batch) and isinstance(second, Batch):
        chosen = [first.present[run.span] for run in first.schema.runs]
        pairs = zip(first.columns, second.columns, chosen, strict=True)
        return (
            (first.schema, first.time_ms) == (second.schema, second.time_ms)
            and np.array_equal(first.present, second.present)
            and all(a[m].tolist() == b[m].tolist() for a, b, m in pairs)
            and _codes(first.status, first.present) == _codes(second.status, first.present)
        )
    if isinstance(first, Changes) and isinstance(second, Changes):
        return (
            first.schema == second.schema
            and np.array_equal(first.index, second.index)
            and np.array_equal(first.time_ms, second.time_ms)
            and [c.tolist() for c in first.columns] == [c.tolist() for c in second.columns]
            and _codes(first.status) == _codes(second.status)
        )
    return bool(first == second)


def _codes(status: np.ndarray | None, present: Any = slice(None)) -> list[int] | None:
    return None if status is None else status[present].tolist()


@given(st.lists(RECORDS, max_size=4), st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1))
def test_every_record_comes_back(records: list[Any], epoch: int, seq: int) -> None:
    carried = [r.schema for r in records if isinstance(r, Batch | Changes)]
    body = BodyEncoder().encode([*carried, *records])
    header = Header(epoch, seq, 7)
    frame = decode_frame(seal(body, header), {})
    assert frame.header == header
    assert list(frame.records[: len(carried)]) == carried
    got = frame.records[len(carried) :]
    assert len(got) == len(records)
    assert all(_same(a, b) for a, b in zip(records, got, strict=True))


@given(st.lists(st.lists(RECORDS, max_size=3), min_size=2, max_size=4), st.sets(st.integers(5, 8)))
def test_merged_frames_come_back_without_those_that_are_held(
    frames: list[list[Any]], held: set[int]
) -> None:
    front = [r.schema for records in frames for r in records if isinstance(r, Batch | Changes)]
    stored = [(5 + at, len(one), BodyEncoder().encode(one)) for at, one in enumerate(frames)]
    body = prepend(join(stored), front)
    header = Header(1, stored[-1][0], sum(map(len, frames)), len(frames) - 1)
    frame = decode_frame(seal(body, header), {})
    assert frame.header == header and list(header.seqs) == [seq for seq, _, _ in stored]
    rest = frame.without(held.__contains__)
    kept = [one for at, one in enumerate(frames) if 5 + at not in held]
    assert list(rest.records[: len(front)]) == front
    assert all(map(_same, rest.records[len(front) :], [r for one in kept for r in one]))
    assert rest.header.values == sum(map(len, kept))
    assert [seq for seq, _, _ in rest.parts] == [s for s, _, _ in stored if s not in held]


def test_a_merged_message_holds_the_frames_that_its_header_says() -> None:
    body = join([(5, 0, b"\0"), (6, 0, b"\0")])
    for header in (Header(1, 6, 0), Header(1, 7, 0, 1), Header(1, 6, 0, 2), Header(1, 1, 0, 1)):
        with pytest.raises(FrameError, match=r"the frames inside are not|cannot have"):
            decode_frame(seal(body, header), {})


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_frame_error(body: bytes) -> None:
    with contextlib.suppress(FrameError):
        decode_frame(body, {})


@given(st.lists(RECORDS, min_size=1, max_size=3), st.data())
def test_damaged_bodies_are_a_frame_error(records: list[Any], data: st.DataObject) -> None:
    known = {r.schema.id: r.schema for r in records if isinstance(r, Batch | Changes)}
    plain = bytearray(BodyEncoder().encode(records))
    at = data.draw(st.integers(1, len(plain) - 1))
    plain[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(FrameError):
        decode_frame(seal(bytes(plain), Header(1, 1, 1)), known)  # the checksum is right here


@given(st.binary(min_size=1, max_size=60))
def test_arbitrary_records_behind_a_right_header_are_a_frame_error(content: bytes) -> None:
    with contextlib.suppress(FrameError):
        decode_frame(seal(b"\0" + content, Header(1, 1, 1)), {})


@given(batches())
def test_an_unknown_schema_is_named(batch: Batch) -> None:
    message = seal(BodyEncoder().encode([batch]), Header(1, 2, 3))
    with pytest.raises(UnknownSchemaError) as caught:
        decode_frame(message, {})
    assert caught.value.schema_id == batch.schema.id


@given(batches(), st.lists(GAPS, max_size=30))
def test_a_lacking_schema_can_be_put_in_front(batch: Batch, gaps: list[Gap]) -> None:
    body = prepend(BodyEncoder().encode([batch, *gaps]), [batch.schema])
    frame = decode_frame(seal(body, Header(1, 2, 3)), {})
    assert frame.records[0] == batch.schema
    assert list(frame.records[2:]) == gaps
    assert read_gaps(body) == gaps


def test_a_flipped_bit_fails_the_checksum() -> None:
    message = bytearray(seal(BodyEncoder().encode([]) + b"x", Header(1, 2, 3)))
    message[-1] ^= 1
    with pytest.raises(FrameError, match="checksum"):
        decode_frame(bytes(message), {})
    with pytest.raises(FrameError, match="checksum"):
        unknown_schemas(bytes(message), {})


@given(st.lists(RECORDS, min_size=1, max_size=3), st.data())
def test_a_bit_that_flips_before_the_message_is_sealed_changes_nothing_unseen(
    records: list[Any], data: st.DataObject
) -> None:
    """As on a worn-out disk: the message's own checksum is made of the damaged body."""
    known = {r.schema.id: r.schema for r in records if isinstance(r, Batch | Changes)}
    body = BodyEncoder().encode(records)
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    damaged = bytearray(body)
    damaged[at // 8] ^= 1 << at % 8
    with contextlib.suppress(FrameError):
        got = decode_frame(seal(bytes(damaged), Header(1, 1, 1)), known).records
        assert not got or all(map(_same, records, got))


def test_a_small_frame_does_not_unfold_to_gigabytes() -> None:
    """Absent values cost a bit each, and nothing when compressed."""
    tags = tuple(Tag(f"t{at}", Kind.STRING) for at in range(20_000))
    schema = Schema("d", "g", "p", "controller", False, (Equipment("u", "1", "a"),), tags, 1000)
    columns = (np.full(len(tags), "", object),)
    batch = Batch(schema, 1, np.zeros(len(tags), np.bool_), columns)
    for number in (104, 105):
        frame = seal(BodyEncoder().encode([batch] * number), Header(1, 1, 0))
        assert len(frame) < 1_000
        if batch.cells * number <= MAX_CELLS:
            assert len(decode_frame(frame, {schema.id: schema}).records) == number
        else:
            with pytest.raises(FrameError, match="more than 2097152 changes and places"):
                decode_frame(frame, {schema.id: schema})


def test_golden_header() -> None:
    header = Header(0x0102030405060708, 9, 10, 0, 0x0B0C0D0E, 1, -2)
    message = seal(b"\0", header)
    assert message.hex() == (
        "0400000008070605040302010900000000000000"
        "0100000000000000feffffffffffffff"
        "0a0000000e0d0c0b00000000"
    )
    assert read_header(message) == header
    merged = seal(b"\0", replace(header, merged=3))
    assert merged.hex() == message.hex().replace("04000000", "04000300", 1)
    assert encode_begin(6, 7).hex() == "07" + "0c000000" + "0600000000000000" + "07000000"


def test_frames_of_other_versions_are_refused_in_one_sentence() -> None:
    message = bytearray(seal(b"\0", Header(1, 2, 3)))
    message[0] = 1
    with pytest.raises(FrameError) as caught:
        read_header(bytes(message))
    assert str(caught.value) == (
        "format version 1 is not 4: edge and city must run the same qulink"
    )


def _two_tags() -> tuple[Schema, tuple[np.ndarray, ...]]:
    tags = (Tag("a", Kind.FLOAT64), Tag("b", Kind.BOOL))
    schema = Schema("d", "g", "p", "sensor", False, (Equipment("u", "1", "m"),), tags, 1000)
    return schema, (np.array([1.5]), np.array([True]))


def test_golden_quality() -> None:
    """Of values that are not all GOOD the status bytes come first, those that travel only."""
    schema, columns = _two_tags()
    status = np.array([uncertain(Reason.LAST_USABLE), 0], np.uint8)
    name = schema.id.to_bytes(8, "little").hex()
    time, values = "e803000000000000", "000000000000f83f" + "01"
    record = encode_record(Batch(schema, 1000, np.ones(2, np.bool_), columns, status))
    assert record.hex() == "01" + "1c000000" + name + time + "03" + "5d00" + values
    present = np.array([True, False])
    record = encode_record(Batch(schema, 1000, present, columns, status))
    assert record.hex() == "01" + "1b000000" + name + time + "02" + "01" + "5d" + values[:16]
    index, times = np.array([1], np.uint32), np.array([1000], np.int64)
    record = encode_record(Changes(schema, index, times, columns[1:], status[:1]))
    assert record.hex() == (
        "02" + "1b000000" + name + "01000000" + "02" + "5d" + "01000000" + time + "01"
    )


@pytest.mark.parametrize("code", [bad(Reason.TIMEOUT), 1, uncertain(Reason.NONE) | 0x3F])
def test_bad_and_unknown_statuses_are_no_frame(code: int) -> None:
    schema, columns = _two_tags()
    status = np.array([0, code], np.uint8)
    batch = Batch(schema, 1000, np.ones(2, np.bool_), columns, status)
    changes = Changes(schema, np.arange(2, dtype=np.uint32), np.zeros(2, np.int64), columns, status)
    for record in (batch, changes):
        with pytest.raises(FrameError, match=f"status byte {code:#04x} cannot be in a frame"):
            decode_frame(seal(BodyEncoder().encode([record]), Header(1, 1, 2)), {schema.id: schema})


def test_golden_batch() -> None:
    """The bytes of a batch are part of the wire format and must not change."""
    schema, columns = _two_tags()
    record = encode_record(Batch(schema, 1000, np.ones(2, np.bool_), columns))
    head = "01" + "1a000000"
    assert record.hex() == head + schema.id.to_bytes(8, "little").hex() + (
        "e803000000000000" + "01" + "000000000000f83f" + "01"
    )
