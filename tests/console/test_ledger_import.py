"""A ledger imported in the browser: sent, looked at, previewed, imported, or refused."""

import asyncio
import io
import os
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select, update

from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.principal import Role
from gateway.city.console.pages.ledger import importing
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.sheet.parsing import parse
from gateway.city.ledger.sheet.reading import read_sheets
from gateway.city.ledger.uploading import running
from gateway.city.ledger.uploading.kept import KEPT_MS, NoTableError, Uploads, file_name
from gateway.core.days import day_of
from tests.console.people import browser, known, peopled, post
from tests.console.town import NOW_MS, Town, uscc_of
from tests.support.chromium import Page, chromium
from tests.support.waiting import SOON_S

HEAD = ("统一社会信用代码", "资产编号", "设备名称", "设备类别", "状态", "投用日期")
GOOD = (uscc_of(0), "1#注塑机", "注塑机", "生产设备", "在用", "2024年5月1日")
FOLDER = "uploads"
LOOKS = (("zh", "light", 1280), ("en", "dark", 390))
SHOTS = os.environ.get("SHOTS")


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Town, httpx.AsyncClient, str]]:
    """A town, and the browser of an officer of the bureau."""
    async with peopled(tmp_path) as (town, base), browser(base) as officer:
        await known(town, officer, "wang.li", Role.BUREAU, "all")
        officer.cookies.set("lang", "zh")
        yield town, officer, base


def book(*rows: tuple[str, ...], merged: str = "") -> bytes:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.title = "设备"
    for row in (HEAD, *rows):
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


async def send(
    officer: httpx.AsyncClient, body: bytes, name: str = "台账.xlsx", **fields: str
) -> httpx.Response:
    data = {"csrf": officer.cookies["qulink_csrf"], **fields}
    return await officer.post("/ledger/import", data=data, files=[("files", (name, body))])


async def ended(officer: httpx.AsyncClient, address: str) -> httpx.Response:
    """The page of an upload once nothing is done to it any more."""
    async with asyncio.timeout(SOON_S):
        while True:
            page = await officer.get(address)
            if "<progress" not in page.text:
                return page
            await asyncio.sleep(0.05)


def agreed(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(digest|basis)" value="(\w+)"', page))


def machines(town: Town) -> int:
    with town.database.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(equipment)) or 0


