"""Quartiles of enterprises' rates, against the standard library and numbers done by hand."""

from fractions import Fraction
from statistics import quantiles

from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.cells.spread import spread


def test_the_worked_case() -> None:
    """Rates of 90, 25, 20, 0 and 25 %, whose mean is 32 and whose pooled rate is 70."""
    assert spread([(180, 200), (10, 40), (4, 20), (0, 12), (2, 8)]) == (20, 25, 25)


def test_between_two_enterprises_it_is_interpolated_exactly() -> None:
    two = spread([(0, 3), (1, 3)])
    assert two == (Fraction(25, 3), Fraction(50, 3), Fraction(25))


def test_an_enterprise_without_machines_has_no_rate() -> None:
    assert spread([(0, 0), (1, 2), (0, 0)]) == (50, 50, 50)
    assert spread([(0, 0)]) is None
    assert spread([]) is None


sizes = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(sizes, min_size=2, max_size=12))
def test_the_standard_library_says_the_same(firms: list[tuple[int, int]]) -> None:
    rates = [Fraction(100 * k, n) for k, n in firms]
    found = spread([*firms])
    assert found is not None
    assert list(found) == quantiles(rates, n=4, method="inclusive")
    assert 0 <= found.lower <= found.median <= found.upper <= 100
