"""The processor against a plain value-by-value model, and its rules one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.arrival.processor import GroupProcessor
from gateway.core.batch import Batch, Changes, Reading
from gateway.core.books import Counts
from gateway.core.days import MAX_AHEAD_MS, day_of
from gateway.core.outcome import Outcome
from gateway.core.rules import TagRule, compile_rules, order_of
from gateway.core.schema import Equipment, Kind, Schema, Tag, runs_of
from gateway.core.status import (
    FIRST_BAD,
    GOOD,
    REPLAYS,
    Quality,
    Reason,
    bad,
    is_replay,
    quality_of,
    reason_of,
    uncertain,
)
from gateway.core.values.plain import MAX_TEXT_BYTES

T0 = 1_800_000_000_000


def make(rules: list[TagRule], floor_ms: int = 0) -> GroupProcessor:
    ordered = [rules[at] for at in order_of(rules)]
    tags = tuple(Tag(f"t{at}", rule.kind) for at, rule in enumerate(ordered))
    schema = Schema("d", "g", "p", "sensor", True, (Equipment("u", "1", "a"),), tags, 1000)
    return GroupProcessor(schema, compile_rules(ordered), floor_ms)


def column(kind: Kind, values: list[Any]) -> np.ndarray:
    out = np.empty(len(values), kind.dtype)
    out[:] = values
    return out


def reading(rules: list[TagRule], values: list[Any], status: list[int] | None = None) -> Reading:
    runs = runs_of(rule.raw for rule in rules)
    columns = tuple(column(run.kind, values[run.span]) for run in runs)
    return Reading(columns, np.array(status or [GOOD] * len(values), np.uint8))


def sent(outcome: Outcome) -> dict[int, Any]:
    """Values that travel, by position."""
    record = outcome.record
    if record is None:
        return {}
    assert isinstance(record, Batch)
    flat = [value for part in record.columns for value in part.tolist()]
    return {at: flat[at] for at in np.flatnonzero(record.present).tolist()}


def sent_status(outcome: Outcome) -> dict[int, int]:
    """Status bytes of what travels, by position; all GOOD must be None."""
    record = outcome.record
    if record is None:
        return {}
    assert isinstance(record, Batch)
    places = np.flatnonzero(record.present)
    codes = [GOOD] * len(places) if record.status is None else record.status[places].tolist()
    assert (record.status is None) == (not any(codes))
    return dict(zip(places.tolist(), codes, strict=True))


def total(outcome: Outcome) -> Counts:
    counts = Counts()
    for part in outcome.counts.values():
        counts.add(part)
    return counts


def test_scaled_values_are_float64_and_others_keep_their_kind() -> None:
    rules = [TagRule(Kind.INT64, scale=0.1, offset=-5), TagRule(Kind.INT64)]
    processor = make(rules)
    outcome = processor.process(reading(rules, [123, 7]), T0)
    assert sent(outcome) == {0: 7.3, 1: 7}
    assert [run.kind for run in processor.schema.runs] == [Kind.FLOAT64, Kind.INT64]


def test_range_and_not_a_number_are_bad_with_their_reason() -> None:
    rules = [TagRule(Kind.FLOAT64, minimum=0, maximum=10)] * 5
    values = [5.0, -0.1, 10.1, float("nan"), float("inf")]
    outcome = make(rules).process(reading(rules, values), T0)
    assert sent(outcome) == {0: 5.0}
    reasons = [reason_of(int(code)) for code in outcome.status]
    assert reasons[:3] == [Reason.NONE, Reason.RANGE, Reason.RANGE]
    assert reasons[3:] == [Reason.NOT_A_NUMBER, Reason.NOT_A_NUMBER]
    assert total(outcome) == Counts(due=5, ok=1, failed=4, buffered=1)


def test_what_is_no_text_is_bad_and_spoils_nothing_else() -> None:
    rules = [TagRule(Kind.STRING)] * 4
    values = ["衢州", None, 7, "half \ud83d"]
    outcome = make(rules).process(reading(rules, values), T0)
    assert [reason_of(int(code)) for code in outcome.status] == [Reason.NONE] + [Reason.TYPE] * 3
    assert sent(outcome) == {0: "衢州"}
    arrived = make(rules).process_arrivals(
        np.arange(4, dtype=np.uint32),
        np.full(4, T0),
        (column(Kind.STRING, values),),
        np.zeros(4, np.uint8),
        T0,
    )
    assert points(arrived) == [(0, T0, "衢州")]


@pytest.mark.parametrize("letter", ["a", "州", "😀"])
def test_texts_that_are_too_long_lose_their_end_and_are_uncertain(letter: str) -> None:
    size = len(letter.encode())
    fits = letter * (MAX_TEXT_BYTES // size)
    rules = [TagRule(Kind.STRING)] * 4
    values = [fits, fits + letter, "x" + fits + letter, "half \ud83d" + fits * 2]
    polled = make(rules).process(reading(rules, values), T0)
    arrived = make(rules).process_arrivals(
        np.arange(4, dtype=np.uint32),
        np.full(4, T0),
        (column(Kind.STRING, values),),
        np.zeros(4, np.uint8),
        T0,
    )
    cut = uncertain(Reason.TRUNCATED)
    for outcome in (polled, arrived):
        assert outcome.status.tolist() == [GOOD, cut, cut, bad(Reason.TYPE)]
    texts = sent(polled)
    assert texts == {at: value for at, _, value in points(arrived)}
    assert (texts[0], texts[1]) == (fits, fits)
    assert texts[2] == ("x" + fits)[: len(texts[2])]
    assert MAX_TEXT_BYTES - 4 < len(texts[2].encode()) <= MAX_TEXT_BYTES


def test_a_drivers_reason_stays() -> None:
    rules = [TagRule(Kind.FLOAT64, minimum=0)]
    status = [bad(Reason.ILLEGAL_ADDRESS)]
    outcome = make(rules).process(reading(rules, [-1.0], status), T0)
    assert reason_of(int(outcome.status[0])) is Reason.ILLEGAL_ADDRESS


def test_deadband_counts_from_the_last_value_sent() -> None:
    rules = [TagRule(Kind.FLOAT64, deadband=1.0)]
    processor = make(rules)
    got = [
        sent(processor.process(reading(rules, [value]), T0 + at))
        for at, value in enumerate([10.0, 10.9, 11.0, 11.1, 12.0, 9.9])
    ]
    assert got == [{0: 10.0}, {}, {}, {0: 11.1}, {}, {0: 9.9}]


def test_deadband_of_whole_numbers_is_exact_at_the_ends_of_their_range() -> None:
    low, high = -(2**63), 2**63 - 1
    rules = [TagRule(Kind.INT64, deadband=1), TagRule(Kind.UINT64, deadband=1)]
    processor = make(rules)
    processor.process(reading(rules, [low, 0]), T0)
    assert sent(processor.process(reading(rules, [high, 2**64 - 1]), T0 + 1)) != {}
    assert sent(processor.process(reading(rules, [high - 1, 2**64 - 2]), T0 + 2)) == {}


def test_maximum_silence_is_kept_per_tag() -> None:
    rules = [TagRule(Kind.BOOL, max_silence_ms=2_000), TagRule(Kind.BOOL, max_silence_ms=5_000)]
    processor = make(rules)
    got = [
        set(sent(processor.process(reading(rules, [True, True]), T0 + 1_000 * at)))
        for at in range(6)
    ]
    assert got == [{0, 1}, set(), {0}, set(), {0}, {1}]


def test_a_value_after_bad_or_a_loss_is_always_sent() -> None:
    rules = [TagRule(Kind.STRING)]
    processor = make(rules)
    status = [bad(Reason.TIMEOUT)]
    assert sent(processor.process(reading(rules, ["x"]), T0)) == {0: "x"}
    assert sent(processor.process(reading(rules, [""], status), T0 + 1)) == {}
    assert sent(processor.process(reading(rules, ["x"]), T0 + 2)) == {0: "x"}
    assert sent(processor.process(reading(rules, ["x"]), T0 + 3)) == {}
    processor.lost()
    assert sent(processor.process(reading(rules, ["x"]), T0 + 4)) == {0: "x"}


def test_a_value_is_sent_again_when_its_status_changes() -> None:
    rules = [TagRule(Kind.FLOAT64, deadband=5.0)]
    processor = make(rules)
    stale, odd = uncertain(Reason.LAST_USABLE), uncertain(Reason.SOURCE)
    history = [GOOD, stale, stale, odd, GOOD, GOOD]
    outcomes = [
        processor.process(reading(rules, [1.0], [code]), T0 + at) for at, code in enumerate(history)
    ]
    assert [sent_status(outcome) for outcome in outcomes] == [
        {0: GOOD},
        {0: stale},
        {},
        {0: odd},
        {0: GOOD},
        {},
    ]
    assert all(total(outcome).ok == 1 for outcome in outcomes)


def test_an_arriving_value_is_sent_again_when_its_status_changes() -> None:
    processor = make([TagRule(Kind.FLOAT64)])
    stale = uncertain(Reason.LAST_USABLE)
    got = []
    for at, code in enumerate([GOOD, stale, stale, GOOD, GOOD]):
        record = deliver(processor, [(0, T0 + at, 1.0)], T0 + at, code).record
        assert record is None or isinstance(record, Changes)
        got.append(record and (GOOD if record.status is None else int(record.status[0])))
    assert got == [GOOD, stale, None, GOOD, None]


@pytest.mark.parametrize("given", [0b00000101, 0b00111111])
def test_a_good_status_needs_no_reason(given: int) -> None:
    """Else a driver's whim would spoil the frame for all others."""
    rules = [TagRule(Kind.BOOL)]
    assert sent_status(make(rules).process(reading(rules, [True], [given]), T0)) == {0: GOOD}


