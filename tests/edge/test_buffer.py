"""The buffer against a plain list, after restarts and over its quota."""

import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.days import DAY_MS, day_start_ms
from gateway.core.machines import MachineCounts
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer, DiskRefusedError, read_books
from gateway.edge.buffer.incoming import Commit, GroupProgress
from gateway.edge.buffer.storage.quota import Ageing
from gateway.wire.records import GivenUp
from tests.edge.buffers import DAY, Open, commit, frame
from tests.support.consumers import for_city


def seqs(buffer: Buffer) -> list[int]:
    return [one.seq for one in buffer.city.read(0, 1 << 40)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(st.integers(0, 5), max_size=3)),
        st.tuples(st.just("ack"), st.tuples(st.integers(0, 12), st.integers(0, 12))),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=12,
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_it_does_what_a_list_does(tmp_path: Path, steps: list) -> None:
    path = tmp_path / f"{os.urandom(8).hex()}.db"
    held: dict[int, int] = {}
    last = total = 0
    buffer = Buffer.open(path, for_city(1 << 30, 1 << 50))
    epoch = buffer.epoch
    for what, detail in steps:
        if what == "append":
            buffer.append(commit(*(frame(values) for values in detail)), 0)
            for values in detail:
                last += 1
                held[last] = values
                total += values
        elif what == "ack":
            upto, above = detail
            ranges = [(above, above)] if upto < above <= last else []
            buffer.city.acknowledge(upto, ranges)
            buffer.append(Commit(), 0)
            gone = {seq for seq in held if seq <= upto or (seq, seq) in ranges}
            held = {seq: values for seq, values in held.items() if seq not in gone}
        else:
            buffer.close()
            buffer = Buffer.open(path, for_city(1 << 30, 1 << 50))
        assert {one.seq: one.values for one in buffer.city.read(0, 1 << 40)} == held
        assert (buffer.city.pending().frames, buffer.city.pending().values) == (
            len(held),
            sum(held.values()),
        )
        assert (buffer.last_seq, buffer.epoch) == (last, epoch)
        assert buffer.totals().buffered == total
    buffer.close()
    assert read_books(path).totals.buffered == total


def test_what_is_committed_is_there_after_a_restart(opened: Open) -> None:
    buffer = opened()
    gap = Gap("d", "g", ("a", "b"), Reason.RANGE, 5)
    tags = (Tag("a", Kind.BOOL),)
    schema = Schema("d", "g", "p", "sensor", False, (Equipment("u", "1", "m"),), tags, 1)
    made = commit(frame(3), gaps=(gap,))
    made.schemas = (schema,)
    buffer.append(made, 0)
    buffer = opened()
    assert buffer.gaps() == [gap]
    assert buffer.progress() == {("d", "g"): GroupProgress(3, 3)}
    assert buffer.schema_ids() == {schema.id}
    assert buffer.schemas([f"{schema.id:016x}", "0" * 16]) == [schema]
    buffer.append(Commit(gaps=(Gap("d", "g", ("a", "b"), Reason.RANGE, 5, 9),)), 0)
    assert opened().gaps() == []


def test_a_schema_that_has_rotted_is_not_handed_out_and_is_kept_anew(opened: Open) -> None:
    buffer = opened()
    schemas = [
        Schema("d", name, "p", "sensor", False, (), (Tag("a", Kind.BOOL),), 1) for name in "gh"
    ]
    buffer.append(Commit(schemas=schemas), 0)
    ids = [f"{schema.id:016x}" for schema in schemas]
    buffer._writer.execute("UPDATE tag_schema SET body = x'00' WHERE id = ?", (ids[0],))
    assert (buffer.schemas(ids), buffer.schema_ids()) == (schemas[1:], {schemas[1].id})
    buffer.append(Commit(schemas=schemas[:1]), 0)
    assert buffer.schemas(ids) == schemas


def test_read_goes_on_after_a_number_and_stops_at_a_size(opened: Open) -> None:
    buffer = opened()
    buffer.append(commit(*(frame(1, 1_000) for _ in range(5))), 0)
    assert [one.seq for one in buffer.city.read(1, 2_000)] == [2, 3]
    assert [one.seq for one in buffer.city.read(4, 1)] == [5]


