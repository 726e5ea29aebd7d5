"""A county's own target stands beside its rate; the plan's is shown of the whole city alone."""

import csv
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from io import BytesIO, StringIO
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook

from gateway.city.access.principal import Role
from gateway.city.console.app import build
from gateway.city.rates.model import Target
from gateway.city.rates.reports.shown import points_text
from tests.console.test_scopes import _people
from tests.console.town import NOW_MS, town

AIM = Target(
    id="ENR-A", county="330822", year=2027, percent=58, document="常经信〔2025〕3号",
    valid_from=date(2025, 10, 1),
)  # fmt: skip


@pytest.fixture
async def browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr("gateway.web.access.admission.system_ms", lambda: NOW_MS)
    async with town(tmp_path / "city", accounts=True) as made:
        made.database.run_now(_people)
        known = dict(made.context.definitions)
        known["ENR-A"] = known["ENR-A"].aimed_by([AIM])
        app = build(replace(made.context, definitions=known))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080"
        ) as client:
            yield client


async def got(
    browser: httpx.AsyncClient, role: Role, path: str, month: str = "2025-10", **more: str
) -> httpx.Response:
    browser.cookies.set("qulink_session_8080", role, domain="127.0.0.1")
    answer = await browser.get(path, params={"month": month, **more})
    assert answer.status_code == 200, path
    return answer


async def page(browser: httpx.AsyncClient, role: Role, path: str) -> str:
    return (await got(browser, role, path, lang="zh")).text


async def test_a_county_has_its_own_target_or_none(browser: httpx.AsyncClient) -> None:
    own = await page(browser, Role.BUREAU, "/counties/330822")
    assert "2027 年末目标 58.00 %" in own and "常经信〔2025〕3号" in own
    other = await page(browser, Role.BUREAU, "/counties/330881")
    assert "未设目标；规划目标为全市目标" in other and "58.00 %" not in other
    whole = await page(browser, Role.BUREAU, "/")
    assert "距 2025 年目标" in whole and whole.count("2027 年末目标") == 1
    assert whole.count('<line class="target"') == 1, "the plan's is no county's"
    assert 'x1="58.00%"' in whole
    assert "常山县 2027 年末目标 58.00 %" in await page(browser, Role.BUREAU, "/definitions")


async def test_who_sees_a_part_is_not_measured_by_the_plan(browser: httpx.AsyncClient) -> None:
    for role, aims in ((Role.COUNTY, 1), (Role.ENTERPRISE, 0)):
        shown = await page(browser, role, "/")
        assert "距 2025 年目标" not in shown and "规划目标为全市目标" in shown
        assert shown.count("2027 年末目标") == aims
        assert "规划末年目标" not in shown
        assert "距 2025 年目标" not in await page(browser, role, "/print")


async def test_files_and_programs_are_told_of_targets(browser: httpx.AsyncClient) -> None:
    told = (await got(browser, Role.BUREAU, "/api/v1/figures")).json()
    lines = {one["key"]: one["target"] for one in [told["total"], *told["data"]]}
    gap = Fraction(lines["330822"].pop("gap_fraction"))
    pooled = {one["key"]: one["pooled"] for one in told["data"]}["330822"]
    assert gap == Fraction(pooled["fraction"]) - 58 and gap < 0
    assert lines["330822"] == {
        "state": "not_met",
        "percent": {"percent": "58.00", "fraction": "58/1"},
        "year": 2027,
        "document": "常经信〔2025〕3号",
        "gap": points_text(gap).replace("−", "-"),
    }
    assert lines["city"] is None and lines["330881"]["state"] == "none"
    assert set(lines["330881"].values()) == {"none", None}
    file = (await got(browser, Role.BUREAU, "/", format="csv")).text
    rows = {one["key"]: one for one in csv.DictReader(StringIO(file.removeprefix("\ufeff")))}
    columns = [f"county_target{one}" for one in ("", "_percent", "_year", "_gap")]
    assert [rows["330822"][one] for one in columns] == [
        "not_met", "58.00", "2027", lines["330822"]["gap"],
    ]  # fmt: skip
    assert [rows["330881"][one] for one in columns] == ["none", "", "", ""]
    assert [rows["city"][one] for one in columns] == [""] * 4
    own = (await got(browser, Role.BUREAU, "/counties/330822", format="csv", lang="zh")).text
    assert "县级目标文号" in own and "未达到" in own and "常经信〔2025〕3号" in own
    book = (await got(browser, Role.BUREAU, "/", format="xlsx", lang="zh")).content
    data = load_workbook(BytesIO(book))["数据"]
    rows_of = {one[0]: one for one in data.iter_rows(values_only=True)}
    heads, line = rows_of["代码"], rows_of["330822"]
    assert line[heads.index("县级目标（%）")] == 58
    assert line[heads.index("县级目标完成情况")] == "未达到"
    part = (await got(browser, Role.ENTERPRISE, "/api/v1/figures")).json()
    assert {one["target"]["state"] for one in part["data"]} == {"part"}
    assert "58" not in str([one["target"] for one in part["data"]])


async def test_sheet_and_wall_show_targets_or_say_that_there_are_none(
    browser: httpx.AsyncClient,
) -> None:
    for path, more in (("/print", {}), ("/print", {"month": "", "quarter": "2025-Q4"})):
        shown = (await got(browser, Role.BUREAU, path, **({"lang": "zh"} | more))).text
        assert "58.00 (2027)" in shown and "未设目标" in shown and "县级目标取截至时点" in shown
    wall = await page(browser, Role.BUREAU, "/wall")
    assert wall.count("2027 年末目标 58.00 % · 未达到") == 1 and "未设目标" in wall
    for path in ("/print", "/wall", "/"):
        earlier = (await got(browser, Role.BUREAU, path, "2025-09", lang="zh")).text
        assert "各县（市、区）均未设目标" in earlier, "it is in force from October on"
        part = await page(browser, Role.ENTERPRISE, path)
        assert "不与县级目标比较" in part and "未设目标" not in part
