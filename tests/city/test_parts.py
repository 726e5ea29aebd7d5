"""The pure parts of ingest against plain models."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from gateway.city.db.tables import gap
from gateway.city.evidence.samples import EARLIEST_MS, merged, samples
from gateway.city.ingest.admission import Enrolment, objection
from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.gaps import keep_losses, unstored_since
from gateway.city.ingest.layout import batch_rows, change_rows, is_ordered, layout_of
from gateway.city.ingest.limits import (
    BATCH_VALUES,
    HOURLY_ROWS,
    KEPT_BYTES,
    MAX_LOSSES,
    MAX_UNSTORED,
    Room,
)
from gateway.city.ingest.losses import Losses
from gateway.city.ingest.quarantine import Budget, Entry
from gateway.city.ingest.uplink.inbox import Inbox, Incoming
from gateway.city.ingest.verdict import Accepted, SchemaMissing
from gateway.city.ledger.names import MachineName
from gateway.city.live.view import GatewayLive, Live
from gateway.city.stores.api import Rejection, Rows
from gateway.core.batch import JOIN_MS, Batch, Changes, Gap
from gateway.core.days import DAY_MS, day_of
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason
from gateway.wire.frame import Frame, Header
from gateway.wire.topics import frame_topic
from tests.support.city import OTHER_USCC, USCC, batch_of, schema_of

KINDS = (Kind.FLOAT32, Kind.INT64, Kind.BOOL, Kind.STRING)
VALUES = {
    Kind.FLOAT32: [0.5, -2.25],
    Kind.INT64: [7, -(2**60)],
    Kind.BOOL: [True, False],
    Kind.STRING: ["a", "乙"],
}


@st.composite
def mixed_schemas(draw: st.DrawFn) -> Schema:
    machines = draw(st.integers(1, 3))
    kinds = sorted(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12)))
    tags = tuple(
        Tag(f"t{i}", kind, equipment=draw(st.integers(0, machines - 1)))
        for i, kind in enumerate(kinds)
    )
    equipment = tuple(Equipment(USCC, "1", f"M-{i}") for i in range(machines))
    return Schema("line-1", "fast", "grinder", "controller", False, equipment, tags, 1000)


def live_with(schema: Schema) -> Live:
    live = Live()
    live.enrol(GatewayLive("gw-1", USCC, "1"))
    live.learn("gw-1", schema)
    return live


def cells(tables: list[Rows]) -> dict[tuple[str, str, int], object]:
    """Every value by machine, field and time."""
    found: dict[tuple[str, str, int], object] = {}
    for table in tables:
        flat = [column[:, i] for column in table.columns for i in range(column.shape[1])]
        for f, name in enumerate(table.fields):
            for t, time in enumerate(table.time_ms.tolist()):
                if table.present[t, f]:
                    key = (table.series.equipment, name, time)
                    assert key not in found
                    found[key] = flat[f][t]
    return found


@given(mixed_schemas(), st.integers(1, 4), st.data())
def test_batches_become_rows_without_loss(schema: Schema, count: int, data: st.DataObject) -> None:
    batches, expected = [], {}
    for time in range(count):
        present = np.array([data.draw(st.booleans()) for _ in schema.tags])
        values = [data.draw(st.sampled_from(VALUES[tag.kind])) for tag in schema.tags]
        columns = tuple(np.array(values[r.start : r.stop], r.kind.dtype) for r in schema.runs)
        batches.append(Batch(schema, time, present, columns))
        expected |= {
            (schema.equipment[tag.equipment].asset_no, tag.name, time): value
            for tag, value, there in zip(schema.tags, values, present, strict=True)
            if there
        }
    assert cells(batch_rows(layout_of("gw-1", schema), batches)) == expected


@given(mixed_schemas(), st.integers(1, 500), st.data())
def test_changes_become_rows_without_loss(schema: Schema, spread: int, data: st.DataObject) -> None:
    index, times, values = [], [], []
    for i, tag in enumerate(schema.tags):
        at = data.draw(st.sets(st.integers(0, spread), max_size=60))
        index += [i] * len(at)
        times += sorted(at)
        values += [data.draw(st.sampled_from(VALUES[tag.kind])) for _ in at]
    kinds = [schema.tags[i].kind for i in index]
    columns = tuple(
        np.array([v for v, k in zip(values, kinds, strict=True) if k is kind], kind.dtype)
        for kind in dict.fromkeys(kinds)
    )
    changes = Changes(schema, np.array(index, "<u4"), np.array(times, "<i8"), columns)
    assert is_ordered(changes)
    expected = {
        (schema.equipment[schema.tags[i].equipment].asset_no, schema.tags[i].name, t): v
        for i, t, v in zip(index, times, values, strict=True)
    }
    assert cells(change_rows(layout_of("gw-1", schema), changes)) == expected
    live = live_with(schema)
    live.keep_newest("gw-1", changes)
    for position, machine in enumerate(schema.equipment):
        seen = live.values(MachineName(USCC, "1", machine.asset_no))
        newest = {
            schema.tags[i].name: (t, v)
            for i, t, v in zip(index, times, values, strict=True)
            if schema.tags[i].equipment == position
        }
        assert {n: (v.time_ms, v.value) for n, v in seen.items()} == newest


def test_disorder_in_changes_is_seen() -> None:
    schema = schema_of("a", "b")

    def ordered(index: list[int], times: list[int]) -> bool:
        column = np.zeros(len(index))
        return is_ordered(Changes(schema, np.array(index, "<u4"), np.array(times), (column,)))

    assert ordered([0, 0, 1], [1, 2, 1])
    assert not ordered([1, 0], [1, 2])
    assert not ordered([0, 0], [2, 2])


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (schema_of("speed"), None),
        (schema_of("speed", uscc=OTHER_USCC), "is not of the gateway's enterprise"),
        (schema_of("speed", device="Line 1"), "the device 'Line 1', which is not allowed"),
        (schema_of("speed", profile="a b"), "the profile 'a b'"),
        (schema_of("speed", source="guess"), "the source 'guess'"),
        (schema_of("speed", assets=("A\\",)), "the asset number 'A\\\\\\\\'"),
        (schema_of("time"), "the tag 'time'"),
        (schema_of("a,b"), "the tag 'a,b'"),
        (schema_of("speed", "speed"), "the tag speed twice"),
        (schema_of(), "0 tags"),
    ],
)
def test_admission(schema: Schema, reason: str | None) -> None:
    said = objection(schema, Enrolment("gw-1", USCC, "1"))
    if reason is None:
        assert said is None
    else:
        assert said is not None
        assert reason.replace("\\\\\\\\", "\\\\") in said


def test_backlog_does_not_turn_the_live_view_back() -> None:
    schema = schema_of("speed")
    live = live_with(schema)
    for time, value in ((10, 1.0), (5, 9.0)):
        live.keep_newest("gw-1", batch_of(schema, time, value))
    seen = live.values(MachineName(USCC, "1", "B-001"))["speed"]
    assert (seen.value, seen.time_ms) == (1.0, 10)


def test_a_machine_is_found_however_its_name_is_written() -> None:
    schema = schema_of("speed", assets=("b–００1",))
    live = live_with(schema)
    live.keep_newest("gw-1", batch_of(schema, 1, 1.0))
    assert live.values(MachineName(USCC, "1", "B-001"))["speed"].value == 1.0


def test_values_from_the_future_do_not_hide_those_of_the_present() -> None:
    schema = schema_of("speed")
    live = live_with(schema)
    index, times = np.array([0, 0], "<u4"), np.array([20, 5_000])
    changes = Changes(schema, index, times, (np.array([2.0, 9.0]),))
    live.keep_newest("gw-1", batch_of(schema, 4_000, 9.0), 1_000)
    live.keep_newest("gw-1", changes, 1_000)
    seen = live.values(MachineName(USCC, "1", "B-001"))["speed"]
    assert (seen.value, seen.time_ms) == (2.0, 20)


def test_values_of_a_gateway_that_has_just_been_revoked_are_not_shown() -> None:
    schema = schema_of("speed")
    live = live_with(schema)
    live.forget("gw-1")
    live.learn("gw-1", schema)
    live.keep_newest("gw-1", batch_of(schema, 1, 1.0))
    assert live.values(MachineName(USCC, "1", "B-001")) == {}


def test_what_a_gateway_has_given_up_is_not_shown_any_more() -> None:
    old, new = schema_of("old"), schema_of("new")
    live = live_with(old)
    live.learn("gw-1", new)
    for schema in (old, new):
        live.keep_newest("gw-1", batch_of(schema, 1, 1.0))
    live.keep_schemas("gw-1", {new.id})
    machine = MachineName(USCC, "1", "B-001")
    assert live.values(machine).keys() == {"new"}
    live.keep_newest("gw-1", batch_of(old, 2, 2.0))
    assert live.values(machine).keys() == {"new"}
    live.learn("gw-1", old)
    assert {one.device for one in live.unheard(machine)} == {old.device}


def test_what_the_store_refuses_is_taken_from_the_epoch_that_brought_it() -> None:
    """An epoch of which nothing was finished in the batch has nothing to lose."""
    schema, gateway = schema_of("speed"), Gateway(Enrolment("gw-1", USCC, "1"))
    batch = FrameBatch(Budget(), day_of(0))
    frame = Frame(Header(1, 1, 1), (schema, batch_of(schema, 5, 1.0)))
    message = Incoming("t", b"", 0)
    batch.add(message, gateway, SchemaMissing("b" * 16, frozenset({7})))
    batch.add(message, gateway, Accepted("a" * 16, frame))
    batch.add(message, gateway, SchemaMissing("c" * 16, frozenset({7})))
    ((_, rows),) = batch.tables()
    batch.reject([Rejection(rows.series, 5, 1, "400 bad", "line")], 0)
    kept = {epoch[0]: (a.committed, a.quarantined) for (_, epoch), a in batch.updates.items()}
    assert kept == {"a": (0, 1), "b": (0, 0), "c": (0, 0)}
    assert (batch.refused_values, len(batch.entries)) == (1, 1)


def test_a_batch_of_many_small_records_is_full_as_well() -> None:
    """Each gap is a row of the database, though it holds no value."""
    batch, gateway = FrameBatch(Budget(), day_of(0)), Gateway(Enrolment("gw-1", USCC, "1"))
    gaps = tuple(Gap("line-1", "", (), Reason.TIMEOUT, at) for at in range(BATCH_VALUES // 20))
    batch.add(Incoming("t", b"", 0), gateway, Accepted("a" * 16, Frame(Header(1, 1, 0), gaps[:-1])))
    assert not batch.full
    batch.add(Incoming("t", b"", 0), gateway, Accepted("a" * 16, Frame(Header(1, 2, 0), gaps[-1:])))
    assert batch.full


def test_refused_values_are_taken_from_evidence_once() -> None:
    """Two groups of a device can speak of one machine at one time, in tables of their own."""
    at, schemas = EARLIEST_MS, [schema_of(name) for name in ("speed", "power")]
    tables = [
        (schema, rows)
        for schema in schemas
        for rows in batch_rows(layout_of("gw-1", schema), [batch_of(schema, at, 1.0)])
    ]
    refused = Counter({(tables[0][1].series, at): 1})
    found = merged(s for schema, rows in tables for s in samples(schema, rows, refused, at))
    assert [sample.count for sample in found] == [1]


def test_what_is_quarantined_is_one_interval_while_it_goes_on() -> None:
    losses = Losses()
    losses.note("line-1", "fast", [1_000, 2_000])
    losses.note("line-1", "slow", [1_000])
    losses.note("line-1", "fast", [JOIN_MS])
    assert {(g.group, g.from_ms, g.to_ms) for g in losses.changed()} == {
        ("fast", 1_000, JOIN_MS + 1),
        ("slow", 1_000, 1_001),
    }
    losses.note("line-1", "fast", [JOIN_MS + 5])
    assert [(g.from_ms, g.to_ms) for g in losses.changed()] == [(1_000, JOIN_MS + 6)]
    losses.note("line-1", "fast", [3 * JOIN_MS, 2**63 - 1])
    losses.note("No Name", "fast", [0])
    losses.note("line-1", "fast", [2**63 - 1])
    assert [(g.device, g.from_ms) for g in losses.changed()] == [("line-1", 3 * JOIN_MS), ("", 0)]
    for number in range(MAX_LOSSES + 5):
        losses.note(f"line-{number}", "fast", [0])
    assert len(losses._newest) == MAX_LOSSES


def test_what_is_quarantined_for_days_is_told_after_a_restart() -> None:
    """The interval of yesterday still goes on: what it took last is to be sent anew."""
    losses, begin, now = Losses(), 1_763_876_412_345, 1_763_876_412_345 + 3 * DAY_MS
    for at in range(begin, now + 1, JOIN_MS):
        losses.note("line-1", "fast", [at])
    losses.note("line-2", "fast", [begin])
    gaps = losses.changed()
    spans = sorted((one.from_ms, one.to_ms) for one in gaps if one.device == "line-1")
    assert (spans[0][0], spans[-1][1]) == (begin, now + 1)
    assert all(later - end == JOIN_MS - 1 for (_, end), (later, _) in pairwise(spans))
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        gap.metadata.create_all(connection)
        keep_losses(connection, [("gw-1", one) for one in gaps])
        told = unstored_since(connection, ["gw-1"], now - DAY_MS)
    assert {device: newest for device, (_, newest) in told["gw-1"].items()} == {"line-1": now}


def test_of_too_many_devices_the_gateway_is_told_as_a_whole() -> None:
    losses = Losses()
    for number in range(MAX_UNSTORED):
        losses.note(f"line-{number}", "fast", [number])
    assert len(losses.unstored) == MAX_UNSTORED
    losses.note("one-more", "fast", [])
    assert len(losses.unstored) == MAX_UNSTORED
    losses.note("one-more", "fast", [5])
    assert losses.unstored == {"": (MAX_UNSTORED + 1, MAX_UNSTORED - 1)}
    restarted = Losses()
    restarted.recall({f"line-{number}": (1, number) for number in range(MAX_UNSTORED + 1)})
    assert restarted.unstored == {"": (MAX_UNSTORED + 1, MAX_UNSTORED)}


def test_the_inbox_sheds_and_never_grows() -> None:
    inbox = Inbox(Room(100, 3), Room(100, 9))
    shed = [inbox.put(Incoming("t", bytes(40), 0)) for _ in range(4)]
    assert shed == [0, 0, 1, 1]
    assert inbox.bytes == 80
    assert inbox.next(1) != []
    assert inbox.put(Incoming("t", b"", 0)) == 0
    alone = Inbox(Room(10, 3), Room(10, 9))
    assert alone.put(Incoming("t", bytes(50), 0)) == 0  # alone, a large one is still taken


def test_the_last_word_of_a_gateway_is_not_shed_where_it_counts() -> None:
    inbox = Inbox(Room(10_000, 100), Room(6, 3), newest_counts=True)
    words = [Incoming(frame_topic("gw-1"), text, 0) for text in (b"1", b"2", b"33", b"4", b"555")]
    assert [inbox.put(word) for word in words] == [0, 0, 0, 1, 1]
    assert [message.payload for message in inbox.next()] == [b"33", b"4", b"555"]
    assert (inbox.next(), inbox.bytes, inbox.messages) == ([], 0, 0)


def test_a_gateway_that_floods_the_inbox_takes_no_more_than_its_turn() -> None:
    inbox = Inbox(Room(10_000, 100), Room(5, 50))
    flood, other = (Incoming(frame_topic(name), b"x", 0) for name in ("gw-1", "gw-2"))
    strange = Incoming("qulink/2/up/7/NO NAME/frame", b"x", 0)
    assert [inbox.put(flood) for _ in range(7)] == [0] * 5 + [1] * 2
    for message in (other, strange, other):
        assert inbox.put(message) == 0
    turns = [[message.sender for message in inbox.next(2)] for _ in range(5)]
    assert turns == [["gw-1"] * 2, ["gw-2"] * 2, [""], ["gw-1"] * 2, ["gw-1"]]
    assert (inbox.next(), inbox.bytes, inbox.messages) == ([], 0, 0)


@pytest.mark.parametrize(("size", "kept"), [(0, HOURLY_ROWS), (KEPT_BYTES * 2, 16)])
def test_a_flood_of_garbage_fills_no_table(size: int, kept: int) -> None:
    budget = Budget()

    def allowed(received_ms: int) -> bool:
        return budget.allows(
            Entry.of("frame", Incoming("t", bytes(size), received_ms), "gw", "bad")
        )

    assert sum(allowed(0) for _ in range(1_000)) == kept
    assert allowed(3_600_000)