def test_numbers_are_never_used_again_after_everything_was_acknowledged(opened: Open) -> None:
    buffer = opened()
    buffer.append(commit(frame(1), frame(1)), 0)
    buffer.city.acknowledge(2)
    buffer.append(Commit(), 0)
    buffer = opened()
    assert buffer.append(commit(frame(1)), 0).last_seq == 3


def test_acknowledging_more_than_there_is_frees_nothing_of_the_future(opened: Open) -> None:
    buffer = opened()
    buffer.append(commit(frame(1)), 0)
    buffer.city.acknowledge(10)
    buffer.append(commit(frame(1)), 0)
    assert seqs(buffer) == [2]


def test_ranges_of_several_acknowledgements_are_freed_by_one_commit(opened: Open) -> None:
    buffer = opened()
    buffer.append(commit(*(frame(1) for _ in range(6))), 0)
    for span in ((2, 2), (4, 5)):
        buffer.city.acknowledge(0, [span])
    assert buffer.city.unfreed
    buffer.append(Commit(), 0)
    assert seqs(buffer) == [1, 3, 6]
    buffer.city.acknowledge(0, [(4, 5)])
    assert not buffer.city.unfreed


def test_what_the_disk_refuses_to_free_is_freed_later(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened()
    buffer.append(commit(frame(1), frame(1)), 0)
    buffer.city.acknowledge(1)
    with monkeypatch.context() as full:
        full.setattr("gateway.edge.buffer.buffer.write_progress", _refuse)
        with pytest.raises(DiskRefusedError, match="disk is full"):
            buffer.append(commit(frame(1)), 0)
    assert seqs(buffer) == [1, 2]
    buffer.append(Commit(), 0)
    assert seqs(buffer) == [2]


def test_a_reserve_that_cannot_be_given_up_is_no_fault_of_its_own(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened()
    (tmp_path / "b.db-reserve").unlink()
    (tmp_path / "b.db-reserve").mkdir()  # cannot be unlinked, as on a disk that is read-only now
    monkeypatch.setattr("gateway.edge.buffer.buffer.write_progress", _refuse)
    with pytest.raises(DiskRefusedError, match="disk is full"):
        buffer.append(commit(frame(1)), 0)


def _refuse(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_closing_waits_for_a_commit_whose_caller_is_gone(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened()
    inside, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> None:
        inside.set()
        assert go_on.wait(20)

    monkeypatch.setattr("gateway.edge.buffer.buffer.write_progress", slowly)
    with ThreadPoolExecutor() as pool:
        appending = pool.submit(buffer.append, commit(frame(2)), 0)
        assert inside.wait(20)
        closing = pool.submit(buffer.close)
        go_on.set()
        appending.result(20)
        closing.result(20)
    assert read_books(buffer._path).totals.buffered == 2


def test_books_are_unreported_until_a_frame_reports_them_as_they_stand(opened: Open) -> None:
    buffer = opened()
    buffer.append(commit(frame(2)), 0)
    other = ("e", date(2026, 4, 30))
    buffer.append(Commit(counts={other: Counts(due=1, failed=1)}), 0)
    buffer = opened()  # as after a kill
    assert buffer.unreported() == {
        ("d", DAY): Counts(due=2, ok=2, buffered=2),
        other: Counts(due=1, failed=1),
    }
    assert not buffer.append(Commit(reported=[other]), 0).changed
    assert buffer.unreported().keys() == {("d", DAY)}
    both = commit(frame(3))
    both.reported = [("d", DAY)]  # as they were before this commit
    assert buffer.append(both, 0).changed
    assert opened().unreported() == {("d", DAY): Counts(due=5, ok=5, buffered=5)}


def test_counters_of_machines_add_up_and_are_unreported_until_a_frame_reports_them(
    opened: Open,
) -> None:
    buffer = opened()
    key, quiet = ("d", "1", "M1", DAY), ("d", "1", "M2", DAY)
    for one in (MachineCounts(0, 5), MachineCounts(3, 4, 20, 30), MachineCounts(2, 2, 10, 25)):
        buffer.append(Commit(machines={key: one, quiet: MachineCounts(0, 1)}), 0)
    total = MachineCounts(5, 11, 10, 30)
    buffer = opened()  # as after a kill
    assert buffer.unreported_machines() == {key: total, quiet: MachineCounts(0, 3)}
    buffer.append(Commit(reported_machines=[quiet]), 0)
    assert buffer.unreported_machines() == {key: total}
    more = MachineCounts(1, 1, 40, 40)
    buffer.append(Commit(machines={key: more}, reported_machines=[key]), 0)  # as they were before
    assert opened().unreported_machines() == {key: MachineCounts(6, 12, 10, 40)}


def test_what_a_dropped_frame_reported_is_reported_again(opened: Open) -> None:
    buffer = opened(quota_bytes=1_500)
    key, midnight = ("d", "1", "M1", DAY), day_start_ms(DAY) + DAY_MS
    counts = {("d", DAY): Counts(due=1, failed=1)}
    buffer.append(Commit(counts=counts, machines={key: MachineCounts(0, 1)}), 0)
    last = Commit([frame(0, 1_000, at_ms=midnight)], reported=[("d", DAY)], reported_machines=[key])
    buffer.append(last, midnight)
    assert (buffer.unreported(), buffer.unreported_machines()) == ({}, {})
    assert buffer.append(Commit([frame(0, 1_000, at_ms=midnight)]), midnight).changed
    assert seqs(buffer) == [2]
    assert (set(buffer.unreported()), set(buffer.unreported_machines())) == ({("d", DAY)}, {key})


def test_the_oldest_go_when_the_quota_is_reached_and_are_counted(opened: Open) -> None:
    buffer = opened(quota_bytes=10_000)
    for at in range(20):
        buffer.append(commit(frame(2, 1_000, at_ms=at * 1_000)), 0)
    held = seqs(buffer)
    assert held == list(range(held[0], 21))
    assert buffer.city.pending().bytes <= 10_000
    totals = buffer.totals()
    assert totals.buffered == 40
    assert totals.dropped == {"quota": 2 * (held[0] - 1)}
    assert totals.buffered == buffer.city.pending().values + totals.dropped["quota"]
    assert read_books(buffer._path).totals == totals


def test_a_loss_by_quota_is_one_gap_that_waits_to_be_told(opened: Open) -> None:
    buffer = opened(quota_bytes=3_000)
    told = [buffer.append(commit(frame(1, 1_000, at_ms=at)), 0).gaps for at in range(8)]
    assert told[:3] == [(), (), ()]
    last = told[-1][0]
    assert (last.device, last.cause, last.from_ms) == ("", Reason.QUOTA, 0)
    assert opened(quota_bytes=3_000).gaps() == [last]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("ranges", [False, True])
def test_a_dropped_frame_that_the_city_holds_is_not_dropped(
    opened: Open, restart: bool, ranges: bool
) -> None:
    buffer = opened(quota_bytes=3_000)
    buffer.append(commit(frame(2, 1_000), frame(3, 1_000)), 0)
    buffer.city.read(0, 1_000)  # the first is sent; its acknowledgement is lost
    told = buffer.append(commit(*(frame(1, 1_000) for _ in range(3))), 0)
    assert (seqs(buffer), told.changed) == ([4, 5], True)
    assert buffer.totals().dropped == {"quota": 6}
    if restart:
        buffer = opened(quota_bytes=3_000)
    buffer.city.acknowledge(0, [(1, 1)]) if ranges else buffer.city.acknowledge(1)
    for again in (True, False):
        told = buffer.append(Commit(), 0)
        assert told.changed == again
        assert buffer.totals().dropped == {"quota": 4}
    buffer.city.acknowledge(2)  # was never sent, as the buffer knows: nothing of it is stored
    buffer.append(Commit(), 0)
    for books in (buffer.totals(), read_books(buffer._path).totals, opened().totals()):
        assert books.dropped == {"quota": 4}
        assert books.buffered == 2 + books.dropped["quota"] + 2  # stored, dropped, pending


def test_a_drop_stands_when_the_city_has_closed_the_hole(opened: Open) -> None:
    buffer = opened(max_age_ms=10)
    buffer.append(commit(frame(2), frame(3), frame(4)), 0)
    buffer.city.read(0, 1 << 20)
    buffer.append(commit(frame(5, at_ms=100)), 100)
    assert buffer.city.given_up() == GivenUp(1, 4)  # may be stored, and the answer on its way
    buffer.city.acknowledge(0, [(2, 2)], closed=3)
    buffer.append(Commit(), 100)
    assert (buffer.totals().dropped, buffer.city.given_up()) == ({"quota": 6}, GivenUp(3, 4))
    buffer.city.acknowledge(4, closed=4)
    buffer.append(Commit(), 100)
    assert (buffer.totals().dropped, buffer.city.given_up()) == ({"quota": 2}, GivenUp(5, 5))
    assert opened().city.given_up() == GivenUp(5, 5)


def test_drops_that_are_all_taken_back_leave_no_trace(opened: Open) -> None:
    buffer = opened(max_age_ms=10)
    buffer.append(commit(frame(2)), 0)
    buffer.city.read(0, 1)
    buffer.append(Commit(), 100)
    assert buffer.totals().dropped == {"quota": 2}
    buffer.city.acknowledge(1)
    buffer.append(Commit(), 100)
    assert buffer.totals().dropped == read_books(buffer._path).totals.dropped == {}
    assert opened().totals().dropped == {}


def test_old_frames_go(opened: Open) -> None:
    buffer = opened(max_age_ms=1_000)
    buffer.append(commit(frame(1, at_ms=0), frame(1, at_ms=500)), 900)
    assert seqs(buffer) == [1, 2]
    buffer.append(Commit(), 1_200)
    assert seqs(buffer) == [2]
    assert buffer.totals().dropped == {"quota": 1}


def test_a_clock_that_leaps_ahead_makes_nothing_old_at_once(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened(max_age_ms=1_000)
    buffer.append(commit(frame(1), frame(1, at_ms=10**9)), 0)
    buffer.append(Commit(), 10**9)
    assert seqs(buffer) == [1, 2]
    buffer.append(Commit(), 0)
    buffer.append(Commit(), 10**9)
    monkeypatch.setattr(buffer._ageing, "_patient_until_s", 0.0)  # an hour later
    buffer.append(Commit(), 10**9)
    assert seqs(buffer) == [2]


def test_very_many_old_frames_go_over_several_commits_and_are_one_gap(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.edge.buffer.storage.quota.MOST", 4)
    buffer = opened(max_age_ms=10)
    buffer.append(commit(*(frame(1, at_ms=at) for at in range(10))), 0)
    gaps: list[Gap] = []
    for held in (6, 2, 0):
        gaps += buffer.append(Commit(), 1_000).gaps
        assert buffer.city.pending().frames == held
    assert buffer.totals().dropped == {"quota": 10}
    newest = {gap.key: gap for gap in gaps}
    assert list(newest.values()) == [Gap("", "", (), Reason.QUOTA, 0, 10)]


def test_gap_records_of_dropped_frames_are_told_again(opened: Open) -> None:
    buffer = opened(max_age_ms=10)
    lasting = Gap("d", "", (), Reason.TIMEOUT, 1)
    over = Gap("d", "g", ("a",), Reason.RANGE, 1, 2)
    ended_later = Gap("d", "g", ("b",), Reason.RANGE, 1)
    gaps = (lasting, over, ended_later)
    buffer.append(commit(frame(0, gaps=gaps), gaps=gaps), 0)
    end = Gap("d", "g", ("b",), Reason.RANGE, 1, 3)
    late = frame(0, at_ms=100, gaps=(end,))
    told = buffer.append(commit(late, gaps=(end,)), 100).gaps
    assert set(told) == {lasting, over}


def test_a_clock_that_nobody_knew_for_a_while_has_not_leapt() -> None:
    """Else nothing would be too old for an hour after every doubt."""
    now_ms, ageing = 1_795_000_000_000, Ageing()
    assert ageing.time_ms(None, 5.0) == 0
    assert ageing.time_ms(now_ms, 10.0) == now_ms
    assert ageing.time_ms(None, 20.0) == 0
    assert ageing.time_ms(now_ms + 20_000, 30.0) == now_ms + 20_000
    leapt = now_ms + 40 * 24 * 3_600_000
    assert ageing.time_ms(None, 40.0) == 0
    assert ageing.time_ms(leapt, 50.0) == 0  # it was set in between
