"""The cast is what the demonstration promises."""

from fractions import Fraction

from edge_config.models.uscc import problem
from gateway.demo.cast import Machine, load_cast


def networked(machine: Machine) -> bool:
    return machine.live is not None and machine.live["source"] == "controller"


def test_the_city_is_small_but_unequal() -> None:
    enterprises = load_cast().enterprises
    assert len(enterprises) >= 5
    assert len({e.data["county"] for e in enterprises}) >= 3
    machines = [machine for e in enterprises for machine in e.machines]
    assert 120 <= len(machines) <= 140
    counted = [
        (sum(networked(m) for m in production), len(production))
        for e in enterprises
        if e.data["key"] and e.data["verified"]
        for production in [[m for m in e.machines if m.equipment_class == "production"]]
    ]
    numerator, denominator = map(sum, zip(*counted, strict=True))
    pooled = Fraction(numerator, denominator)
    mean = sum((Fraction(k, n) for k, n in counted), Fraction(0)) / len(counted)
    assert Fraction(47, 100) < pooled < Fraction(50, 100)
    assert abs(pooled - mean) > Fraction(1, 100)


def test_every_code_and_number_is_good_and_unique() -> None:
    enterprises = load_cast().enterprises
    assert [problem(e.uscc) for e in enterprises] == [None] * len(enterprises)
    for enterprise in enterprises:
        numbers = [machine.asset_no for machine in enterprise.machines]
        assert len(set(numbers)) == len(numbers)
