"""The audit log as a page: what is found, how it is paged, what its file says, who may see it."""

import csv
import io
from itertools import product
from pathlib import Path

import pytest

from gateway.city.access.audit import Action, EntryFilter, Place, log_page, note
from gateway.city.console.pages.audit import PAGE_ROWS
from gateway.core.days import DAY_MS, day_of, day_start_ms
from tests.console.conftest import guarded
from tests.console.http import get
from tests.console.town import NOW_MS, Town
from tests.support.chromium import chromium

HIDDEN = """[...document.querySelectorAll('.table-wrap')]
    .filter(table => table.scrollWidth > table.clientWidth).map(table => table.innerText)"""
TODAY_MS = day_start_ms(day_of(NOW_MS))


def write(city: Town, *entries: tuple[int, str, Action, str, str]) -> None:
    for entry in entries:
        city.database.run_now(note, *entry)


@pytest.fixture
def written(city: Town) -> Town:
    """A city in which something was done on three days."""
    write(
        city,
        (TODAY_MS - DAY_MS - 1, "root (alice)", Action.ENROLLED, "gw-1", "91330800MA0000000X 1"),
        (TODAY_MS - DAY_MS, "root (bob)", Action.ENROLLED, "gw-10", "91330800MA0000001X 1"),
        (TODAY_MS - 1, "10.0.0.7", Action.LOGIN, "", ""),
        (TODAY_MS, "bureau", Action.CORRECTED, "ENR-A 2025-10 vintage 2", "李工: 台账, 见附件"),
        (TODAY_MS, "root (alice)", Action.REVOKED, "gw-1", ""),
    )
    return city


async def found(address: str, query: str) -> list[tuple[str, str]]:
    answer = await get(f"{address}/audit?format=json&{query}")
    assert answer.status_code == 200
    return [(row["action"], row["subject"]) for row in answer.json()["rows"]]


ENTRIES = [
    ("revoked", "gw-1"),
    ("corrected", "ENR-A 2025-10 vintage 2"),
    ("login", ""),
    ("enrolled", "gw-10"),
    ("enrolled", "gw-1"),
]


ASKED = [
    ("", [0, 1, 2, 3, 4]),
    ("kind=enrolled", [3, 4]),
    ("who=alice", [0, 4]),
    ("who=ROOT", [0, 3, 4]),
    ("who=10.0", [2]),
    ("who=%25", []),
    ("subject=gw-1", [0, 4]),  # and not gw-10
    ("subject=ENR-A", [1]),
    ("subject=ENR-A+2025-10", [1]),
    ("subject=_", []),
    (f"from={day_of(TODAY_MS)}", [0, 1]),
    (f"to={day_of(TODAY_MS - 1)}", [2, 3, 4]),
    (f"from={day_of(TODAY_MS - 1)}&to={day_of(TODAY_MS - 1)}", [2, 3]),
    ("kind=enrolled&who=alice&subject=gw-1", [4]),
    (f"from={day_of(TODAY_MS)}&to={day_of(TODAY_MS - 1)}", []),
]
"""What is asked, and where its entries stand in the whole."""


async def test_what_is_asked_for_is_found(written: Town, address: str) -> None:
    for query, places in ASKED:
        assert await found(address, query) == [ENTRIES[at] for at in places], query


@pytest.mark.parametrize(
    "query",
    [
        "kind=logins",
        "from=2025-13-01",
        "to=gestern",
        "to=9999-12-31",
        "from=0001-01-01",
        "before=1",
        "before=1-2-3",
        "before=-1-2",
        "after=1-99999999999999999999",
        "after=1-²",
    ],
)
async def test_what_cannot_be_meant_is_refused(address: str, query: str) -> None:
    """A page that showed everything instead would be taken for the answer."""
    assert (await get(f"{address}/audit?{query}")).status_code == 400


async def test_pages_stand_still_while_entries_are_added(city: Town, address: str) -> None:
    """Also among entries of one millisecond: nothing is shown twice or passed over."""
    count = 2 * PAGE_ROWS + 3
    write(city, *((1_000, "root", Action.LOGIN, f"n-{at}", "") for at in range(count)))
    async with chromium() as page:
        await page.goto(f"{address}/audit?lang=en&kind=login")
        seen = [await subjects(page)]
        write(city, *((1_000, "root", Action.LOGIN, f"later-{at}", "") for at in range(7)))
        for _ in range(2):
            first = seen[-1][0]
            await page.click("a[rel=next]")
            await page.until(f"{FIRST_SUBJECT} !== '{first}'")
            seen.append(await subjects(page))
        assert [one for part in seen for one in part] == [f"n-{at}" for at in range(count)[::-1]]
        assert await page.evaluate("document.querySelector('a[rel=next]') === null")
        await page.click("a[rel=prev]")
        await page.until(f"{FIRST_SUBJECT} !== '{seen[-1][0]}'")
        assert await subjects(page) == seen[1]
        assert "kind=login" in await page.evaluate("location.search")
        assert page.problems == []