def test_a_reason_that_is_not_known_is_the_sources() -> None:
    rules = [TagRule(Kind.BOOL)] * 2
    outcome = make(rules).process(reading(rules, [True] * 2, [0b01111110, 0b11111110]), T0)
    assert sent_status(outcome) == {0: uncertain(Reason.SOURCE)}
    assert outcome.status[1] == bad(Reason.SOURCE)


def test_a_frozen_replay_is_told_from_what_is_merely_doubtful() -> None:
    replays = {code for code in range(256) if is_replay(code)}
    assert replays == {uncertain(reason) for reason in REPLAYS}
    assert GOOD not in replays and uncertain(Reason.CLOCK) not in replays


@pytest.mark.parametrize("columns", [(), (np.zeros(1),), (np.zeros(3),)])
def test_columns_that_do_not_fit_are_refused(columns: tuple[np.ndarray, ...]) -> None:
    rules = [TagRule(Kind.FLOAT64, scale=2.0)] * 2
    with pytest.raises(ValueError, match="lengths"):
        make(rules).process(Reading(columns, np.zeros(2, np.uint8)), T0)


NUMBERS = {
    Kind.FLOAT64: st.floats(-100, 100) | st.just(float("nan")),
    Kind.FLOAT32: st.floats(-100, 100, width=32) | st.just(float("inf")),
    Kind.INT64: st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    Kind.UINT64: st.integers(0, 2**64 - 1) | st.integers(0, 3),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.sampled_from(["", "衢州", "run"]),
}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[TagRule], list[tuple[list[Any], list[int]]]]:
    kinds = draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=8))
    rules = [
        TagRule(
            kind,
            scale=draw(st.sampled_from([None, 2.0, -0.5])),
            deadband=0.0 if kind in (Kind.BOOL, Kind.STRING) else draw(st.sampled_from([0.0, 5.0])),
            max_silence_ms=draw(st.sampled_from([1_000, 3_000])),
        )
        for kind in kinds
    ]
    rules = [rules[at] for at in order_of(rules)]
    doubts = [uncertain(Reason.SOURCE), uncertain(Reason.LAST_USABLE)]
    states = st.sampled_from([GOOD, GOOD, GOOD, *doubts, bad(Reason.TIMEOUT)])
    poll = st.tuples(
        st.tuples(*(NUMBERS[rule.raw] for rule in rules)).map(list),
        st.tuples(*(states for _ in rules)).map(list),
    )
    return rules, draw(st.lists(poll, min_size=1, max_size=6))


