"""UNCERTAIN values in the books: part of ok, counted by reason, on the day of each value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.books import Counts, count_uncertain, tally_by_day
from gateway.core.days import DAY_MS, day_of
from gateway.core.rules import TagRule
from gateway.core.schema import Kind
from gateway.core.status import FIRST_BAD, Reason, bad, uncertain
from tests.core.test_process import T0, deliver, make, reading, sent, total

AFTER_LOSS = uncertain(Reason.OVERFLOW)
STATUSES = st.sampled_from([0, AFTER_LOSS, uncertain(Reason.CLOCK), bad(Reason.TIMEOUT)])
MIDNIGHT = 1_800_028_800_000
"""Of Asia/Shanghai."""


def test_a_poll_counts_uncertain_values_whether_they_are_sent_or_held_back() -> None:
    rules = [TagRule(Kind.FLOAT64)] * 4
    processor = make(rules)
    status = [AFTER_LOSS, AFTER_LOSS, 0, bad(Reason.SOURCE)]
    for at in range(2):
        outcome = processor.process(reading(rules, [1.0, 2.0, 3.0, 4.0], status), T0 + 1000 * at)
        counts = total(outcome)
        assert counts.uncertain == {"overflow": 2}
        assert (counts.ok, counts.failed) == (3, 1)
        assert counts.balanced
    assert sent(outcome) == {}


def test_a_subscription_counts_the_mark_of_a_lost_value() -> None:
    processor = make([TagRule(Kind.FLOAT64)])
    outcome = deliver(processor, [(0, T0, 1.0), (0, T0 + 9, 2.0)], T0 + 9, [0, AFTER_LOSS])
    assert total(outcome) == Counts(due=2, ok=2, buffered=2, uncertain={"overflow": 1})


def test_a_text_that_lost_its_end_is_counted() -> None:
    rules = [TagRule(Kind.STRING)]
    outcome = make(rules).process(reading(rules, ["x" * 100_000]), T0)
    assert total(outcome).uncertain == {"truncated": 1}


def test_all_that_is_good_counts_in_clock_doubt_and_other_reasons_stay() -> None:
    rules = [TagRule(Kind.FLOAT64)] * 3
    processor = make(rules)
    outcome = processor.process(reading(rules, [1.0, 2.0, 3.0], [AFTER_LOSS, 0, 0]), T0)
    assert total(outcome.in_doubt()).uncertain == {"overflow": 1, "clock_doubt": 2}
    assert total(outcome).uncertain == {"overflow": 1}


@given(
    st.lists(
        st.tuples(
            st.integers(-3, 3) | st.integers(-5 * DAY_MS, 5 * DAY_MS), STATUSES, st.booleans()
        ),
        max_size=30,
    ),
)
def test_every_uncertain_value_is_counted_once_on_its_day(
    values: list[tuple[int, int, bool]],
) -> None:
    times = np.array([MIDNIGHT + at for at, *_ in values], np.int64)
    status = np.array([code for _, code, _ in values], np.uint8)
    present = np.array([is_sent for *_, is_sent in values], np.bool_) & (status < FIRST_BAD)
    days = tally_by_day(times, status, present)
    for day, counts in days.items():
        here = np.array([day_of(time) == day for time in times.tolist()])
        failed, sent_here = int((status[here] >= FIRST_BAD).sum()), int(present[here].sum())
        assert (counts.due, counts.failed) == (int(here.sum()), failed)
        assert counts.buffered == sent_here
        assert counts.uncertain == count_uncertain(status[here])
        assert counts.uncertain_values == int(((status > 0) & (status < FIRST_BAD) & here).sum())
        assert counts.balanced
    assert sum(counts.due for counts in days.values()) == len(values)


def test_books_with_more_uncertain_values_than_values_do_not_balance() -> None:
    assert Counts(due=1, ok=1, buffered=1, uncertain={"clock": 1}).balanced
    assert not Counts(due=1, ok=1, buffered=1, uncertain={"clock": 1, "overflow": 1}).balanced
