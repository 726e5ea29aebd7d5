"""The page of what the public may see."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from gateway.city.console.app import build
from gateway.city.db.tables import enterprise
from gateway.city.rates.cells.dimensions import all_cells
from gateway.city.rates.frozen.results import StoredTable, append
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import town
from tests.rates.publishing.cities import city
from tests.support.chromium import chromium

CITY = city(1)


def final(connection: Connection, month: str = "2025-09", vintage: int = 1) -> None:
    """A final month of a fictitious city."""
    row = {"above_scale": True, "ledger_verified_by": None, "ledger_verified_on": None}
    rows = [
        row | {"uscc": one.uscc, "name": one.uscc, "county": one.county, "industry": one.industry}
        for one in CITY
    ]
    if (month, vintage) == ("2025-09", 1):
        connection.execute(insert(enterprise), rows)
    stored = StoredTable(month, vintage, "F", "0" * 64, vintage, all_cells(CITY))
    append(connection, stored, "ENR-A", demonstration=True)


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[str]:
    async with town(tmp_path / "city") as made, served(build(made.context)) as address:
        made.context.database.run_now(final)
        yield address


async def test_withheld_is_said_and_is_no_nought(base: str) -> None:
    page = (await get(f"{base}/published?lang=zh")).text
    assert "不予公布" in page and "2025-09" in page and "演示数据" in page
    english = (await get(f"{base}/published?lang=en&by=county-industry")).text
    assert ">withheld<" in english and "Counties × industries" in english
    for name in ("alone", "dominant", "pair-1"):
        assert name not in page + english

    answer = await get(f"{base}/published?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    alone = next(row for row in rows if row["county"] == "330802")
    assert (alone["equipment"], alone["pooled_percent"], alone["conf_status"]) == ("", "", "N")


async def test_it_fits_a_phone_and_keeps_nobody_out(base: str) -> None:
    async with chromium() as page:
        await page.viewport(390, 844, mobile=True)
        for path in ("/published?lang=zh", "/published?lang=en&by=county-industry"):
            await page.goto(base + path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path
            assert await page.barriers() == [], path
        assert page.problems == []


async def test_a_month_that_is_not_final_is_not_there(base: str) -> None:
    answer = await get(f"{base}/published?month=2025-10&lang=en")
    assert (answer.status_code, "Not published" in answer.text) == (404, True)
    assert (await get(f"{base}/published?definition=COV")).status_code == 404
    assert (await get(f"{base}/published?by=enterprise")).status_code == 404


async def test_what_is_public_is_there_as_sdmx(base: str) -> None:
    page = (await get(f"{base}/published?lang=en")).text
    assert "format=sdmx-csv" in page and "format=sdmx-structure" in page
    data = await get(f"{base}/published?format=sdmx-csv")
    assert data.headers["content-type"].startswith("application/vnd.sdmx.data+csv;version=2.0.0")
    assert data.text.startswith("STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,ACTIVITY,INDICATOR")
    structure = (await get(f"{base}/published?format=sdmx-structure")).json()
    assert structure["data"]["dataflows"][0]["id"] == "DF_ENR"
