"""The books of a device with a clock of the test's: every tick once, for its own reason."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.gateway import Mode
from gateway.core.batch import NEVER, Gap, GapKey
from gateway.core.books import Counts
from gateway.core.rules import TagRule, compile_rules
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason, bad
from gateway.drivers.api import Point
from gateway.edge.buffer.incoming import GroupProgress
from gateway.edge.device.bookkeeping.bookkeeper import Bookkeeper
from gateway.edge.device.bookkeeping.gaps import GapTracker
from gateway.edge.device.bookkeeping.restart import Restart
from gateway.edge.device.bookkeeping.ticks import Group
from gateway.edge.device.clock import Clock
from gateway.edge.device.model import GroupModel

MACHINE = Equipment("u", "1", "M1")
T0 = 1_800_000_000_000


@dataclass
class Book:
    """What the recorder would be told."""

    total: Counts = field(default_factory=Counts)
    gaps: dict[GapKey, Gap] = field(default_factory=dict)

    def count(
        self, _device: str, _day: date, counts: Counts, expected: Mapping[Equipment, int]
    ) -> None:
        self.total.add(counts)
        assert sum(expected.values()) == counts.due

    def gap(self, gap: Gap) -> None:
        self.gaps[gap.key] = gap

    def progress(self, _device: str, _group: str, _progress: GroupProgress) -> None:
        pass

    @property
    def spans(self) -> list[tuple[str, Reason, int, int | None]]:
        ends = [(gap.to_ms and gap.to_ms - T0) for gap in self.gaps.values()]
        return [
            (gap.group, gap.cause, gap.from_ms - T0, end)
            for gap, end in zip(self.gaps.values(), ends, strict=True)
        ]


def group(name: str, interval_ms: int, mode: Mode = "poll", last_ms: int = T0) -> Group:
    rules = [TagRule(Kind.FLOAT64)] * 2
    schema = Schema(
        "d",
        name,
        "p",
        "sensor",
        True,
        (MACHINE,),
        (Tag("a", Kind.FLOAT64), Tag("b", Kind.FLOAT64)),
        1,
    )
    points = tuple(Point(tag.name, tag.kind, None) for tag in schema.tags)
    model = GroupModel(name, mode, interval_ms, 0, points, schema, compile_rules(rules))
    return Group.of(model, GroupProgress(last_ms, NEVER))


class Steps(Clock):
    """Stands still but where a test moves it; ``step_ms`` of it are what somebody set."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_ms, self.step_ms = 0, 0

    def system_ms(self) -> int:
        return T0 + self.passed_ms + self.step_ms

    def monotonic_ms(self) -> float:
        return float(self.passed_ms)

    def is_synchronised(self) -> bool:
        return False


class World:
    """A device that was connected at ``T0`` and has no ticks that are not in the books."""

    def __init__(
        self, *groups: Group, remembered: tuple[Gap, ...] = (), is_trusted: bool = True
    ) -> None:
        self.book = Book()
        self.clock = Steps()
        tracker = GapTracker("d", {one.name: one.model.points for one in groups}, remembered)
        restart = Restart(self.book.gap)
        self.books = Bookkeeper("d", groups, tracker, self.book, self.clock, restart)
        self.restart = restart
        self.books.resume(T0, is_trusted=is_trusted)
        restart.begin([], T0, is_awaited=True)
        self.books.connected(T0)

    def at(self, ms: int) -> int:
        self.clock.passed_ms = ms
        return self.clock.now_ms()

    def commit(self, ms: int, *, step_ms: int = 0) -> None:
        """As the recorder does: first the clock, then the books."""
        self.at(ms)
        self.clock.step_ms += step_ms
        leap = self.clock.look()
        if leap is not None:
            self.books.leap(leap)
        self.books.catch_up(self.clock.now_ms())

    def read(self, one: Group, ms: int) -> None:
        """A successful reading."""
        self.books.recorded(one, self.books.begin(one, self.at(ms)))
        self.books.end(one)


def test_a_slow_group_is_not_failed_because_its_first_tick_waits_for_the_poller() -> None:
    fast, slow = group("fast", 1_000), group("slow", 10_000)
    world = World(fast, slow)
    world.books.lost(Reason.TIMEOUT, world.at(500))
    world.books.connected(world.at(4_500))
    world.books.back(5_000 + T0)
    for ms in range(5_000, 10_000, 1_000):
        world.read(fast, ms)
    world.books.catch_up(world.at(10_001))  # a commit while the fast group is being read
    world.read(slow, 10_002)
    assert slow.ticks.counted_ms == T0 + 10_000
    assert world.book.total == Counts(due=8, failed=8)
    assert world.book.spans == [("", Reason.TIMEOUT, 1_000, 5_000)]


def test_ticks_missed_after_the_connection_stood_are_late() -> None:
    one = group("g", 1_000)
    world = World(one)
    world.books.lost(Reason.REFUSED, world.at(500))
    world.books.connected(world.at(2_500))
    world.read(one, 5_100)
    world.books.back(5_000 + T0)
    assert world.book.total == Counts(due=8, failed=4, skipped=4)
    spans = [("", Reason.REFUSED, 1_000, 3_000), ("g", Reason.LATE, 3_000, None)]
    assert world.book.spans == spans


