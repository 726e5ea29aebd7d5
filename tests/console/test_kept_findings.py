"""The list of findings: filtered, explained on the page, told on other pages, and as files."""

import os
import re
from pathlib import Path

import pytest

from gateway.city.access.principal import Role
from gateway.city.rates.findings.kept.keeping import Looked, keep
from gateway.city.rates.findings.model import Finding, Kind
from tests.console.http import get
from tests.console.people import browser, invited, known, peopled, post
from tests.console.town import NOW_MS, Town, uscc_of
from tests.console.walking import log_in, press
from tests.support.chromium import chromium

SHOTS = os.environ.get("SHOTS")

PAIR = Finding(Kind.SAME_TIMES, uscc_of(0), ("1/A-001", "1/A-002"), {"days": 12, "all": 12})
HEAPED = Finding(Kind.HEAPED, "330822", (), {"count": 30, "all": 30}, "ledger")


def found(city: Town) -> None:
    for uscc, one in ((uscc_of(0), PAIR), ("", HEAPED)):
        looked = Looked("2025-11", synthetic=True, rules=2, at_ms=NOW_MS, uscc=uscc)
        city.database.run_now(keep, looked, [one])


async def test_findings_are_listed_and_told(city: Town, address: str) -> None:
    assert "没有符合条件的线索" in (await get(f"{address}/findings?lang=zh")).text
    found(city)
    page = (await get(f"{address}/findings?lang=zh")).text
    for words in (
        "线索 2 条",
        "两台设备起止时刻完全相同",
        "常山县",
        "台账台数",
        "/1/A-001?month=2025-11#evidence",
    ):
        assert words in page, words
    english = (await get(f"{address}/findings?lang=en&kind=heaped")).text
    assert "Findings: 1" in english
    rows = (await get(f"{address}/findings?format=json&state=all")).json()["rows"]
    assert {(row["kind"], row["state"]) for row in rows} == {
        ("same_times", "open"),
        ("heaped", "open"),
    }
    assert "待核实线索 2 条" in (await get(f"{address}/?lang=zh")).text
    assert "待核实线索" in (await get(f"{address}/quality?lang=zh")).text
    said = (await get(f"{address}/api/v1/findings?state=open&limit=1")).json()
    assert (len(said["data"]), said["next"] is not None) == (1, True)
    assert (await get(f"{address}/findings/99")).status_code == 404


async def test_a_finding_is_explained_on_its_page(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), browser(base) as officer:
        found(made)
        await known(made, officer, "li.wei", Role.COUNTY, "county 330822")
        page = await officer.get("/findings/1?lang=zh")
        assert "到场看两台设备是否都存在" in page.text
        basis = re.search(r'name="basis" value="([\d.]+)"', page.text)
        assert basis is not None
        said = {
            "basis": basis[1],
            "act": "explain",
            "reason": "同一总开关",
            "document": "记录 7 号",
        }
        lacking = await post(officer, "/findings/1/explain", **said | {"document": " "})
        assert (lacking.status_code, "请填写依据的文书或记录" in lacking.text) == (400, True)
        assert "同一总开关" in lacking.text  # what was written is not lost
        assert (await post(officer, "/findings/1/explain", **said)).status_code == 303
        again = await post(officer, "/findings/1/explain", **said | {"reason": "别的"})
        assert (again.status_code, "他人已作说明" in again.text) == (409, True)
        assert "li.wei" in again.text and "别的" not in (await officer.get("/findings/1")).text
        (row,) = (await officer.get("/findings?state=explained&format=json")).json()["rows"]
        assert (row["said_by"], row["document"]) == ("li.wei", "记录 7 号")
        foreign = await officer.post("/findings/1/explain", data=said)
        assert foreign.status_code == 403
        async with browser(base) as other:
            await known(made, other, "xu", Role.COUNTY, "county 330881")
            assert (await other.get("/findings/1")).status_code == 404
            assert (await post(other, "/findings/1/explain", **said)).status_code == 404
            assert "待核实线索" not in (await other.get("/")).text
        async with browser(base) as auditor:
            await known(made, auditor, "shen", Role.AUDITOR, "all")
            assert "重新列为待核实</button>" not in (await auditor.get("/findings/1?lang=zh")).text
            assert (await post(auditor, "/findings/1/explain", **said)).status_code == 403


async def test_pages_of_findings_in_a_browser(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), chromium() as page:
        found(made)
        await log_in(page, base, invited(made, "li.wei", Role.BUREAU, "all"), "li.wei")
        for language, scheme, width in (("zh", "light", 1280), ("en", "dark", 390)):
            await page.viewport(width, 800, mobile=width < 640)
            await page.colours(scheme)
            for name, path in (("list", "/findings?state=all"), ("one", "/findings/1?x=1")):
                await page.goto(f"{base}{path}&lang={language}")
                assert await page.barriers() == [], path
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
                    path
                )
                if SHOTS:
                    await page.screenshot(Path(SHOTS) / f"findings-{name}-{language}.png")
        for name, value in (("reason", "one main switch"), ("document", "record 7")):
            await page.evaluate(f"document.querySelector('main [name={name}]').value = {value!r}")
        await press(page, "form[action$=explain]", "document.body.innerText.includes('record 7')")
        assert page.problems == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_states_and_words_are_whole(city: Town, address: str, language: str) -> None:
    found(city)
    for path in ("/findings?state=all", "/findings/1", "/findings/2", "/findings?state=gone"):
        page = await get(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
        assert page.status_code == 200
        assert "kept." not in page.text
        assert "clue." not in page.text