FIRST_SUBJECT = "document.querySelector('tbody td:nth-child(4)').textContent"


async def subjects(page: object) -> list[str]:
    cells = "[...document.querySelectorAll('tbody td:nth-child(4)')].map(one => one.textContent)"
    listed: list[str] = await page.evaluate(cells)  # type: ignore[attr-defined]
    return listed


def test_a_page_knows_what_is_on_either_side(city: Town) -> None:
    write(city, *((at, "root", Action.LOGIN, "", "") for at in range(1, 6)))

    def look(**sides: Place) -> tuple[list[int], bool, bool]:
        page = city.database.run_now(log_page, EntryFilter(), 2, **sides)
        return [one.at_ms for one in page.entries], page.has_newer, page.has_older

    assert look() == ([5, 4], False, True)
    assert look(before=Place(4, 4)) == ([3, 2], True, True)
    assert look(before=Place(2, 2)) == ([1], True, False)
    assert look(after=Place(1, 1)) == ([3, 2], True, True)
    assert look(after=Place(3, 3)) == ([5, 4], False, True)


async def test_its_file_is_whole_says_so_and_runs_nothing(
    written: Town, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(written, (TODAY_MS + 1, "=cmd|'/c calc'!A0", Action.RENEWED, "000123", "＝1+1"))
    answer = await get(f"{address}/audit?format=csv&before=1-1")  # a file is not a page of it
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == len(ENTRIES) + 1
    newest = rows[0]
    assert (newest["who"], newest["detail"]) == ("'=cmd|'/c calc'!A0", "'＝1+1")
    assert newest["subject"] == '="000123"'
    assert (newest["action_zh"], newest["action_en"]) == ("登记续期", "enrolment renewed")
    assert newest["complete"] == "True"
    monkeypatch.setattr("gateway.city.console.pages.audit.FILE_ROWS", 2)
    body = (await get(f"{address}/audit?format=json")).json()
    assert (len(body["rows"]), body["complete"]) == (2, False)


async def test_only_who_has_the_token_reads_it(tmp_path: Path) -> None:
    async with guarded(tmp_path, "a-token-of-some-length") as base:
        for path in ("/audit", "/audit?format=csv"):
            assert (await get(f"{base}{path}")).status_code == 401
        bearer = {"authorization": "Bearer a-token-of-some-length"}
        assert (await get(f"{base}/audit", headers=bearer)).status_code == 200


async def test_what_was_written_breaks_no_page(city: Town, address: str) -> None:
    write(city, (NOW_MS, "<script>alert(1)</script>", Action.LOGIN, '"><img>', "&amp;"))
    city.database.run_now(note, NOW_MS, "root", type("Later", (), {"value": "of-a-newer-city"}))
    page = (await get(f"{address}/audit?lang=en")).text
    assert "of-a-newer-city" in page
    assert "<script>alert" not in page
    assert '"><img>' not in page
    assert "&amp;amp;" in page


async def test_the_way_there(written: Town, address: str) -> None:
    """From the foot of every page, and from where a gateway is named."""
    write(written, (NOW_MS, "root", Action.ENROLLED, "gw-0", ""))
    async with chromium() as page:
        await page.goto(f"{address}/definitions?lang=en")
        await page.click(".foot a[href='/audit']")
        await page.until("document.querySelector('h1').textContent === 'Audit log'")
        assert await page.evaluate("document.querySelector('.nav [aria-current]') === null")
        machine = "/enterprises/" + "/".join(written.machine)
        for start in ("/books", "/quality", machine):
            await page.goto(f"{address}{start}?lang=en")
            await page.click("main a[href^='/audit?subject=gw-']")
            await page.until("location.pathname === '/audit'")
            await page.until("document.querySelector('[name=subject]')?.value.length > 3")
        assert await page.evaluate(FIRST_SUBJECT) == "gw-0"
        assert page.problems == []


async def test_it_fits_phones_and_tablets(written: Town, address: str) -> None:
    long = "ENR-COUNTY-KEY-EQUIPMENT 2025-10 vintage 12"
    write(written, (NOW_MS, "administrator (somebody.else)", Action.CORRECTED, long, "因" * 120))
    write(written, (NOW_MS, "2001:db8:1234:5678::/64", Action.GUESSES, "", ""))
    async with chromium() as page:
        for width, language in product((390, 768, 1280), ("zh", "en")):
            look = (width, language)
            await page.viewport(width, 900, mobile=width < 640)
            await page.goto(f"{address}/audit?lang={language}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, look
            assert await page.evaluate(HIDDEN) == [], look
            text = await page.evaluate("document.querySelector('table').innerText")
            assert all(words in text for words in (long, "2025-11-2", "因" * 120)), look
            assert await page.barriers() == [], look
