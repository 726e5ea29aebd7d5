"""Scaled numbers and float32 as a person would write them."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.outcome import Outcome
from gateway.core.rules import TagRule, order_of
from gateway.core.schema import Kind
from gateway.core.status import Reason, reason_of
from gateway.core.values.plain import plain_values
from tests.core.test_process import T0, column, make, points, reading, sent


@given(
    raw=st.integers(-(2**31), 2**32 - 1),
    scale=st.decimals(-100, 100, places=3).filter(bool),
    offset=st.decimals(-1000, 1000, places=2),
)
def test_a_scaled_whole_number_is_the_decimal_that_a_person_computes(
    raw: int, scale: Decimal, offset: Decimal
) -> None:
    rules = [TagRule(Kind.INT64, scale=float(scale), offset=float(offset))]
    wanted = float(raw * scale + offset)
    assert sent(make(rules).process(reading(rules, [raw]), T0)) == {0: wanted}
    arrived = make(rules).process_arrivals(
        np.zeros(1, np.uint32),
        np.full(1, T0),
        (column(Kind.INT64, [raw]),),
        np.zeros(1, np.uint8),
        T0,
    )
    assert points(arrived) == [(0, T0, wanted)]


@pytest.mark.parametrize(
    ("raw", "scale", "wanted"),
    [(3, 1 / 3, 1.0), (7, 0.0001, 0.0007), (3, 1e-300, 3e-300), (2, 5e300, 1e301), (1, 1e9, 1e9)],
)
def test_any_scale_is_computed(raw: int, scale: float, wanted: float) -> None:
    rules = [TagRule(Kind.INT64, scale=scale)]
    assert sent(make(rules).process(reading(rules, [raw]), T0)) == {0: wanted}


def test_a_float32_that_is_multiplied_shows_no_digits_that_were_not_measured() -> None:
    rules = [TagRule(Kind.FLOAT32, scale=3), TagRule(Kind.FLOAT32), TagRule(Kind.FLOAT32, 1, 5.0)]
    rules = [rules[at] for at in order_of(rules)]
    outcome = make(rules).process(reading(rules, [0.1] * 3), T0)
    shown = {rule.scale: value for rule, value in zip(rules, plain(outcome), strict=True)}
    assert (shown[3], shown[None]) == (0.3, 0.1)
    assert shown[1] == 5.1


@given(
    raw=st.decimals(-10_000, 10_000, places=2),
    scale=st.decimals(-10, 10, places=2).filter(bool),
    offset=st.decimals(-1000, 1000, places=2).filter(bool),
    kind=st.sampled_from([Kind.FLOAT32, Kind.FLOAT64]),
)
def test_a_float_with_an_offset_is_the_decimal_that_a_person_computes(
    raw: Decimal, scale: Decimal, offset: Decimal, kind: Kind
) -> None:
    rules = [TagRule(kind, scale=float(scale), offset=float(offset))]
    wanted = float(raw * scale + offset)
    assert sent(make(rules).process(reading(rules, [float(raw)]), T0)) == {0: wanted}
    arrived = make(rules).process_arrivals(
        np.zeros(1, np.uint32),
        np.full(1, T0),
        (column(kind, [float(raw)]),),
        np.zeros(1, np.uint8),
        T0,
    )
    assert points(arrived) == [(0, T0, wanted)]


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("offset", [0.0, 5.5])
def test_what_is_no_number_stays_none(raw: float, offset: float) -> None:
    rules = [TagRule(Kind.FLOAT32, scale=0.1, offset=offset)]
    outcome = make(rules).process(reading(rules, [raw]), T0)
    assert reason_of(int(outcome.status[0])) is Reason.NOT_A_NUMBER


@given(st.floats(width=32, allow_nan=False))
def test_a_float32_is_shown_as_the_shortest_text_that_reads_back_the_same(value: float) -> None:
    (shown,) = plain_values(np.array([value], np.float32))
    assert np.float32(shown) == np.float32(value)
    assert len(repr(shown)) <= len(repr(value))


def plain(outcome: Outcome) -> list[Any]:
    return [value for part in outcome.columns for value in plain_values(part)]
