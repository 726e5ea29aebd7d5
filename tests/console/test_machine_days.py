"""Why is this machine counted? Its days, and every verdict, on its page."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db import tables
from gateway.city.db.operation import begin
from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.db.schema.operation import operation
from gateway.city.evidence.rows import write_days
from gateway.city.rates.daymaps.takings import keep, take
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.jobs import code_digest, note_job
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.city.rates.proving.raw import digest as raw_digest
from gateway.city.rates.proving.raw import raw_days
from gateway.city.rates.proving.strip import ranges
from gateway.core.days import day_of
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of
from tests.support.chromium import chromium
from tests.support.city_db import by_hand, months_anew

MACHINE = f"/enterprises/{uscc_of(0)}/1/A-001"
ID = 1
TODAY = day_of(NOW_MS)
ROWS = "[...document.querySelectorAll('#evidence details tbody tr')]"


def days_shown(page: str) -> dict[int, str]:
    """What the strip says of each day of the month, by its class."""
    return {
        int(day): mark
        for mark, day in re.findall(r'<li class="day-(\w+)" title="\d{4}-\d\d-(\d\d) ', page)
    }


def break_days(connection: Connection) -> None:
    """One day each that is missing, of a sensor, doubtful; sealed for two; simulated as all are."""
    own, day = tables.evidence.c.machine_id == ID, tables.evidence.c.day
    by_hand(connection, delete(tables.evidence).where(own, day == date(2025, 11, 3)))
    seen = update(tables.evidence).where(own, day == date(2025, 11, 4))
    by_hand(connection, seen.values(source="sensor"))
    doubtful = update(tables.evidence).where(own, day == date(2025, 11, 5))
    by_hand(connection, doubtful.values(good_hours=0, replayed_hours=4095))
    entries = [(date(2025, 11, 6), "sealed"), (date(2025, 11, 8), "in_use")]
    rows = [{"equipment_id": ID, "valid_from": day, "status": status} for day, status in entries]
    connection.execute(insert(tables.status_rows), rows)
    months_anew(connection)


async def test_programs_are_told_of_no_day_before_the_city_began(city: Town, address: str) -> None:
    city.database.run_now(lambda c: begin(c, date(2025, 11, 14)))
    machine = f"{address}/api/v1/enterprises/{uscc_of(0)}/machines/1/A-001"
    days = (await get(f"{machine}/days")).json()
    assert [days["data"][at]["day"] for at in (0, -1)] == ["2025-11-14", str(TODAY)]
    counted = (await get(machine)).json()["data"]
    assert days["verdicts"]["ENR-A"] == counted
    assert counted["service_days"] == 6


async def test_each_day_says_what_it_is(city: Town, address: str) -> None:
    city.database.run_now(break_days)
    page = (await get(f"{address}{MACHINE}?lang=zh")).text
    days = days_shown(page)
    assert list(days) == list(range(1, 31))
    odd = {day: mark for day, mark in days.items() if mark != "valid" and day <= TODAY.day}
    rest = dict.fromkeys((1, 2, 8, 9, 15, 16, 22, 23), "rest")
    assert odd == rest | {3: "missing", 4: "seen", 5: "doubtful", 6: "out", 7: "out"}
    assert {mark for day, mark in days.items() if day > TODAY.day} == {"pending"}
    assert "2025-11-03 缺数据" in page  # in words, for who sees no colour
    assert "10 / 13" in page
    assert "未封存" in page
    before = (await get(f"{address}{MACHINE}?lang=en&month=2025-10")).text
    assert set(days_shown(before).values()) == {"valid", "rest"}
    assert [day for day, mark in days_shown(before).items() if mark == "rest"] == [
        *range(1, 9), 12, 18, 19, 25, 26,
    ]  # fmt: skip
    assert len(days_shown(before)) == 31
    assert "month=2025-11#evidence" in before.replace("&amp;", "&")


async def test_a_verdict_names_the_days_that_decided(city: Town, address: str) -> None:
    first, last = date(2025, 10, 1), date(2025, 10, 31)
    own, day = tables.evidence.c.machine_id == ID, tables.evidence.c.day
    lost = delete(tables.evidence).where(own, day.between(first, last), day > date(2025, 10, 20))
    city.database.run_now(by_hand, lost)
    city.database.run_now(months_anew)
    page = (await get(f"{address}{MACHINE}?lang=en&month=2025-10")).text
    assert "valid data on too few days" in page
    assert "<td>21–24, 27–31</td>" in page
    for name, one in builtin_definitions().items():
        assert (f">{name}</a></th><td>" in page) is (one.measure == "networked")


async def test_what_counts_no_days_shows_those_of_the_headline(address: str) -> None:
    page = (await get(f"{address}{MACHINE}?lang=en&definition=COV")).text
    assert "2025-11 · ENR-A" in page


async def test_before_the_city_began_there_is_no_strip(city: Town, address: str) -> None:
    began = insert(operation).values(id=1, began_on=date(2025, 11, 10))
    city.database.run_now(lambda connection: connection.execute(began))
    page = (await get(f"{address}{MACHINE}?lang=zh")).text
    assert {day: mark for day, mark in days_shown(page).items() if mark == "before"} == (
        dict.fromkeys(range(1, 10), "before")
    )


async def test_a_published_month_shows_the_digests_that_seal_it(city: Town, address: str) -> None:
    inquiry = Inquiry(
        builtin_definitions()["ENR-A"],
        period_of("2025-10", NOW_MS, None),
        NOW_MS,
        demonstration=True,
    )
    city.database.run_now(lambda connection: keep(connection, take(connection, inquiry), NOW_MS))
    page = (await get(f"{address}{MACHINE}?lang=en&month=2025-10")).text
    digest = select(day_map.c.digest).where(day_map.c.uscc == uscc_of(0))
    root = city.database.run_now(lambda c: c.scalar(select(evidence_taking.c.root)))
    assert str(city.database.run_now(lambda c: c.scalar(digest))) in page
    assert f"{root[:16]}…" in page
    assert "Digest of the machine&#39;s raw days" in page
    assert "not kept: the result is older" in page  # it was stored without a job
    first, last = date(2025, 10, 1), date(2025, 10, 31)
    rows = city.database.run_now(raw_days, ID, [first, last])
    assert (len(rows), rows[0].day) == (31, first)
    assert f"{raw_digest(rows)[:16]}…" in page
    city.database.run_now(note_job, "ENR-A", "2025-10", 1, "calendar")
    zh = (await get(f"{address}{MACHINE}?lang=zh&month=2025-10")).text
    assert "ENR-A 第 1 版结果" in zh and f"{code_digest()[:16]}…" in zh


async def test_what_came_late_is_told_beside_its_source(city: Town, address: str) -> None:
    day = date(2025, 10, 8)
    row = city.database.run_now(raw_days, ID, [day])[0]
    more = row._asdict() | {"machine_id": ID, "good_hours": 1 << 24, "seeded": True}
    city.database.run_now(write_days, [more | {"late_days": 9}])
    for language, words in (("en", "more came late, days: 9"), ("zh", "另有补充记录，迟到 9 天")):
        assert words in (await get(f"{address}{MACHINE}?lang={language}&month=2025-10")).text


def test_days_that_follow_one_another_are_a_range() -> None:
    first = date(2026, 2, 1)
    days = [first + timedelta(days=one) for one in (0, 1, 2, 6, 8, 9)]
    assert ranges(days) == "1–3, 7, 9–10"
    assert ranges([]) == ""


@pytest.mark.long
async def test_from_an_enterprise_it_is_two_clicks_to_the_evidence(address: str) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/enterprises/{uscc_of(0)}?lang=zh")
        await page.click(f"a[href^='{MACHINE}']")
        await page.until("document.querySelectorAll('.days li').length === 30")
        await page.click("#evidence summary")
        rows = f"{ROWS}.filter(one => one.offsetHeight).length"
        await page.until(f"{rows} === {TODAY.day}")
        assert await page.barriers() == []
        assert page.problems == []
