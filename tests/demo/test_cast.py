"""The cast is what the demonstration promises."""

from datetime import date
from fractions import Fraction
from pathlib import Path

from edge_config.models.uscc import problem
from gateway.city.rates.days.calendar_file import load_calendar
from gateway.demo.cast import Machine, load_cast
from gateway.demo.files import write_yaml
from gateway.demo.holidays import made_up_years


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


def test_a_year_without_official_holidays_has_made_up_ones(tmp_path: Path) -> None:
    """Else the demonstration of a New Year would show no rate."""
    assert made_up_years(date(2026, 11, 28)) is None
    years = made_up_years(date(2030, 1, 2))
    assert years is not None
    calendar = load_calendar(write_yaml(tmp_path / "holidays.yaml", years))
    assert calendar.unknown_years([date(2029, 1, 1), date(2030, 12, 31)]) == ()
    assert calendar.is_rest(date(2030, 10, 2)) and "非官方" in calendar.sources[2030]


def test_every_code_and_number_is_good_and_unique() -> None:
    enterprises = load_cast().enterprises
    assert [problem(e.uscc) for e in enterprises] == [None] * len(enterprises)
    for enterprise in enterprises:
        numbers = [machine.asset_no for machine in enterprise.machines]
        assert len(set(numbers)) == len(numbers)
