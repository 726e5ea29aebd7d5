"""Planned stops, shift schedules and data agreements as officers enter, list and end them."""

import os
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, insert, select

from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.principal import EVERYTHING, Role
from gateway.city.console.queries.ledger import rosters
from gateway.city.db.tables import enterprise, roster_member
from gateway.city.ledger.agreements.agreement import Agreement
from gateway.city.ledger.agreements.held import standing as agreements
from gateway.city.ledger.agreements.sort import AGREEMENTS
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.papers.shown import Wanted, count_papers, papers
from gateway.city.ledger.stops.held import standing as stops
from tests.console.people import browser, known, peopled, post
from tests.console.test_ledger_import import agreed, ended
from tests.console.town import Town, uscc_of
from tests.support.chromium import chromium

FIRM = uscc_of(0)
LOOKS = (("zh", "light", 1280), ("en", "dark", 390))
SHOTS = os.environ.get("SHOTS")
STOP = {
    "uscc": FIRM.lower(), "site_no": "", "workshop": "", "line": "", "asset_no": "",
    "stop_from": "2025-11-10", "stop_to": "2025-11-12", "stop_reason": "overhaul",
    "document": "检修计划 3 号", "said_by": "王五",
}  # fmt: skip
AGREEMENT = {
    "uscc": FIRM, "agreement": "SJ-1", "document": "衢数协 1 号", "purposes": "统计",
    "agreed_from": "2025-11-01", "agreed_to": "", "points": "grinder/*", "said_by": "王五",
}  # fmt: skip

Made = tuple[Town, httpx.AsyncClient, str]


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    """A town, and the browser of an officer of the bureau."""
    async with peopled(tmp_path) as (town, base), browser(base) as officer:
        await known(town, officer, "wang.li", Role.BUREAU, "all")
        officer.cookies.set("lang", "zh")
        yield town, officer, base


async def seen(officer: httpx.AsyncClient, sort: str, fields: dict[str, str]) -> dict[str, str]:
    """What a preview binds to."""
    page = await post(officer, f"/ledger/{sort}/new", **fields)
    assert page.status_code == 200, page.text
    return {"confirm": "1", **dict(re.findall(r'name="(basis)" value="(\w+)"', page.text))}


async def test_a_stop_is_entered_listed_and_withdrawn(made: Made) -> None:
    town, officer, base = made
    wrong = STOP | {"stop_from": "2025-13-01", "site_no": "9", "stop_to": ""}
    page = await post(officer, "/ledger/stops/new", **wrong)
    assert page.status_code == 400 and "不是日历上的日期" in page.text
    page = await post(officer, "/ledger/stops/new", **(STOP | {"site_no": "9"}))
    assert page.status_code == 400 and "台账中该处没有设备" in page.text
    preview = await seen(officer, "stops", STOP)
    assert town.database.read_now(stops) == [], "a preview changes nothing"
    assert (await post(officer, "/ledger/stops/new", **STOP, **preview)).status_code == 303
    (stop,) = town.database.read_now(stops)
    listed = (await officer.get(f"/ledger/stops?enterprise={FIRM}&day=2025-11-11")).text
    assert "检修计划 3 号" in listed and "事后补录" in listed
    assert "没有符合条件" in (await officer.get("/ledger/stops?day=2025-11-13")).text
    file = (await officer.get("/ledger/stops?format=csv&lang=zh")).text
    assert "停机原因" in file and ",检修," in file
    async with browser(base) as second:
        await known(town, second, "li.wei", Role.BUREAU, "all")
        ending = f"/ledger/stops/{stop.number}/end"
        assert "撤销停机" in (await second.get(f"{ending}?lang=zh")).text
        assert (await post(second, ending, reason=" ")).status_code == 400
        assert (await post(officer, ending, reason="检修取消")).status_code == 303
        late = await post(second, ending, reason="误填")
        assert late.status_code == 409, "who comes second is told"
    assert town.database.read_now(stops) == []
    (entry,) = town.database.read_now(entries, EntryFilter(Action.LEDGER_STOP_END))
    assert entry.who.split()[0] == "wang.li" and "检修取消" in entry.subject


