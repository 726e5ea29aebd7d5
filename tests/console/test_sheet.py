"""The sheet to print: what stands on it, and how it breaks over pages."""

import base64
import re
from dataclasses import replace

import pypdfium2
from sqlalchemy import Connection, insert

from edge_config.models.counting import SheetConfig
from gateway.city.console.app import build
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.frozen.results import StoredTable, append
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town
from tests.rates.publishing.cities import city as cells_of_city
from tests.support.chromium import Page, chromium

# Rows of eight lines: a browser would not tear one of two lines anyway.
LONG = """(() => { const body = document.querySelector('.counties tbody');
    for (let at = 0; at < 24; at++) { const row = body.rows[1].cloneNode(true);
      row.cells[0].innerHTML = `${at}-upper${"<br>.".repeat(6)}<br>${at}-lower`;
      body.append(row); } })()"""


def _stored(connection: Connection) -> None:
    """A final month with a root, counted otherwise than its neighbours."""
    table = StoredTable("2025-09", 1, "F", "0" * 64, 1, all_cells(cells_of_city(1)), taking=1)
    append(connection, table, "ENR-A", demonstration=True)
    taking = {"month": "2025-09", "synthetic": True, "number": 1, "taken_ms": 1, "root": "ab" * 32}
    connection.execute(insert(evidence_taking).values(**taking))


async def _pages(page: Page) -> list[str]:
    """The text of each page on paper."""
    printed = await page.command("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
    document = pypdfium2.PdfDocument(base64.b64decode(printed["data"]))
    return [one.get_textpage().get_text_range() for one in document]


async def test_a_long_table_has_its_heads_on_each_page_and_no_row_is_torn(address: str) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/print?lang=en")
        (short,) = await _pages(page)
        assert "Form number:" in short and "Evidence root of 2025-11" in short
        assert "Sheet to print" not in short and "Overview" not in short and "中文" not in short
        assert await page.barriers() == []
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        await page.evaluate(LONG)
        long = await _pages(page)
    assert len(long) > 2
    rows = [
        [set(re.findall(rf"(\d+)-{half}", text)) for half in ("upper", "lower")] for text in long
    ]
    assert all(upper == lower for upper, lower in rows)
    assert all(
        "Machines of the ledger" in text
        for text, (upper, _) in zip(long, rows, strict=True)
        if upper
    )


async def test_what_is_not_configured_is_left_for_the_pen(address: str, city: Town) -> None:
    blank = (await get(f"{address}/print?lang=zh")).text
    assert blank.count('<span class="by-hand"></span>') == 3, "unit, form, and who checked"
    assert "演示数据" in blank and '<nav class="screen-only' in blank and 'class="top' not in blank
    assert "2025 年 11 月" in blank and "初步" in blank and "2025-11-23" in blank
    sheet = SheetConfig(form_number="QT-1", unit="<市经信局>")
    config = replace(city.context.config, sheet=sheet)
    async with served(build(replace(city.context, config=config))) as base:
        named = (await get(f"{base}/print?lang=zh")).text
    assert "<b>QT-1</b>" in named and "<b>&lt;市经信局&gt;</b>" in named
    assert named.count('<span class="by-hand"></span>') == 1


async def test_a_quarter_is_its_last_month_and_the_mean_is_named(address: str, city: Town) -> None:
    city.database.run_now(_stored)
    month = (await get(f"{address}/print?month=2025-09&lang=zh")).text
    quarter = (await get(f"{address}/print?quarter=2025-Q3&lang=zh")).text
    figure = re.compile(r"联网率（合并）</th><td>%</td><td class=\"num\">([^<]+)<")
    mean = re.compile(r"各月平均（(\d) 个月）</th><td>%</td><td class=\"num\">([^<]+)<")
    assert figure.findall(month) == figure.findall(quarter)
    assert mean.findall(month) == []
    ((count, value),) = mean.findall(quarter)
    assert count == "3" and value != figure.findall(quarter)[0]
    assert "2025 年第三季度" in quarter and "不是各月平均" in quarter and "尚未结束" not in quarter
    assert quarter.count("ab" * 32) == 1 and quarter.count("未留存") == 2
    year = (await get(f"{address}/print?year=2025&lang=en")).text
    assert "not over" in year and "not in the mean: 2025-12" in year


async def test_a_period_that_cannot_be_shown_is_told(address: str) -> None:
    for asked, words in (
        ("quarter=2025-Q5", "请写成 2026-Q3"),
        ("year=25", "请写成 2026"),
        ("quarter=2026-Q1", "还没有开始"),
        ("year=2001", "最早的月份是"),
        ("year=2025&month=2025-09", "只保留一项"),
        ("year=2025&definition=ONL", "只反映当前时刻"),
    ):
        answer = await get(f"{address}/print?{asked}&lang=zh")
        assert (answer.status_code, words in answer.text) == (404, True), asked
