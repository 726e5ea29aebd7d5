"""The unified social credit code, beside an implementation of other authors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from edge_config.models.uscc import ALPHABET, check_character, problem


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_the_check_character_is_that_of_another_implementation(first: str) -> None:
    assert check_character(first) == uscc.calc_check_digit(first)
    assert problem(first + check_character(first)) is None


@pytest.mark.parametrize("place", range(17))
def test_every_changed_character_is_noticed(place: int) -> None:
    code = "91330822MA0000015W"
    for other in set(ALPHABET) - {code[place]}:
        wrong = code[:place] + other + code[place + 1 :]
        assert "check digit" in (problem(wrong) or "")


def test_letters_among_the_first_eight_are_right_as_rural_collectives_have_them() -> None:
    first = "N2330822MA28F0000"
    assert problem(first + check_character(first)) is None
    assert not uscc.is_valid(first + check_character(first))  # why the library does not decide


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("91330822MA000001", "16 characters"),
        ("91330822MA00000I5W", "contains 'I'"),
        ("91330822MA0000015X", "'W' belongs"),
    ],
)
def test_what_is_wrong_is_said(code: str, said: str) -> None:
    assert said in (problem(code) or "")