async def test_an_agreement_that_somebody_else_entered_meanwhile_is_not_overwritten(
    made: Made,
) -> None:
    town, officer, _ = made
    narrow = AGREEMENT | {"points": "grinder/speed"}
    preview = await seen(officer, "agreements", AGREEMENT)
    other = await seen(officer, "agreements", narrow)
    assert (await post(officer, "/ledger/agreements/new", **narrow, **other)).status_code == 303
    answer = await post(officer, "/ledger/agreements/new", **AGREEMENT, **preview)
    assert answer.status_code == 409 and "他人改动了" in answer.text
    (held,) = town.database.read_now(agreements)
    assert held.what.points == ("grinder/speed",)
    page = await post(officer, "/ledger/agreements/new", **AGREEMENT)
    assert "替换同一编号" in page.text
    ending, day = f"/ledger/agreements/{held.number}/end", "2025-10-01"
    refused = await post(officer, ending, reason="到期", last_day=day)
    assert refused.status_code == 400 and "不早于该日" in refused.text
    assert (await post(officer, ending, reason="到期", last_day="2026-01-31")).status_code == 303
    (held,) = town.database.read_now(agreements)
    assert str(held.what.last_day) == "2026-01-31"


async def test_papers_are_imported_from_a_file_with_a_preview(made: Made) -> None:
    _, officer, _ = made
    head = "uscc,schedule_from,work_days,on_holidays,schedule_reason,document,said_by\n"
    rows = (f"{FIRM},2025-11-01,{days},照常,做六休一,厂规 5 号,王五\n" for days in ("九", "1-6"))
    for row, problem in zip(rows, (True, False), strict=True):
        data = {"csrf": officer.cookies["qulink_csrf"], "table": "schedules"}
        files = [("files", ("排班.csv", (head + row).encode()))]
        sent = await officer.post("/ledger/import", data=data, files=files)
        page = (await ended(officer, sent.headers["location"])).text
        assert ("不是可识别的工作周" in page) == problem
    assert '排班日历</th><td class="num">1<' in page
    address = sent.headers["location"]
    await post(officer, f"{address}/apply", **agreed(page))
    done = (await ended(officer, address)).text
    assert 'href="/ledger/schedules"' in done and "已导入" in done
    assert "一二三四五六" in (await officer.get("/ledger/schedules")).text
    book = await officer.get("/ledger/import/template/schedules.xlsx?lang=zh")
    assert book.content.startswith(b"PK")


async def test_a_county_sees_its_own_and_enters_none(made: Made) -> None:
    town, officer, base = made
    columns = enterprise.c
    with town.database.engine.connect() as connection:
        county = connection.scalar(select(columns.county).where(columns.uscc == FIRM))
        elsewhere = select(columns.uscc).where(columns.county != county).order_by(columns.uscc)
        foreign = str(connection.scalar(elsewhere))
    for firm in (FIRM, foreign):
        fields = STOP | {"uscc": firm, "document": f"文件 {firm}"}
        preview = await seen(officer, "stops", fields)
        await post(officer, "/ledger/stops/new", **fields, **preview)
    async with browser(base) as other:
        await known(town, other, "zhao.xin", Role.COUNTY, f"county:{county}")
        for address in ("/ledger/stops", "/ledger/stops?format=json"):
            page = (await other.get(address)).text
            assert f"文件 {FIRM}" in page and foreign not in page
        assert "/ledger/stops/new" not in page
        assert (await other.get("/ledger/stops/new")).status_code == 403
        assert (await post(other, "/ledger/stops/1/end", reason="x")).status_code == 403
    answer = await officer.post("/ledger/stops/new", data=STOP)
    assert answer.status_code == 403, "a form of somebody else's page"


async def test_the_pages_look_right(made: Made) -> None:
    _, officer, base = made
    for sort, fields in (("stops", STOP), ("agreements", AGREEMENT)):
        await post(officer, f"/ledger/{sort}/new", **fields, **await seen(officer, sort, fields))
    async with chromium() as page:
        for cookie in officer.cookies.jar:
            await page.command(
                "Network.setCookie", name=cookie.name, value=str(cookie.value), url=base
            )
        for path in ("stops", "stops/new", "stops/1/end", "schedules", "agreements", "import"):
            for language, colours, width in LOOKS:
                await page.viewport(width, 900, mobile=width < 640)
                await page.colours(colours)
                await page.goto(f"{base}/ledger/{path}?lang={language}")
                assert await page.barriers() == [], path
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                if SHOTS:
                    name = f"{path.replace('/', '-')}-{language}-{width}.png"
                    await page.screenshot(Path(SHOTS) / name)
        assert page.problems == []


