"""Targets of counties: in a city's own file, and of nobody else."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.city.rates.definitions import DefinitionError, earlier_definitions, record_of
from gateway.city.rates.plan import plan_distance
from gateway.city.rates.reports.aims import Aim, AimState, aim, aim_row
from gateway.city.rates.reports.shown import shown_by
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


@pytest.mark.parametrize(
    ("rate", "state", "shown", "gap"),
    [
        (Fraction("58.5"), "met", "58.50", Decimal("0.00")),
        (Fraction("58.4999"), "not_met", "58.49", Decimal("-0.01")),
        (Fraction("58.500001"), "met", "58.51", Decimal("0.01")),
        (Fraction(0), "not_met", "0.00", Decimal("-58.50")),
        (None, "no_rate", "—", None),
    ],
)
def test_a_target_that_is_not_met_never_reads_as_met(
    tmp_path: Path, rate: Fraction | None, state: str, shown: str, gap: Decimal | None
) -> None:
    record = loaded(tmp_path, targets=[AIM])
    found = aim(record.target_of("330822", date(2026, 12, 31)), rate, is_whole=True)
    row = aim_row(found)
    assert (row["county_target"], row["county_target_percent"]) == (state, Decimal("58.50"))
    assert row.get("county_target_gap") == gap
    assert shown_by(record)(rate) == shown


def test_no_target_is_no_target_of_nought(tmp_path: Path) -> None:
    record = loaded(tmp_path, targets=[AIM | {"valid_to": "2026-06-30"}])
    for day in (date(2026, 2, 28), date(2026, 7, 1)):  # before it begins, and after its end
        assert aim(record.target_of("330822", day), Fraction(0), is_whole=True) == Aim(
            AimState.NONE
        )
    assert aim_row(Aim(AimState.NONE)) == {"county_target": "none"}
    assert aim(record.target_of("330822", date(2026, 6, 30)), None, is_whole=False) == Aim(
        AimState.PART
    )
