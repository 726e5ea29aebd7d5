"""Month and definition in the address of a page."""

import re

import pytest
from sqlalchemy import delete

from gateway.city.db import tables
from gateway.city.rates.period import months_between
from tests.console.http import get
from tests.console.town import Town, uscc_of
from tests.support.city_db import change_evidence

PAST = "month=2025-08&definition=ENR-B"
PAGES = (
    "/",
    "/enterprises",
    "/industries",
    "/counties/330822",
    "/industries/3451",
    f"/enterprises/{uscc_of(0)}",
    f"/enterprises/{uscc_of(0)}/1/A-001",
)


async def test_every_page_shows_the_month_and_hands_it_on(address: str, city: Town) -> None:
    for path in PAGES:
        answer = await get(f"{address}{path}?{PAST}&lang=zh")
        assert answer.status_code == 200, path
        assert '<option value="2025-08" selected>' in answer.text, path
        assert '<option value="ENR-B" selected>' in answer.text, path
        inner = re.findall(r'href="(/(?:enterprises|counties|industries|gaps)[^"]*)"', answer.text)
        assert inner, path
        assert [one for one in inner if "month=2025-08" not in one] == [], path


async def test_the_figure_is_of_the_month_and_definition(address: str, city: Town) -> None:
    now = (await get(f"{address}/?format=json")).json()
    past = (await get(f"{address}/?format=json&{PAST}")).json()
    assert (now["month"], now["definition"]) == ("2025-11", "ENR-A")
    assert (past["month"], past["definition"], past["status"]) == ("2025-08", "ENR-B", "P")
    assert past["rows"][0]["networked"] < now["rows"][0]["networked"]
    machine = f"{address}/enterprises/{uscc_of(0)}/1/A-001?month=2025-08&lang=en"
    days = re.findall(r'<th scope="row" class="nowrap">(\S+)</th>', (await get(machine)).text)
    assert {day[:7] for day in days} == {"2025-08"}


async def test_a_past_month_has_nothing_of_the_present(address: str, city: Town) -> None:
    page = (await get(f"{address}/?month=2025-08&lang=zh")).text
    assert "个网关在线" not in page
    assert "当前在线率" not in page
    assert "个网关在线" in (await get(f"{address}/?lang=zh")).text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("month=2025-13", "写法有误"),
        ("month=2025-12", "还没有开始"),
        ("month=2001-01", "最早的月份是"),
        ("definition=X", "没有这个口径"),
        ("month=2025-08&definition=ONL", "只反映当前时刻"),
    ],
)
async def test_what_cannot_be_shown_is_told(
    address: str, city: Town, asked: str, words: str
) -> None:
    answer = await get(f"{address}/enterprises?{asked}&lang=zh")
    assert (answer.status_code, words in answer.text) == (404, True)
    assert '<select name="month"' in answer.text
    assert (await get(f"{address}/charts/trend.json?{asked}")).status_code == 404


async def test_a_month_without_data_says_so(address: str, city: Town) -> None:
    month = tables.evidence.c.day.between("2025-08-01", "2025-08-31")
    city.database.run_now(change_evidence, delete(tables.evidence).where(month))
    page = (await get(f"{address}/?month=2025-08&lang=zh")).text
    assert "2025-08 没有收到数据" in page
    assert "0.00" not in page.partition("headline-figure")[2].partition("</p>")[0]


async def test_figures_of_a_page_are_of_one_moment(address: str, city: Town) -> None:
    """Gaps that ended since the figures were made stand beside them as they were then."""
    assert "1 处持续中" in (await get(f"{address}/?lang=zh")).text
    city.database.run_now(lambda one: one.execute(delete(tables.gap)))
    page = (await get(f"{address}/?lang=zh")).text
    assert "1 处持续中" in page


def test_months_follow_one_another() -> None:
    assert months_between("2025-11", "2026-02") == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert months_between("2026-03", "2026-02") == ()
