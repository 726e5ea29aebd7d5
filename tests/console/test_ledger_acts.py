"""Acts upon the ledger on the page: who did what, undoing, frozen months behind it; rosters."""

import os
import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select

from gateway.city.access.principal import EVERYTHING, Role, parse_scope
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.importer import import_ledger
from gateway.city.rates.frozen.acted import acted
from gateway.core.days import DAY_MS
from tests.console.people import browser, known, peopled, post
from tests.console.town import NOW_MS, PLACES, Town, uscc_of
from tests.support.chromium import chromium

SHOTS = os.environ.get("SHOTS")
HEAD = "uscc,asset_no,name,equipment_class,status,status_since,valid_from"
FIRMS = "uscc,name,county,industry,above_scale,roster,roster_from,roster_to,roster_approved_by"
LOOKS = (("zh", "light", 1280), ("en", "dark", 390))


def load(town: Town, folder: Path, days_ago: int, head: str, *rows: str) -> None:
    file = folder / "t.csv"
    file.write_text(f"{head}\n" + "".join(f"{row}\n" for row in rows), "utf-8")
    import_ledger(town.database, [file], NOW_MS - days_ago * DAY_MS, made_by="wang.li")


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Town, httpx.AsyncClient, str]]:
    """A town with a machine that was imported, a month that was frozen, and a change behind it."""
    async with peopled(tmp_path) as (town, base), browser(base) as officer:
        load(town, tmp_path, 30, HEAD, f"{uscc_of(0)},N1,1#注塑机,production,在用,2024-01-01,")
        change = town.database.read_now(latest_change)
        month = {
            "definition": "ENR-A", "definition_hash": "0", "month": "2025-10", "cell": "330800",
            "dimension": "city", "vintage": 1, "status": "F", "numerator": 1, "denominator": 2,
            "enterprise_count": 1, "synthetic": True, "computed_ms": 1, "ledger_change": change,
        }  # fmt: skip
        with town.database.engine.begin() as connection:
            connection.execute(insert(rate_result), [month])
        load(town, tmp_path, 9, HEAD, f"{uscc_of(0)},N1,1#注塑机,aux,在用,,2025-10-15")
        rows = (
            f"{uscc_of(0)},{PLACES[0][2]},330822,3451,是,PILOT,2025-01-01,,1 号文",
            f"{uscc_of(2)},{PLACES[2][2]},330881,2032,是,PILOT,2025-01-01,2025-07-01,1 号文",
        )
        load(town, tmp_path, 5, FIRMS, *rows)
        await known(town, officer, "wang.li", Role.BUREAU, "all")
        officer.cookies.set("lang", "zh")
        yield town, officer, base


def class_of(town: Town) -> str:
    with town.database.engine.connect() as connection:
        query = select(equipment.c.equipment_class).where(equipment.c.asset_no == "N1")
        return str(connection.scalar(query))


async def test_an_act_is_looked_at_and_undone(made: tuple[Town, httpx.AsyncClient, str]) -> None:
    town, officer, base = made
    listed = (await officer.get("/ledger/acts")).text
    numbers = re.findall(r'href="/ledger/acts/(\d+)"', listed)
    assert len(numbers) == 3 and "设备属性 1" in listed and "名录 2" in listed
    _, act, first = numbers
    page = (await officer.get(f"/ledger/acts/{act}")).text
    assert "2025-10-15：" in page and "辅助设备" in page and "1#注塑机" in page
    refused = (await officer.get(f"/ledger/acts/{first}/undo")).text
    assert f"之后的变更（{act}）" in refused and "确认回退" not in refused
    preview = (await officer.get(f"/ledger/acts/{act}/undo")).text
    assert "2025-10-15" in preview and "2025-10" in preview and class_of(town) == "aux"
    assert (await post(officer, f"/ledger/acts/{first}/undo")).status_code == 409
    assert (await post(officer, f"/ledger/acts/{act}/undo")).status_code == 303
    assert class_of(town) == "production"
    assert f"第 {act} 次变更" in (await officer.get("/ledger/acts")).text
    async with browser(base) as county:
        await known(town, county, "xian", Role.COUNTY, "county 330822")
        for path in ("/ledger/acts", f"/ledger/acts/{act}"):
            assert (await county.get(path)).status_code == 404
        assert (await post(county, f"/ledger/acts/{act}/undo")).status_code == 403
        assert "/ledger/acts" not in (await county.get("/ledger")).text


async def test_frozen_months_that_acts_came_behind_are_listed(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, _ = made
    page = (await officer.get("/quality")).text
    assert 'id="acted"' in page and "qulink rates correct 2025-10 --reason ledger" in page
    found = town.database.read_now(acted, EVERYTHING, demonstration=True)
    told = [(one.since, one.machines, one.enterprises, one.months) for one in found]
    assert told == [
        (date(2025, 1, 1), 0, 2, ("2025-10",)),
        (date(2025, 10, 15), 1, 0, ("2025-10",)),
    ]
    own = town.database.read_now(acted, parse_scope("county 330881"), demonstration=True)
    assert [(one.machines, one.enterprises) for one in own] == [(0, 1)]
    assert town.database.read_now(acted, EVERYTHING, demonstration=False) == []


async def test_rosters_have_members_and_days_on_which_they_changed(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, base = made
    with town.database.engine.connect() as connection:
        whole = connection.scalars(select(enterprise.c.name).order_by(enterprise.c.uscc)).all()
    assert "KEY 重点工业企业" in (await officer.get("/ledger/rosters")).text
    address = "/ledger/rosters/PILOT"
    then = (await officer.get(f"{address}?day=2025-06-30")).text
    now = (await officer.get(address)).text
    assert whole[2] in then and whole[2] not in now and whole[0] in now
    assert "2025-07-01" in now, "the day on which somebody left"
    rows = (await officer.get(f"{address}?day=2025-06-30&format=json")).json()["rows"]
    assert [row["valid_to"] for row in rows if row["uscc"] == uscc_of(2)] == ["2025-07-01"]
    stays = (await officer.get(f"/ledger/enterprises/{uscc_of(2)}")).text
    assert "2025-01-01 – 2025-07-01" in stays
    assert (await officer.get("/ledger/rosters/NONE")).status_code == 404
    async with browser(base) as one:
        await known(town, one, "qy", Role.ENTERPRISE, f"enterprise {uscc_of(2)}")
        page = (await one.get(f"{address}?day=2025-06-30")).text
        assert whole[2] in page and whole[0] not in page


async def test_the_pages_keep_nobody_out(made: tuple[Town, httpx.AsyncClient, str]) -> None:
    _, officer, base = made
    paths = ("acts", "acts/2", "acts/2/undo", "acts/1/undo", "rosters", "rosters/PILOT")
    async with chromium() as page:
        for cookie in officer.cookies.jar:
            if cookie.name != "lang":
                value = str(cookie.value)
                await page.command("Network.setCookie", name=cookie.name, value=value, url=base)
        for language, colours, width in LOOKS:
            await page.viewport(width, 900, mobile=width < 640)
            await page.colours(colours)
            for path in (*(f"ledger/{one}" for one in paths), "quality"):
                await page.goto(f"{base}/{path}?lang={language}")
                assert await page.barriers() == [], path
                fits = "document.documentElement.scrollWidth <= innerWidth"
                assert await page.evaluate(fits), path
                if SHOTS:
                    name = f"{path.replace('/', '-')}-{language}.png"
                    await page.screenshot(Path(SHOTS) / name)
        assert page.problems == []
