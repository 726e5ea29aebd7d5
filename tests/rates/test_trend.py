"""The trend of months beside the plan, on SQLite and PostgreSQL."""

from datetime import date
from fractions import Fraction

from gateway.city.db.operation import begin
from gateway.city.rates.period import recent_months
from gateway.city.rates.reports.trend import trend
from gateway.relational.database import Database
from tests.rates.test_report import NOVEMBER_3, fill_city
from tests.support.city_db import add_days


def test_trend_stands_beside_the_plan(database: Database) -> None:
    database.run_now(begin, date(2025, 12, 1))
    database.run_now(fill_city)
    asked = ("2025-11", "2025-12", "2026-10")  # the first has no evidence, nor has any before it
    database.run_now(add_days, 1, [date(2025, 12, 31)])
    points = database.run_now(trend, "ENR-A", asked, NOVEMBER_3, demonstration=False)
    assert [(one.month, one.city.networked, one.plan) for one in points] == [
        ("2025-12", 0, Fraction(60)),
        ("2026-10", 21, None),
    ]
    months = recent_months(NOVEMBER_3, 3)
    assert months == ("2026-09", "2026-10", "2026-11")
    assert database.run_now(trend, "ONL", months[:-1], NOVEMBER_3, demonstration=False) == ()