def test_a_session_that_ends_before_a_value_came_goes_on_with_its_own_cause() -> None:
    world = World(group("g", 1_000))
    world.books.lost(Reason.DISCONNECTED, world.at(500))
    world.books.connected(world.at(1_500))
    world.books.lost(Reason.TIMEOUT, world.at(3_500))
    world.books.catch_up(world.at(4_000))
    assert world.book.total == Counts(due=8, failed=8)
    assert world.book.spans == [
        ("", Reason.DISCONNECTED, 1_000, 2_000),
        ("", Reason.TIMEOUT, 2_000, None),
    ]


HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.mark.parametrize("step_ms", [-DAY_MS, -HOUR_MS, -8 * HOUR_MS, HOUR_MS, 3_652 * DAY_MS])
def test_a_step_and_back_owes_the_time_that_passed(step_ms: int) -> None:
    """25 s of life with a step of an hour and back made a million values due."""
    one = group("g", 1_000)
    world, read = World(one), []
    for second in range(1, 26):
        step = {8: step_ms, 16: -step_ms}.get(second, 0)
        world.commit(second * 1_000, step_ms=step)
        if one.next_tick() <= world.clock.now_ms():
            world.read(one, second * 1_000)
            read.append(one.ticks.counted_ms)
    assert 21 <= len(read) + world.book.total.due / 2 <= 25
    assert len(read) >= 21
    assert len(set(read)) == len(read)
    spans = [
        gap
        for gap in world.book.gaps.values()
        if gap.to_ms is None or gap.to_ms - gap.from_ms > 2_000
    ]
    assert spans == []


def test_a_reading_under_way_is_one_of_the_new_time() -> None:
    one = group("g", 1_000)
    world = World(one)
    tick_ms = world.books.begin(one, world.at(1_000))
    assert tick_ms == T0 + 1_000
    world.commit(1_200, step_ms=-HOUR_MS)
    tick_ms = world.books.tick_of(one, tick_ms)
    assert tick_ms == T0 - HOUR_MS + 1_001
    world.books.recorded(one, tick_ms)
    world.books.end(one)
    assert one.next_tick() == T0 - HOUR_MS + 2_001
    assert world.book.total == Counts()


def test_a_loss_goes_on_in_the_new_time() -> None:
    one = group("g", 1_000)
    world = World(one)
    world.books.lost(Reason.TIMEOUT, world.at(500))
    world.commit(2_000)
    world.commit(3_500, step_ms=HOUR_MS)
    world.commit(5_500)
    world.books.connected(world.at(5_600))
    world.books.back(world.clock.now_ms())
    assert world.book.total == Counts(due=10, failed=10)
    assert world.book.spans == [
        ("", Reason.TIMEOUT, 1_000, 3_501),
        ("", Reason.TIMEOUT, HOUR_MS + 3_500, HOUR_MS + 5_600),
    ]


def test_items_that_are_down_owe_the_time_that_passed() -> None:
    one = group("s", 1_000, "subscribe")
    world = World(one)
    one.ticks.failing_tags = 1
    one.processor.judge_items(np.array([bad(Reason.NODE_UNKNOWN), 0], np.uint8))
    world.commit(5_000)
    world.commit(5_500, step_ms=-HOUR_MS)
    world.commit(9_500)
    assert world.book.total == Counts(due=9, failed=9)


def test_skipped_ticks_before_a_kill_stay_a_gap_of_that_length() -> None:
    skipped = Gap("d", "g", (), Reason.LATE, T0 - 9_000)
    world = World(group("g", 1_000), remembered=(skipped,))
    world.books.catch_up(world.at(61_000))
    assert world.book.spans == [("g", Reason.LATE, -9_000, 1)]


def test_a_first_start_with_a_clock_far_behind_owes_nothing_for_the_leap() -> None:
    one = group("g", 1_000, last_ms=NEVER)
    world = World(one)
    world.read(one, 1_000)
    world.books.lost(Reason.TIMEOUT, world.at(1_500))
    world.commit(3_000)
    world.commit(4_500, step_ms=900 * DAY_MS)
    world.commit(6_000)
    assert world.book.total == Counts(due=10, failed=10)


@pytest.mark.parametrize("ahead_ms", [3_652 * DAY_MS, -900 * DAY_MS])
def test_what_was_missed_before_a_start_is_counted_once_the_clock_is_right(ahead_ms: int) -> None:
    """Ten years ahead at the boot made 315 million values due."""
    one = group("g", 1_000, last_ms=T0 - 10_000 - ahead_ms)  # ten seconds before the start
    world = World(one, is_trusted=False)
    world.read(one, 1_000)
    world.read(one, 2_000)
    assert world.book.total == Counts()
    world.commit(2_500, step_ms=-ahead_ms)
    first_ms = world.books.confirmed()
    assert first_ms is not None
    assert abs(first_ms - (T0 - 9_000 - ahead_ms)) <= 1
    assert world.book.total == Counts(due=20, skipped=20)
    assert world.books.confirmed() is None