async def test_a_long_list_is_sorted_filtered_and_paged_by_the_database(made: Made) -> None:
    town, officer, _ = made

    def fill(connection: Connection) -> None:
        for at in range(60):
            doing = Doing(Kind.AGREEMENTS, "王五", "", town.context.now_ms() + at)
            act = begin(connection, doing)
            firm, first = uscc_of(at % 3), date(2025, 1, 1) + timedelta(days=at * 7 % 60)
            paper = Agreement(firm, f"N{at % 57}", "1 号", "统计", first, None, ("*",), "王五")
            AGREEMENTS.keeping.write(connection, act, [paper])
            conclude(connection, act, doing)

    town.database.run_now(fill)
    every = town.database.read_now(agreements)
    names = dict(
        town.database.read_now(
            lambda c: c.execute(select(enterprise.c.uscc, enterprise.c.name)).all()
        )
    )
    keys = {
        "entered": lambda one: one.number,
        "enterprise": lambda one: names[one.what.uscc],
        "begins": lambda one: one.what.first_day,
    }
    assert len(every) == 57, "a newer entry of a number stands for the one before"
    day = date(2025, 1, 20)
    for sort, key in keys.items():
        for falling in (True, False):
            asked = Wanted("", day, sort, falling=falling)
            wanted = sorted((one for one in every if one.covers(day)), key=lambda one: -one.number)
            wanted.sort(key=key, reverse=falling)
            read = partial(town.database.read_now, papers, AGREEMENTS, EVERYTHING, asked)
            assert [one.of for one in read()] == wanted, asked
            assert [one.of for one in read(slice(5, 15))] == wanted[5:15]
            assert town.database.read_now(count_papers, AGREEMENTS, EVERYTHING, asked) == len(
                wanted
            )
    page = (await officer.get("/ledger/agreements?sort=begins&order=asc&page=1")).text
    assert page.count('/end"') == 7 and "57" in page
    assert "sort=begins" in page and 'aria-sort="ascending"' in page
    assert (
        await officer.get("/ledger/agreements?sort=x&order=y&page=99&enterprise=%25_")
    ).status_code == 200
    some = (
        await officer.get(f"/ledger/agreements?enterprise={uscc_of(1).lower()}&format=json")
    ).json()
    assert {one["uscc"] for one in some["rows"]} == {uscc_of(1)} and len(some["rows"]) == 19


async def test_members_of_a_roster_are_sorted_filtered_and_paged(made: Made) -> None:
    town, officer, _ = made

    def fill(connection: Connection) -> None:
        firms = [{"uscc": f"U{at:03}", "name": f"厂{at % 9}"} for at in range(70)]
        rest = {"county": "330822", "industry": "3451", "above_scale": False}
        connection.execute(insert(enterprise), [one | rest for one in firms])
        rows = [
            {
                "roster": "OLD", "uscc": one["uscc"], "approved_by": "经信局",
                "valid_from": date(2025, 1 + at % 3, 1),
                "valid_to": date(2025, 6, 1) if at % 7 == 0 else None,
            }
            for at, one in enumerate(firms)
        ]  # fmt: skip
        connection.execute(insert(roster_member), rows)

    town.database.run_now(fill)
    first = (await officer.get("/ledger/rosters/OLD?day=2025-02-15&sort=name&order=desc")).text
    assert re.findall(r'mono">(U\d+)<', first)[:2] == ["U007", "U016"] and "47" in first
    assert len(re.findall(r'mono">U', first)) == 47, "of 70 those of January and February"
    second = (await officer.get("/ledger/rosters/OLD?day=2025-03-01&page=1")).text
    assert re.findall(r'mono">(U\d+)<', second) == [f"U{at:03}" for at in range(50, 70)]
    some = "/ledger/rosters/OLD?day=2025-06-01&enterprise=厂4&format=json"
    rows = (await officer.get(some)).json()["rows"]
    assert [one["uscc"] for one in rows] == [
        f"U{at:03}" for at in range(70) if at % 9 == 4 and at % 7
    ], "a last day is the first on which it is on it no more"
    (old,) = town.database.read_now(rosters, EVERYTHING, "OLD")
    told = [(one.day.month, one.entered, one.left, one.members) for one in old.versions]
    assert told == [(1, 24, 0, 24), (2, 23, 0, 47), (3, 23, 0, 70), (6, 0, 10, 60)]
    assert [old.members_on(date(2025, month, 1)) for month in (1, 5, 7)] == [24, 70, 60]
    assert old.members_on(date(2024, 12, 31)) == 0