class Model:
    """One tag in plain Python."""

    def __init__(self, rule: TagRule) -> None:
        self.rule = rule
        self.last: Any = None
        self.status = GOOD
        self.at = 0

    def take(self, value: Any, status: int, tick: int) -> tuple[bool, Any]:
        """(is good, value to send or None)."""
        rule = self.rule
        if rule.scaled:
            value = float(value) * (rule.scale or 0.0)
            value = float(np.float32(value)) if rule.kind is Kind.FLOAT32 else value
        wrong = isinstance(value, float) and not np.isfinite(value)
        if status >= FIRST_BAD or wrong:
            self.last = None
            return False, None
        if self.last is not None and status == self.status and tick - self.at < rule.max_silence_ms:
            numeric = not isinstance(value, bool | str)
            moved = abs(value - self.last) > rule.deadband if numeric else value != self.last
            if not moved:
                return True, None
        self.last, self.at, self.status = value, tick, status
        return True, value


@given(histories())
def test_it_does_what_the_plain_model_does(
    history: tuple[list[TagRule], list[tuple[list[Any], list[int]]]],
) -> None:
    rules, polls = history
    processor = make(rules)
    models = [Model(rule) for rule in rules]
    for at, (values, status) in enumerate(polls):
        tick = T0 + 1_000 * at
        outcome = processor.process(reading(rules, values, status), tick)
        expected = [
            model.take(value, code, tick)
            for model, value, code in zip(models, values, status, strict=True)
        ]
        wanted = {at: value for at, (_, value) in enumerate(expected) if value is not None}
        assert sent(outcome) == wanted
        assert sent_status(outcome) == {at: models[at].status for at in wanted}
        counts = total(outcome)
        assert counts.balanced
        assert counts.ok == sum(good for good, _ in expected)
        assert counts.buffered == len(wanted)


