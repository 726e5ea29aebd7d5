"""Twelve months on one axis, the plan's years on another; breaks where months are not one thing."""

from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import Connection, insert

from gateway.city.access.principal import EVERYTHING, parse_scope
from gateway.city.console.charts.breaks import Break, breaks, roster_changes
from gateway.city.console.charts.drawing import labels_of
from gateway.city.console.charts.trend import months_chart, years_chart
from gateway.city.db import tables
from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.statistics import Bounds
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.plan import is_planned, plan_on, plan_path, target
from gateway.city.rates.reports.table import RateCell
from gateway.city.rates.reports.trend import TrendPoint
from tests.console.http import get
from tests.console.town import Town, uscc_of

LABELS = labels_of("zh")


def _point(month: str, rate: int | None, digest: str = "a", upper: int | None = None) -> TrendPoint:
    pooled = None if rate is None else Fraction(rate)
    bounds = None if upper is None else Bounds(Fraction(rate or 0), Fraction(upper), Fraction(9))
    cell = RateCell("city", Name("", ""), rate or 0, 100, 1, pooled, pooled, bounds=bounds)
    plan = plan_on(date(int(month[:4]), int(month[5:]), 28))
    return TrendPoint(month, "P", cell, pooled, plan, digest)


POINTS = (
    _point("2025-10", None),
    _point("2025-11", 40),
    _point("2025-12", None),
    _point("2026-01", 45, "b", upper=55),
)


def test_months_stand_on_one_axis_with_what_is_known_of_them() -> None:
    broken = breaks(POINTS, {"2025-11": (2, 1)})
    made = months_chart(POINTS, broken, target(), LABELS, "wide")["datasets"]
    assert [row["month"] for row in made["months"]] == [point.month for point in POINTS]
    assert [row["month"] for row in made["actual"]] == ["2025-11", "2025-12", "2026-01"]
    assert [row["percent"] for row in made["actual"]] == [40.0, None, 45.0], "a gap, no zero"
    assert [row["month"] for row in made["path"]][-1] == "2025-12", "the plan ends with 2025"
    assert [row["between"] for row in made["actual"]] == [None, None, "45.00 – 55.00"]
    assert made["goal"] == [{"percent": 60.0, "text": "60.00"}]
    assert made["breaks"] == [{"month": "2025-11"}, {"month": "2026-01"}]


def test_the_years_of_the_plan_have_a_picture_of_their_own() -> None:
    made = years_chart(POINTS, plan_path(), LABELS, "wide")["datasets"]
    assert [row["year"] for row in made["plan"] if row["own"]] == ["2019", "2022", "2025"]
    assert {row["kind"] for row in made["plan"] if not row["own"]} == {"线性内插，非规划原值"}
    assert [row["text"] for row in made["newest"]] == ["45.00"]
    assert years_chart(POINTS[:1], plan_path(), LABELS, "wide")["datasets"]["newest"] == []


def test_breaks_say_what_changed() -> None:
    assert breaks(POINTS, {"2025-10": (9, 9), "2025-12": (0, 3)}) == (
        Break("2025-12", is_redefined=False, entered=0, left=3),
        Break("2026-01", is_redefined=True, entered=0, left=0),
    )


async def test_a_change_of_the_roster_is_told_under_the_chart(address: str, city: Town) -> None:
    def enrol(connection: Connection) -> None:
        row = {"roster": "KEY", "valid_from": date(2019, 1, 1), "approved_by": "经信局"}
        ended = [row | {"uscc": uscc_of(0), "valid_to": date(2025, 8, 15)}]
        connection.execute(insert(tables.roster_member), ended)

    city.database.run_now(enrol)
    page = (await get(f"{address}/?lang=zh")).text
    assert "2025-08  名录变动：新列入 0 家，退出 1 家。" in page
    months, record = ["2025-07", "2025-08"], builtin_definitions()["ENR-A"]
    other = parse_scope(f"enterprise {uscc_of(1)}")
    for scope, left in ((EVERYTHING, 1), (other, 0)):
        found = city.database.read_now(roster_changes, record, scope, months)
        assert found["2025-08"] == (0, left)


async def test_the_ranking_tells_place_and_coverage(address: str) -> None:
    page = (await get(f"{address}/?lang=zh")).text
    table = page.partition('data-live="counties"')[2]
    assert table.count('<td class="place optional">') == 4
    assert '<td class="place optional">1</td><th scope="row"><a href="/counties/330822">' in table
    heat = (await get(f"{address}/industries?lang=zh")).text.partition('class="heat"')[2]
    assert '<a href="/counties/330822?industry=34"' in heat
    assert "20 / 36" in heat


@pytest.mark.parametrize(("name", "is_named"), [("ENR-A", True), ("DIG-A", False)])
async def test_what_the_plan_does_not_name_has_no_gap_to_it(
    address: str, name: str, is_named: bool
) -> None:
    for path in ("/", "/print", "/wall"):
        page = await get(f"{address}{path}?definition={name}&lang=zh")
        assert page.status_code == 200, path
        assert ("距 2025 年目标" in page.text) == is_named, path


@pytest.mark.parametrize("name", ["ENR-C", "ENR-D", "SENS", "DIG-A", "COV", "ONL"])
def test_the_plan_names_rates_of_all_machines_alone(name: str) -> None:
    known = builtin_definitions()
    assert not is_planned(known[name])
    assert is_planned(known["ENR-A"]) and is_planned(known["ENR-B"])
