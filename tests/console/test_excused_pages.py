"""How much a rate leaves out, and what was said late, as an officer meets it."""

from datetime import date
from pathlib import Path

from gateway.city.ledger.papers.entering import enter_files
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.ledger.stops.sort import STOPS
from gateway.core.days import day_start_ms
from tests.console.http import get
from tests.console.test_machine_days import MACHINE, days_shown
from tests.console.town import NOW_MS, Town, uscc_of
from tests.rates.test_schedules import HEAD as WEEKS
from tests.rates.test_stops import HEAD as HALTS

FIRM = uscc_of(0)


def enter(city: Town, folder: Path) -> None:
    stops, schedules = folder / "stops.csv", folder / "schedules.csv"
    stop = f"{FIRM},,,,A-001,2025-11-10,2025-11-12,检修,检修计划 3 号,王五\n"
    stops.write_text(HALTS + stop, encoding="utf-8")
    week = f"{FIRM},,2025-11-01,,一二四五六日,照常,错峰用电,厂规 5 号,王五\n"
    schedules.write_text(WEEKS + week, encoding="utf-8")
    city.database.run_now(enter_files, SCHEDULES, [schedules], day_start_ms(date(2025, 11, 1)))
    city.database.run_now(enter_files, STOPS, [stops], NOW_MS, made_by="李四")


async def test_an_officer_sees_what_is_left_out(city: Town, address: str, tmp_path: Path) -> None:
    enter(city, tmp_path)
    overview = (await get(f"{address}/?lang=zh")).text
    assert "两边都不计：休息日" in overview
    assert "其中事后补录" in overview
    firm = (await get(f"{address}/enterprises/{FIRM}?lang=en")).text
    assert "machine days on neither side" in firm
    page = (await get(f"{address}{MACHINE}?lang=zh")).text
    days = days_shown(page)
    assert {days[day] for day in (10, 11)} == {"stopped"}
    assert (days[5], days[12], days[8]) == ("rest", "rest", "valid")
    assert "检修计划 3 号 · 事后补录" in page
    assert "排班 1 · 厂规 5 号" in page
    quality = (await get(f"{address}/quality?lang=zh")).text
    assert "计划停机 1" in quality
    assert "事后录入的计划停机和排班" in quality
    (row,) = [
        one
        for one in (await get(f"{address}/quality?format=json")).json()["rows"]
        if one["finding"].startswith("late.")
    ]
    assert row["uscc"] == FIRM
    details = (await get(f"{address}/details?lang=en&by=enterprise")).text
    assert "Days on neither side" in details
