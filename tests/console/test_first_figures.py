"""The very first figures take long in a large city; no page waits for them."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from gateway.city.console import remember
from gateway.city.console.pages import overview
from gateway.city.console.queries import figures, moment
from gateway.city.rates.reports.table import RateMonth
from gateway.web.waiting import RETRY_S
from tests.console.http import get
from tests.console.town import Town, uscc_of
from tests.support.chromium import chromium
from tests.support.waiting import until

PAGE = {"accept": "text/html"}


class Slow:
    """Computing stands still in the middle until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(remember, "WAIT_S", 0.5)
        self.gate = threading.Event()
        self.begun = 0
        self.fails = False
        self._compute = moment.rate_months

    def let_go(self) -> None:
        """Compute to the end; from here on pages wait for it, however busy the machine is."""
        self._monkeypatch.setattr(remember, "WAIT_S", 60.0)
        self.gate.set()

    def __call__(self, *what: Any, progress: Any, **how: Any) -> list[RateMonth]:
        self.begun += 1
        progress("ledger", 4_200, 138_000)
        self.gate.wait()
        if self.fails:
            raise ZeroDivisionError
        return self._compute(*what, progress=progress, **how)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, city: Town) -> Iterator[Slow]:
    made = Slow(monkeypatch)
    monkeypatch.setattr(moment, "rate_months", made)
    yield made
    made.gate.set()


async def _blocks(client: httpx.AsyncClient, address: str) -> AsyncIterator[dict[str, str]]:
    how = {"accept": "text/event-stream"}
    async with client.stream("GET", address, headers=how, timeout=60) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def test_the_first_page_says_how_far_it_is_and_fills_itself_in(
    address: str, slow: Slow
) -> None:
    page = (await get(f"{address}/?lang=en")).text
    assert "Step 1 of 2: reading the ledger, 4,200 of 138,000 machines" in page
    assert "Being computed for the first time, since " in page
    assert "4 of 6 gateways online" in page, "what needs no figure is there"
    assert "已读 4,200 / 138,000 台设备" in (await get(f"{address}/?lang=zh")).text
    async with httpx.AsyncClient() as client:
        stream = _blocks(client, f"{address}/?lang=en")
        assert "Step 1 of 2" in (await anext(stream))["headline"]
        slow.let_go()
        async for blocks in stream:
            if "headline-figure" in blocks.get("headline", ""):
                break
    assert slow.begun == 1


async def test_many_officers_cost_one_computation(address: str, slow: Slow) -> None:
    places = ("/", "/", "/enterprises", f"/enterprises/{uscc_of(0)}")
    await asyncio.gather(*(get(f"{address}{place}", headers=PAGE) for place in places))
    assert slow.begun == 1


async def test_a_page_of_figures_comes_back_by_itself(address: str, slow: Slow) -> None:
    answer = await get(f"{address}/industries?lang=en", headers=PAGE)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, str(RETRY_S))
    assert f'http-equiv="refresh" content="{RETRY_S}; url=?lang=en"' in answer.text
    assert "4,200 of 138,000 machines" in answer.text

    async def machines_are_shown() -> bool:
        page = await get(f"{address}/enterprises/{uscc_of(0)}?lang=en", headers=PAGE)
        return "A-001" in page.text and "being computed" in page.text

    await until(machines_are_shown)  # they need not wait for the figures
    trend = await get(f"{address}/charts/trend.json")
    assert (trend.status_code, trend.headers["retry-after"]) == (503, str(RETRY_S))
    slow.let_go()
    assert (await get(f"{address}/industries?format=json")).json()["rows"]
    assert (await get(f"{address}/industries", headers=PAGE)).status_code == 200


async def test_a_page_comes_back_where_its_address_names_a_place_in_it(
    address: str, slow: Slow
) -> None:
    """To such an address a browser goes without asking again."""
    async with chromium() as page:
        # Not goto(), which waits until a page has come back.
        await page.command("Page.navigate", url=f"{address}/industries?lang=en#cells")
        await page.until("document.body.innerText.includes('4,200 of 138,000 machines')")
        slow.let_go()
        await page.until("document.querySelector('table') !== null")


async def test_a_file_waits_and_then_says_when_to_come_again(
    address: str, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "FILE_WAIT_S", 0.05)
    early = await get(f"{address}/?format=csv&lang=en")
    assert (early.status_code, early.headers["retry-after"]) == (503, str(RETRY_S))
    assert f"Try again in {RETRY_S} s" in early.text
    monkeypatch.setattr(overview, "FILE_WAIT_S", 60)
    waiting = asyncio.ensure_future(get(f"{address}/?format=csv"))
    await asyncio.sleep(0)
    slow.let_go()
    assert (await waiting).status_code == 200


async def test_a_page_that_comes_back_says_once_that_computing_failed(
    address: str, slow: Slow
) -> None:
    slow.fails = True
    assert (await get(f"{address}/industries", headers=PAGE)).status_code == 503
    slow.let_go()
    answers = [await get(f"{address}/industries", headers=PAGE) for _ in range(2)]
    assert {one.status_code for one in answers} == {500}
    slow.fails = False
    assert (await get(f"{address}/industries", headers=PAGE)).status_code == 200


async def test_a_page_rests_on_one_reading(
    address: str, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum of one moment over parts of another would not add up."""
    slow.let_go()
    monkeypatch.setattr(remember, "WAIT_S", 60.0)
    monkeypatch.setattr(remember, "REST", 0)
    monkeypatch.setattr(figures, "MONTH_S", -1.0)
    assert (await get(f"{address}/enterprises?format=json")).json()["rows"]
    assert slow.begun == 1