# -- arrivals ------------------------------------------------------------------------------


def deliver(
    processor: GroupProcessor,
    values: list[tuple[int, int, float]],
    now: int,
    status: int | list[int] = GOOD,
) -> Outcome:
    values = sorted(values, key=lambda value: value[0])
    return processor.process_arrivals(
        np.array([tag for tag, _, _ in values], np.uint32),
        np.array([time for _, time, _ in values], np.int64),
        (np.array([value for _, _, value in values], np.float64),),
        np.full(len(values), status, np.uint8),
        now,
    )


def points(outcome: Outcome) -> list[tuple[int, int, float]]:
    record = outcome.record
    if record is None:
        return []
    assert isinstance(record, Changes)
    values = [value for part in record.columns for value in part.tolist()]
    return list(zip(record.index.tolist(), record.time_ms.tolist(), values, strict=True))


def test_the_same_millisecond_becomes_the_next_one() -> None:
    processor = make([TagRule(Kind.FLOAT64)] * 2)
    assert points(deliver(processor, [(0, T0, 1.0)], T0)) == [(0, T0, 1.0)]
    outcome = deliver(processor, [(0, T0, 2.0), (1, T0, 3.0)], T0)
    assert points(outcome) == [(0, T0 + 1, 2.0), (1, T0, 3.0)]


def test_within_a_delivery_the_newest_of_a_millisecond_supersedes_the_others() -> None:
    processor = make([TagRule(Kind.FLOAT64)] * 2)
    values = [(0, T0, 1.0), (0, T0, 2.0), (0, T0, 3.0), (0, T0 + 1, 4.0), (1, T0, 5.0)]
    outcome = deliver(processor, values, T0)
    assert points(outcome) == [(0, T0, 3.0), (0, T0 + 1, 4.0), (1, T0, 5.0)]
    counts = total(outcome)
    assert (counts.due, counts.ok, counts.suppressed, counts.buffered) == (5, 5, 2, 3)
    assert outcome.times.tolist() == [T0 + 1, T0]  # type: ignore[union-attr]
    assert outcome.columns[0].tolist() == [4.0, 5.0]


def test_superseded_values_of_an_unbelievable_time_count_on_the_gateways_day() -> None:
    processor = make([TagRule(Kind.FLOAT64)])
    ahead = T0 + 10 * 86_400_000
    outcome = deliver(processor, [(0, ahead, 1.0), (0, ahead, 2.0)], T0)
    assert points(outcome) == [(0, T0, 2.0)]
    assert list(outcome.counts) == [day_of(T0)]
    assert total(outcome).suppressed == 1


def test_what_is_bad_neither_supersedes_nor_is_superseded() -> None:
    processor = make([TagRule(Kind.FLOAT64, maximum=10.0)])
    values = [(0, T0, 1.0), (0, T0, 99.0), (0, T0, 1.0)]
    outcome = deliver(processor, values, T0)
    assert points(outcome) == [(0, T0, 1.0), (0, T0 + 1, 1.0)]  # again, because it was BAD between
    counts = total(outcome)
    assert (counts.due, counts.ok, counts.failed, counts.buffered) == (3, 2, 1, 2)