def test_a_clock_that_was_ahead_before_a_start_owes_nothing() -> None:
    """Gaps of then end there, and what lasts begins anew."""
    ahead = Gap("d", "", (), Reason.TIMEOUT, T0 + 10 * DAY_MS)
    one = group("g", 1_000, last_ms=T0 + 10 * DAY_MS + 4_000)
    world = World(one, remembered=(ahead,))
    assert world.book.spans == [
        ("", Reason.TIMEOUT, 10 * DAY_MS, 10 * DAY_MS + 4_001),
        ("", Reason.TIMEOUT, 0, None),
    ]
    world.commit(2_000)
    assert world.book.total == Counts()


def test_books_are_current_while_only_readings_count() -> None:
    one = group("g", 1_000)
    world = World(one)
    world.read(one, 1_000)
    assert world.books.is_current
    world.read(one, 6_000)
    assert not world.books.is_current  # a gap of skipped ticks is to end
    world.books.catch_up(world.at(80_000))
    world.read(one, 80_000)
    world.books.catch_up(world.at(200_000))
    assert world.books.is_current
    world.books.lost(Reason.TIMEOUT, world.at(200_500))
    assert not world.books.is_current


def test_books_of_a_subscription_are_never_current() -> None:
    world = World(group("g", 1_000, "subscribe"))
    assert not world.books.is_current


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["read", "read", "read", "fail", "connect", "commit"]),
        st.integers(1, 4_000),
    ),
    max_size=40,
)


@given(STEPS)
def test_every_tick_is_counted_once_and_what_was_not_read_is_in_a_gap(
    steps: list[tuple[str, int]],
) -> None:
    groups = [group("fast", 1_000), group("slow", 3_000)]
    world, read, is_connected, now = World(*groups), set(), True, 0
    for what, wait_ms in steps:
        now += wait_ms
        if what == "commit":
            is_current, before = world.books.is_current, deepcopy(world.book)
            world.books.catch_up(T0 + now)
            assert not is_current or world.book == before
        elif what == "connect" and not is_connected:
            world.books.connected(world.at(now))
            is_connected = True
        elif what == "fail":
            world.books.lost(Reason.TIMEOUT, world.at(now))
            is_connected = False
        elif what == "read" and is_connected:
            one = min(groups, key=Group.next_tick)
            if one.next_tick() <= world.at(now):
                world.read(one, now)
                world.books.back(one.ticks.counted_ms)
                read.add((one.name, one.ticks.counted_ms))
    world.books.lost(Reason.DISCONNECTED, world.at(now))
    ticks = {
        (one.name, t) for one in groups for t in range(T0, T0 + now + 1, one.model.interval_ms)[1:]
    }
    assert world.book.total.balanced
    assert world.book.total.due + 2 * len(read) == 2 * len(ticks)
    gaps = world.book.gaps.values()
    for name, tick in ticks:
        lost = [gap for gap in gaps if gap.group == "" and covers(gap, tick)]
        missed = [gap for gap in gaps if gap.group == name and gap.from_ms <= tick]
        if (name, tick) in read:  # a loss may begin with an overdue tick of the other group
            starts = {(other, gap.from_ms) for gap in lost for other in ("fast", "slow")}
            assert not lost or starts & (ticks - read)
        else:  # gaps of late ticks are open still, because near ones are joined
            assert len(lost) == 1 or (not lost and len(missed) == 1)


def covers(gap: Gap, tick: int) -> bool:
    return gap.from_ms <= tick and (gap.to_ms is None or tick < gap.to_ms)


LIFE = st.lists(
    st.tuples(
        st.integers(100, 3_000),
        st.sampled_from(
            [0, 0, 0, 0, -HOUR_MS, HOUR_MS, -DAY_MS, 25 * HOUR_MS, -8 * HOUR_MS, -90_000]
        ),
        st.sampled_from(["read", "read", "read", "lost", "city"]),
    ),
    max_size=40,
)


@given(LIFE)
def test_only_time_that_passed_is_due_and_no_time_is_given_twice(
    life: list[tuple[int, int, str]],
) -> None:
    one = group("g", 1_000)
    world, read, leaps, now, is_up = World(one), [], 0, 0, True
    for wait_ms, step_ms, what in life:
        now += wait_ms
        if what == "city":  # it is right, and so is who began with it
            world.clock.hear_city(T0 + now, 50)
        before = world.clock.steady_since_ms
        world.commit(now, step_ms=step_ms)
        leaps += world.clock.steady_since_ms != before
        if what == "lost" and is_up:
            world.books.lost(Reason.TIMEOUT, world.clock.now_ms())
            is_up = False
        elif not is_up:
            world.books.connected(world.clock.now_ms())
            is_up = True
        if is_up and one.next_tick() <= world.clock.now_ms():
            world.read(one, now)
            world.books.back(one.ticks.counted_ms)
            read.append((world.clock.era, one.ticks.counted_ms))
    total = world.book.total
    assert total.balanced
    assert abs(len(read) + total.due / 2 - now // 1_000) <= 2 * leaps + 3
    assert len({time for _, time in read}) == len(read)
    assert read == sorted(read), "in each era times only grow"
