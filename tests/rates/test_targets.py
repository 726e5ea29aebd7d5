"""Targets of counties: in a city's own file, and of nobody else."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.city.rates.definitions import DefinitionError, earlier_definitions, record_of
from gateway.city.rates.plan import plan_distance
from gateway.core.days import day_start_ms
from tests.rates.test_approvals import ENR_A, loaded

AIM = {
    "id": "ENR-A",
    "county": "330822",
    "year": 2027,
    "percent": 58.5,
    "document": "常经信〔2026〕3号",
    "valid_from": "2026-03-01",
}


def test_the_next_target_in_force_is_a_countys(tmp_path: Path) -> None:
    sooner = AIM | {"year": 2026, "percent": 55, "document": "2 号"}
    one = loaded(tmp_path, targets=[AIM, sooner])
    assert one.hash == ENR_A.hash
    day = date(2026, 12, 31)
    found = [one.target_of("330822", at) for at in (day, date(2027, 1, 1))]
    assert [aim and (aim.percent, aim.document) for aim in found] == [
        (Fraction(55), "2 号"), (Fraction("58.5"), AIM["document"]),
    ]  # fmt: skip
    for county, at in (
        ("330881", day),
        ("330822", date(2026, 2, 28)),
        ("330822", date(2028, 1, 1)),
    ):
        assert one.target_of(county, at) is None
    (second,) = (one for one in earlier_definitions() if one.id == "ENR-A")
    then = record_of(one, second.hash)
    assert then is not None and then.target_of("330822", day) == found[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "ENR-X"}, "targets.1.id: there is no definition 'ENR-X'"),
        ({"county": "330899"}, "targets.1.county: there is no county 330899; there are 330801"),
        ({"percent": 101}, "targets.1.percent: "),
        ({"percent": 0}, "targets.1.percent: "),
        ({"document": ""}, "targets.1.document: "),
        ({}, "targets.1.valid_from: is in force on days on which the target in line"),
    ],
)
def test_mistakes_are_told_by_line(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(DefinitionError, match=words.replace(".", r"\.")) as told:
        loaded(tmp_path, targets=[AIM, AIM | changes])
    assert "own.yaml:" in str(told.value)


def test_the_plan_is_of_the_whole_city() -> None:
    now_ms = day_start_ms(date(2025, 12, 31))
    told = [plan_distance(ENR_A, Fraction(50), now_ms, is_city=one) for one in (True, False)]
    assert told[0]["target_gap"] == -10
    assert set(told[1].values()) == {None}
