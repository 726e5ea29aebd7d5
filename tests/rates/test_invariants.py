"""What holds between the rates of the family, whatever the machines; and the published bands."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.rates.cells.cell import cell, full_cell, percent
from gateway.city.rates.cells.scores import score
from gateway.city.rates.comparing.sensitivity import by_rule
from gateway.city.rates.compute import Enterprise, judge
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Definition
from tests.rates.test_compute import PERIOD, PLANT, cities, machine, tallies

RECORDS = builtin_definitions()
City = tuple[dict[str, Enterprise], list[tuple[str, object]]]


def numbers(definition: Definition, city: City) -> dict[str, tuple[int, int]]:
    found = tallies(definition, *city)  # type: ignore[arg-type]
    return {one.uscc: (one.networked, one.equipment) for one in found}


@given(cities())
def test_no_rate_of_the_family_has_more_networked_than_machines(city: City) -> None:
    for definition in RECORDS.values():
        if definition.measure == "ledger":
            continue
        whole = full_cell(tallies(definition, *city))  # type: ignore[arg-type]
        assert 0 <= whole.networked <= whole.equipment
        assert (whole.pooled is None) == (whole.mean is None) == (whole.equipment == 0)
        told = whole.statistics
        assert told is not None
        assert 0 <= told.verified <= told.in_scope
        assert told.missing <= told.in_scope - told.verified
        assert told.undetermined <= whole.equipment - whole.networked


@given(cities())
def test_key_equipment_is_within_all_equipment(city: City) -> None:
    whole, key = numbers(RECORDS["ENR-A"], city), numbers(RECORDS["ENR-D"], city)
    assert whole.keys() == key.keys()
    for uscc, (networked, equipment) in key.items():
        assert networked <= whole[uscc][0]
        assert equipment <= whole[uscc][1]


@given(cities())
def test_a_weaker_rule_of_continuity_never_counts_fewer(city: City) -> None:
    rules = by_rule(RECORDS["ENR-A"])
    any_day, days = (numbers(rules[name], city) for name in ("any", "days"))
    for uscc, (networked, equipment) in days.items():
        assert any_day[uscc][1] == equipment
        assert any_day[uscc][0] >= networked


@given(cities())
def test_a_sensor_is_the_weaker_level(city: City) -> None:
    seen = numbers(RECORDS["SENS"], city)
    for uscc, (networked, equipment) in numbers(RECORDS["ENR-B"], city).items():
        assert seen[uscc][1] == equipment
        assert seen[uscc][0] >= networked


def test_digital_equipment_may_be_networked_better_than_all() -> None:
    """ENR-C asks of fewer machines: it may be above ENR-A, and nothing holds it below."""
    city = {"A": PLANT}, [("A", machine(digital=True)), ("A", machine(valid_days=0, seen=False))]
    rates = [cell(tallies(RECORDS[name], *city)).pooled for name in ("ENR-A", "ENR-C")]
    assert rates == [50, 100]


def test_without_machines_there_is_no_rate() -> None:
    for definition in RECORDS.values():
        if definition.measure != "ledger":
            found = full_cell(tallies(definition, {"A": PLANT}, []))
            assert (found.pooled, found.mean, found.bounds) == (None, None, None)


PUBLISHED = ((10, "0"), (20, "1.5"), (40, "3"), (60, "4.5"), (100, "6"))
"""工信厅企业〔2024〕56号: [0,10] 0; (10,20] 1.5; (20,40] 3; (40,60] 4.5; (60,100] 6."""


@pytest.mark.parametrize("name", ["ENR-B", "DIG-A"])
def test_points_are_those_of_the_published_bands(name: str) -> None:
    """Every share of thousandths, and both sides of each edge as close as integers come."""
    bands = RECORDS[name].bands
    million = 1_000_000
    near = [edge * 10_000 + by for edge, _ in PUBLISHED for by in (-1, 0, 1)]
    shares = [(k, 1_000) for k in range(1_001)]
    shares += [(k, million) for k in near if 0 <= k <= million]
    for networked, equipment in shares:
        upper = next(points for edge, points in PUBLISHED if 100 * networked <= edge * equipment)
        assert score(bands, percent(networked, equipment)) == Fraction(upper)
    assert score(bands, None) is None


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_points_never_fall_with_the_rate(share: tuple[int, int]) -> None:
    bands, (networked, equipment) = RECORDS["ENR-B"].bands, share
    more = percent(min(networked + 1, equipment), equipment)
    before, after = score(bands, percent(networked, equipment)), score(bands, more)
    assert before is not None
    assert after is not None
    assert before <= after


def test_a_machine_is_judged_by_what_the_definition_asks_and_nothing_else() -> None:
    """Fields that a rule does not ask for change no verdict of it."""
    for changes in ({"digital": True}, {"key": True}, {"answering": True}):
        for name in ("ENR-A", "ENR-B", "SENS"):
            verdicts = [
                judge(RECORDS[name], PLANT, one, PERIOD) for one in (machine(), machine(**changes))
            ]
            assert verdicts[0] is verdicts[1]