async def test_who_comes_second_is_told_and_may_look_again(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, _ = made
    rows = "uscc,name,county,industry,above_scale\n" + f"{uscc_of(0)},新名称,330822,3451,是\n"
    sent = await send(officer, rows.encode("gbk"), "企业.csv")
    address = sent.headers["location"]
    page = (await ended(officer, address)).text
    with town.database.engine.begin() as connection:
        other = update(enterprise).where(enterprise.c.uscc == uscc_of(0))
        connection.execute(other.values(name="他人改的名称"))
    await post(officer, f"{address}/apply", **agreed(page))
    second = await ended(officer, address)
    assert second.status_code == 409 and "他人改动了" in second.text
    with town.database.engine.connect() as connection:
        query = select(enterprise.c.name).where(enterprise.c.uscc == uscc_of(0))
        assert connection.scalar(query) == "他人改的名称"
    assert (await post(officer, f"{address}/again")).status_code == 303
    assert "确认导入" in (await ended(officer, address)).text


async def test_each_wrong_cell_is_named_in_a_table_and_in_the_file(
    made: tuple[Town, httpx.AsyncClient, str], tmp_path: Path
) -> None:
    town, officer, base = made
    before = machines(town)
    bad = (uscc_of(0), "2#", "磨床", "生产设备", "在使用中吗", "2024-13-01")
    stranger = (uscc_of(0), "3#", "磨床", "生产设备", "在用", "2024-05-01")
    merged = (uscc_of(0), "4#", "", "生产设备", "在用", "2024-05-01")
    body = book(GOOD, bad, stranger, merged, merged="C4:C5")
    address = (await send(officer, body)).headers["location"]
    page = (await ended(officer, address)).text
    assert "台账没有任何改动" in page and machines(town) == before
    assert "确认导入" not in page and "台账.xlsx[设备]" in page
    assert (await post(officer, f"{address}/apply", digest="0", basis="0")).status_code == 409
    folder = town.context.config.data_dir / FOLDER
    folders = (folder, *folder.iterdir())
    assert {stat.S_IMODE(one.stat().st_mode) for one in folders} == {0o700}
    async with browser(base) as other:
        await known(town, other, "li.wei", Role.BUREAU, "all")
        for path in (address, f"{address}/marked", f"{address}?format=csv"):
            assert (await other.get(path)).status_code == 404, "nobody else sees it"
    listed = (await officer.get(f"{address}?format=csv&lang=zh")).text
    assert "不是日历上的日期" in listed and "单元格 C4:C5 已合并" in listed
    answer = await officer.get(f"{address}/marked")
    sheet = load_workbook(io.BytesIO(answer.content))["设备"]
    marked = {
        cell.coordinate for row in sheet.iter_rows() for cell in row
        if cell.fill.fgColor.rgb == "00FFC7CE" and getattr(cell, "comment", None)
    }  # fmt: skip
    assert marked == {"E3", "F3", "C4"}
    assert "未知的状态" in sheet["E3"].comment.text
    assert sheet["A2"].value == GOOD[0] and "C4:C5" in map(str, sheet.merged_cells.ranges)


KILLED = """
import os, signal
from gateway.city.ledger import importer
from gateway.city.ledger.uploading.work import main
importer.conclude = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
main()
"""
"""The process of an import, which is killed when all is written and nothing counts yet."""


async def test_an_import_whose_process_is_killed_has_changed_nothing(
    made: tuple[Town, httpx.AsyncClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, officer, _ = made
    before = machines(town)
    address = (await send(officer, book(GOOD))).headers["location"]
    page = (await ended(officer, address)).text
    with monkeypatch.context() as patched:
        patched.setattr(running, "COMMAND", (sys.executable, "-c", KILLED))
        await post(officer, f"{address}/apply", **agreed(page))
        assert "导入中断" in (await ended(officer, address)).text
    assert machines(town) == before
    await post(officer, f"{address}/again")
    page = (await ended(officer, address)).text
    await post(officer, f"{address}/apply", **agreed(page))
    assert "已导入" in (await ended(officer, address)).text
    assert machines(town) == before + 1


async def test_what_cannot_be_taken_is_said_at_once(
    made: tuple[Town, httpx.AsyncClient, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, officer, base = made
    assert "请选择文件" in (await send(officer, b"", "")).text
    assert "只能导入" in (await send(officer, b"x", "台账.pdf")).text
    assert "须为今天" in (await send(officer, b"x", effective="2999-01-01")).text
    monkeypatch.setattr(importing, "MOST_BYTES", 100_000)
    large = await send(officer, b"x" * 390_000)
    assert large.status_code == 413 and "文件过大" in large.text
    elsewhere = await officer.post("/ledger/import/0/apply", data={"csrf": "x" * 20_000})
    assert elsewhere.status_code == 413
    foreign = await officer.post(
        "/ledger/import", data={"csrf": "x"}, files={"files": ("a.csv", b"x")}
    )
    assert foreign.status_code == 403
    async with browser(base) as county:
        await known(town, county, "xian", Role.COUNTY, "county 330822")
        assert (await send(county, book(GOOD))).status_code == 403
    assert not (town.context.config.data_dir / FOLDER).exists()


async def test_templates_are_what_an_import_reads(
    made: tuple[Town, httpx.AsyncClient, str], tmp_path: Path
) -> None:
    _, officer, _ = made
    for name, sheets in (("ledger.xlsx", 3), ("enterprises.csv", 1), ("equipment.csv", 1)):
        answer = await officer.get(f"/ledger/import/template/{name}?lang=zh")
        (tmp_path / name).write_bytes(answer.content)
        found = read_sheets(tmp_path / name)
        assert len(found) == sheets
        assert parse(found, day_of(NOW_MS)).problems == []
    notes = load_workbook(tmp_path / "ledger.xlsx")["说明"]
    assert "1#注塑机" in {cell.value for cell in notes["F"]}


def test_uploads_that_nobody_decides_on_go(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    key = uploads.begin("wang.li")
    made_ms = int((tmp_path / FOLDER / key).stat().st_mtime * 1000)
    assert uploads.sweep(made_ms + KEPT_MS - 1) == 0
    assert uploads.sweep(made_ms + KEPT_MS) == 1
    assert list(uploads.keys()) == []
    assert uploads.read("../" * 8) is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("C:\\台账\\设备.xlsx", "设备.xlsx"),
        ("../../city.db.csv", "city.db.csv"),
        (".csv", "_.csv"),
        ("a\n\0b.XLSX", "a__b.XLSX"),
        ("长" * 300 + ".csv", "长" * 66 + ".csv"),
    ],
)
def test_a_file_is_called_as_its_sender_called_it_without_a_way_out(given: str, name: str) -> None:
    assert file_name(given) == name


def test_no_other_kind_of_file_is_kept() -> None:
    for given in ("", "..", "city.db", "a.csv/"):
        with pytest.raises(NoTableError):
            file_name(given)


async def test_an_officer_imports_with_a_browser(
    made: tuple[Town, httpx.AsyncClient, str], tmp_path: Path
) -> None:
    town, officer, base = made
    before = machines(town)
    good, bad = tmp_path / "台账.xlsx", tmp_path / "有错的台账.xlsx"
    good.write_bytes(book(GOOD))
    bad.write_bytes(book((uscc_of(0), "2#", "", "注塑", "在用", "2024-13-01")))
    async with chromium() as page:
        for cookie in officer.cookies.jar:
            await page.command(
                "Network.setCookie", name=cookie.name, value=str(cookie.value), url=base
            )
        await _looks_right(page, "form", f"{base}/ledger/import")
        await _choose(page, f"{base}/ledger/import?lang=zh", bad)
        await page.until("document.body.textContent.includes('哪里不对')")
        await _looks_right(page, "wrong", await page.evaluate("location.href"))
        await _choose(page, f"{base}/ledger/import?lang=en", good)
        await page.until("document.body.textContent.includes('Import this')")
        await _looks_right(page, "preview", await page.evaluate("location.href"))
        await page.click("form[action$=apply] button")
        await page.until("document.body.textContent.includes('Imported.')")
        assert page.problems == []
    assert machines(town) == before + 1
    kept = town.context.config.data_dir / FOLDER
    assert not list(kept.glob("*/files")), "what is imported is not kept"
    (last,) = town.database.read_now(entries, EntryFilter(Action.LEDGER_IMPORT))
    assert last.who.split()[0] == "wang.li" and last.subject == "台账.xlsx"


async def _looks_right(page: Page, name: str, path: str) -> None:
    for language, colours, width in LOOKS:
        await page.viewport(width, 900, mobile=width < 640)
        await page.colours(colours)
        await page.goto(f"{path}?lang={language}")
        assert await page.barriers() == [], path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if SHOTS:
            await page.screenshot(Path(SHOTS) / f"{name}-{language}-{width}.png")


async def _choose(page: Page, address: str, file: Path) -> None:
    await page.goto(address)
    document = await page.command("DOM.getDocument")
    node = await page.command(
        "DOM.querySelector", nodeId=document["root"]["nodeId"], selector="input[type=file]"
    )
    await page.command("DOM.setFileInputFiles", nodeId=node["nodeId"], files=[str(file)])
    await page.click("form[enctype] button")
