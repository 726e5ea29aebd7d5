"""Numbers that a wrong byte order makes are told from those that machines measure."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.values.plausible import NEUTRAL, Doubt, Value, doubt, plausibility


@pytest.mark.parametrize(
    ("value", "odd"),
    [
        (6.465e-37, Doubt.TINY),
        (1e-40, Doubt.DENORMAL),
        (-1e-40, Doubt.DENORMAL),
        (3.2e30, Doubt.HUGE),
        (math.nan, Doubt.NOT_A_NUMBER),
        (-math.inf, Doubt.NOT_A_NUMBER),
        (2_881_880_064, Doubt.EMPTY_LOW_WORD),
        (65_536, Doubt.EMPTY_LOW_WORD),
        (2**64 - 2, Doubt.HUGE),
        ("\x01\x02", Doubt.UNPRINTABLE),
    ],
)
def test_what_is_odd_has_a_name(value: Value, odd: Doubt) -> None:
    assert doubt(value) is odd
    assert plausibility(value) <= 0.1


@pytest.mark.parametrize(
    "value", [0, 0.0, -0.0, True, False, "", 229.0, 50.01, -12, 65_535, "SDM630 衢联"]
)
def test_what_machines_send_is_not(value: Value) -> None:
    assert doubt(value) is None
    assert plausibility(value) >= NEUTRAL


@pytest.mark.parametrize("value", [1e-8, 1.8e12, 1_800_000_000_001])
def test_rare_sizes_are_not_odd_but_come_later(value: Value) -> None:
    assert doubt(value) is None
    assert 0.1 < plausibility(value) < plausibility(229.0)


ORDERS = {"ABCD": (0, 1, 2, 3), "BADC": (1, 0, 3, 2), "CDAB": (2, 3, 0, 1), "DCBA": (3, 2, 1, 0)}


@pytest.mark.parametrize("shown", [229.0, 230.5, 49.98, 0.95, 1450.0, 12.34, -5.5])
def test_the_right_order_of_four_scores_highest(shown: float) -> None:
    wire = struct.pack(">f", shown)
    scores = {
        order: plausibility(float(f"{struct.unpack('>f', bytes(wire[i] for i in places))[0]:.7g}"))
        for order, places in ORDERS.items()
    }
    assert max(scores, key=lambda order: scores[order]) == "ABCD", scores


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.text()))
def test_every_value_has_a_score_and_the_odd_ones_a_low_one(value: Value) -> None:
    score = plausibility(value)
    assert 0 <= score <= 1
    assert doubt(value) is None or score <= 0.1