def test_an_older_time_becomes_the_gateways_and_uncertain() -> None:
    processor = make([TagRule(Kind.FLOAT64)])
    deliver(processor, [(0, T0, 1.0)], T0)
    outcome = deliver(processor, [(0, T0 - 500, 2.0)], T0 + 100)
    assert points(outcome) == [(0, T0 + 100, 2.0)]
    code = int(outcome.status[0])
    assert (quality_of(code), reason_of(code)) == (Quality.UNCERTAIN, Reason.CLOCK)


def test_the_first_value_after_a_restart_may_be_as_old_as_its_last_change() -> None:
    processor = make([TagRule(Kind.FLOAT64)], floor_ms=T0)
    outcome = deliver(processor, [(0, T0 - 3_600_000, 1.0)], T0 + 100)
    assert points(outcome) == [(0, T0 + 100, 1.0)]
    assert outcome.status[0] == GOOD
    outcome = deliver(processor, [(0, T0 - 1, 1.5)], T0 + 200)
    assert reason_of(int(outcome.status[0])) is Reason.CLOCK


def test_a_time_far_ahead_is_not_believed() -> None:
    processor = make([TagRule(Kind.FLOAT64)])
    outcome = deliver(processor, [(0, T0 + MAX_AHEAD_MS + 1, 1.0)], T0)
    assert points(outcome) == [(0, T0, 1.0)]


def test_times_go_on_after_those_of_an_earlier_run() -> None:
    processor = make([TagRule(Kind.FLOAT64)], floor_ms=T0)
    assert points(deliver(processor, [(0, T0, 1.0)], T0 - 5)) == [(0, T0 + 1, 1.0)]
    assert processor.newest_ms == T0 + 1


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(-5, 5), st.sampled_from([0.0, 1.0, 2.0])),
            min_size=1,
            max_size=8,
        ),
        max_size=5,
    )
)
def test_times_of_a_tag_only_move_forward_and_books_balance(
    deliveries: list[list[tuple[int, int, float]]],
) -> None:
    processor = make([TagRule(Kind.FLOAT64)] * 4)
    newest: dict[int, int] = {}
    for at, values in enumerate(deliveries):
        now = T0 + at * 3
        outcome = deliver(processor, [(tag, now + d, value) for tag, d, value in values], now)
        assert total(outcome).balanced
        assert total(outcome).due == len(values)
        for tag, time, _ in points(outcome):
            assert time > newest.get(tag, 0)
            newest[tag] = time
        assert total(outcome).buffered == len(points(outcome))


def test_mixed_kinds_arrive_in_their_own_columns() -> None:
    rules = [TagRule(Kind.BOOL), TagRule(Kind.INT64, scale=0.5), TagRule(Kind.STRING)]
    processor = make(rules)
    outcome = processor.process_arrivals(
        np.array([0, 0, 1, 2], np.uint32),
        np.array([T0, T0 + 1, T0, T0], np.int64),
        (column(Kind.INT64, [3, 4]), column(Kind.BOOL, [True]), column(Kind.STRING, ["ok"])),
        np.zeros(4, np.uint8),
        T0,
    )
    expected = [(0, T0, 1.5), (0, T0 + 1, 2.0), (1, T0, True), (2, T0, "ok")]
    assert points(outcome) == expected


def test_a_loss_is_not_hidden_by_a_value_of_the_same_millisecond() -> None:
    """The server lost values before the first of two, of which only the second goes on."""
    processor = make([TagRule(Kind.FLOAT64)])
    deliver(processor, [(0, T0, 1.0)], T0)
    overflown = uncertain(Reason.OVERFLOW)
    outcome = processor.process_arrivals(
        np.zeros(2, np.uint32),
        np.array([T0 + 5, T0 + 5]),
        (np.array([2.0, 1.0]),),
        np.array([overflown, GOOD], np.uint8),
        T0 + 9,
    )
    assert points(outcome) == [(0, T0 + 5, 1.0)], "sent though the value has not moved"
    assert isinstance(outcome.record, Changes)
    assert outcome.record.status is not None
    assert outcome.record.status.tolist() == [overflown]
    assert outcome.status.tolist() == [overflown]
    assert total(outcome).balanced
    (machine,) = outcome.machines
    assert (machine[2].valid, machine[2].expected) == (0, 2), "no evidence of what was lost"
