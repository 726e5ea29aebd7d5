"""Places by rate, and industries by county: what cannot be told is not told."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.heat import heat
from gateway.city.rates.cells.ranking import Placed, ranks
from gateway.city.rates.cells.statistics import Bounds

RATES = st.fractions(0, 100, max_denominator=20)


def _between(lower: int, upper: int, rate: int) -> Placed:
    return Fraction(rate), Bounds(Fraction(lower), Fraction(upper), Fraction(10))


def _exactly(rate: int | None) -> Placed:
    return None if rate is None else Fraction(rate), None


def test_equal_rates_share_a_place_and_unknown_ones_have_none() -> None:
    parts = {"a": _exactly(50), "b": _exactly(60), "c": _exactly(50), "d": _exactly(None)}
    assert ranks(parts | {"e": _exactly(0)}) == {"a": 2, "b": 1, "c": 2, "d": None, "e": 4}


def test_what_could_turn_round_is_not_ranked() -> None:
    parts = {"a": _between(40, 60, 50), "b": _exactly(55), "c": _exactly(39), "d": _exactly(70)}
    assert ranks(parts) == {"a": None, "b": None, "c": 4, "d": 1}
    touching = {"a": _between(40, 60, 50), "b": _exactly(60)}
    assert ranks(touching) == {"a": None, "b": None}, "a tie is possible, and so is none"


@given(st.dictionaries(st.characters(codec="ascii"), RATES, min_size=1))
def test_places_of_exact_rates_are_how_many_are_better(rates: dict[str, Fraction]) -> None:
    found = ranks({key: (rate, None) for key, rate in rates.items()})
    for key, rate in rates.items():
        assert found[key] == 1 + sum(other > rate for other in rates.values())


def _cell(networked: int, equipment: int, *, known: bool = True) -> Cell:
    pooled = Fraction(100 * networked, equipment) if equipment and known else None
    return Cell(networked, equipment, 1 if equipment else 0, pooled, pooled)


def test_classes_of_a_division_are_pooled_and_the_unknown_stays_unknown() -> None:
    found = heat(
        {
            "330822/3451": _cell(1, 4),
            "330822/3459": _cell(2, 2),
            "330822/2221": _cell(0, 0),
            "330881/3451": _cell(0, 3, known=False),
            "330881/3452": _cell(1, 1),
        }
    )
    assert list(found) == ["22", "34"]
    together = found["34"]["330822"]
    assert (together.networked, together.equipment, together.enterprises) == (3, 6, 2)
    assert together.pooled == 50
    assert found["34"]["330881"].pooled is None
    assert found["22"]["330822"].pooled is None
    assert "330881" not in found["22"]
