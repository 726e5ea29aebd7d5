"""Raw numbers that stand for no value are BAD for that reason, and no other number is."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.rules import TagRule, order_of
from gateway.core.schema import Kind, runs_of
from gateway.core.status import GOOD, Reason, bad, reason_of, uncertain
from tests.core.test_process import T0, column, make, reading, sent, total

NUMBERS: dict[Kind, list[float]] = {
    Kind.INT64: [0, 1, -1, -32_768, 2**63 - 1, 2**63 - 2, -(2**63)],
    Kind.UINT64: [0, 1, 0x8000, 0xFFFF, 2**53, 2**53 + 1, 2**64 - 1, 2**64 - 2],
    Kind.FLOAT32: [0.0, 1.5, 999_999.0, math.nan, math.inf],
    Kind.FLOAT64: [0.0, 1.5, 999_999.0, 2.0**53, math.nan],
}
EVERY = [*{code for some in NUMBERS.values() for code in some if not math.isnan(code)}, math.nan]


def is_code(value: float, codes: tuple[float, ...]) -> bool:
    """As Python compares: whole numbers of any size exactly."""
    return any(value == code or (value != value and code != code) for code in codes)  # noqa: PLR0124


@st.composite
def polls(draw: st.DrawFn) -> tuple[list[TagRule], list[float], list[int]]:
    rules = [
        TagRule(
            draw(st.sampled_from(sorted(NUMBERS))),
            scale=draw(st.sampled_from([None, 0.1])),
            no_value=tuple(draw(st.lists(st.sampled_from(EVERY), max_size=3))),
        )
        for _ in range(draw(st.integers(1, 8)))
    ]
    rules = [rules[at] for at in order_of(rules)]
    values = [draw(st.sampled_from(NUMBERS[rule.raw])) for rule in rules]
    given = [draw(st.sampled_from([GOOD, GOOD, bad(Reason.TIMEOUT)])) for _ in rules]
    return rules, values, given


def expected(rule: TagRule, value: float, given: int) -> Reason:
    if given != GOOD:
        return Reason.TIMEOUT
    if is_code(value, rule.no_value):
        return Reason.NO_VALUE
    return Reason.NONE if math.isfinite(value) else Reason.NOT_A_NUMBER


@given(polls())
def test_exactly_the_codes_are_no_values(
    poll: tuple[list[TagRule], list[float], list[int]],
) -> None:
    rules, values, given = poll
    outcome = make(rules).process(reading(rules, values, given), T0)
    wanted = [expected(*one) for one in zip(rules, values, given, strict=True)]
    assert [reason_of(code) for code in outcome.status.tolist()] == wanted
    assert sorted(sent(outcome)) == [at for at, why in enumerate(wanted) if why is Reason.NONE]
    assert total(outcome).failed == len(wanted) - wanted.count(Reason.NONE)


@given(polls(), st.data())
def test_arriving_values_are_judged_as_polled_ones(
    poll: tuple[list[TagRule], list[float], list[int]], data: st.DataObject
) -> None:
    rules, values, given = poll
    some = data.draw(st.lists(st.sampled_from(range(len(rules))), max_size=12).map(sorted))
    columns = tuple(
        column(run.kind, [values[at] for at in some[run.span]])
        for run in runs_of(rules[at].raw for at in some)
    )
    status = np.array([given[at] for at in some], np.uint8)
    times = np.arange(len(some), dtype=np.int64) + T0
    processor = make(rules)
    processor.judge_items(np.zeros(len(rules), np.uint8))
    index = np.array(some, np.uint32)
    outcome = processor.process_arrivals(index, times, columns, status, T0 + 1_000)
    for at in set(some):
        wanted = expected(rules[at], values[at], given[at])
        assert reason_of(int(outcome.status[at])) == wanted


def test_a_drivers_columns_and_status_stay_as_they_were() -> None:
    rules = [TagRule(Kind.UINT64, no_value=(0xFFFF,))]
    given = reading(rules, [0xFFFF])
    make(rules).process(given, T0)
    assert given.status.tolist() == [GOOD]


def test_codes_that_a_float_cannot_hold_are_none_of_its_values() -> None:
    rules = [TagRule(Kind.FLOAT32, no_value=(2**24 + 1, 10**400, -0.1))]
    for value, reason in ((2.0**24, Reason.NONE), (math.inf, Reason.NOT_A_NUMBER)):
        outcome = make(rules).process(reading(rules, [value]), T0)
        assert reason_of(int(outcome.status[0])) is reason
    outcome = make(rules).process(reading(rules, [np.float32(-0.1)]), T0)
    assert reason_of(int(outcome.status[0])) is Reason.NO_VALUE


def test_an_uncertain_code_is_no_value_either() -> None:
    rules = [TagRule(Kind.INT64, no_value=(-1,))]
    outcome = make(rules).process(reading(rules, [-1], [uncertain(Reason.CLOCK)]), T0)
    assert outcome.status.tolist() == [bad(Reason.NO_VALUE)]


@pytest.mark.parametrize(
    ("kind", "limits", "good", "out"),
    [
        (Kind.UINT64, {"maximum": 2**64 - 2}, 2**64 - 2, 2**64 - 1),
        (Kind.UINT64, {"minimum": 2**53 + 1}, 2**53 + 1, 2**53),
        (Kind.INT64, {"minimum": -(2**63) + 1}, -(2**63) + 1, -(2**63)),
        (Kind.INT64, {"maximum": 9.5}, 9, 10),
        (Kind.INT64, {"minimum": -9.5}, -9, -10),
        (Kind.UINT64, {"minimum": -5, "maximum": 1e30}, 2**64 - 1, None),
        (Kind.UINT64, {"maximum": -1}, None, 0),
        (Kind.UINT64, {"minimum": 2**70}, None, 2**64 - 1),
    ],
)
def test_limits_of_whole_numbers_are_exact(
    kind: Kind, limits: dict[str, Any], good: int | None, out: int | None
) -> None:
    rules = [TagRule(kind, **limits)]
    for value, reason in ((good, Reason.NONE), (out, Reason.RANGE)):
        if value is not None:
            outcome = make(rules).process(reading(rules, [value]), T0)
            assert reason_of(int(outcome.status[0])) is reason
