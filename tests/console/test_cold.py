"""Pages of a city that has just started: what is not there yet is not waited for, and said."""

import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.city.console import process, remember
from gateway.city.console.app import build
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages import published, records
from gateway.city.console.process import first_wait_of, make_ahead
from gateway.city.console.remember import HASTY_S
from gateway.city.console.search import queries
from gateway.web.i18n import text
from gateway.web.waiting import GivenUpError
from tests.console.conftest import served
from tests.console.http import get
from tests.console.test_published import final
from tests.console.town import Town
from tests.support.waiting import until

PAGE = {"accept": "text/html"}
SILENT, QUARANTINE = text("en", "quality.silent"), text("en", "quality.quarantine")
REFRESH = 'http-equiv="refresh"'


class Held:
    """Stands before a function of a connection that takes long, until it is let go."""

    def __init__(self, function: Any) -> None:
        self._function, self.gate = function, threading.Event()

    def __call__(self, connection: Connection, *what: Any, **how: Any) -> Any:
        self.gate.wait()
        return self._function(connection, *what, **how)


@pytest.fixture
def context(city: Town) -> ConsoleContext:
    """Of a city that is large enough that nothing is waited for."""
    return replace(city.context, ahead=[], first_wait_s=0.0)


@pytest.fixture
async def base(context: ConsoleContext) -> AsyncIterator[str]:
    async with served(build(context)) as address:
        yield address


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """The names of machines are read while it is held."""
    held = Held(queries.known)
    monkeypatch.setattr(queries, "known", held)
    yield held
    held.gate.set()


async def test_all_but_machines_is_found_while_their_names_are_read(names: Held, base: str) -> None:
    for language, said in (("en", "are being read"), ("zh", "正在读取设备的名称和编号")):
        answer = await get(f"{base}/search?q=A-001&lang={language}", headers=PAGE)
        assert (answer.status_code, REFRESH in answer.text) == (200, True)
        assert said in answer.text
        assert "search.nothing" not in answer.text and "没有找到" not in answer.text
    firm = (await get(f"{base}/search?q=纸业", headers=PAGE)).text
    assert "/enterprises/9133" in firm
    assert REFRESH in firm, "machines of that name may be there, too"
    names.gate.set()

    async def is_whole() -> bool:
        return REFRESH not in (await get(f"{base}/search?q=A-001", headers=PAGE)).text

    await until(is_whole)
    assert "A-001" in (await get(f"{base}/search?q=A-001", headers=PAGE)).text


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """What is public is worked out while it is held."""
    held = Held(published.publication)
    monkeypatch.setattr(published, "publication", held)
    yield held
    held.gate.set()


async def _is_there(base: str, words: str) -> bool:
    answer = await get(f"{base}/published?lang=en", headers=PAGE)
    return answer.status_code == 200 and words in answer.text


async def test_what_is_published_is_there_at_once_after_a_second_start(
    city: Town, work: Held, context: ConsoleContext, base: str
) -> None:
    city.database.run_now(final)
    assert (await get(f"{base}/published", headers=PAGE)).status_code == 503
    work.gate.set()
    await until(partial(_is_there, base, "2025-09"))
    work.gate.clear()
    async with served(build(replace(context, ahead=[], first_wait_s=60.0))) as second:
        assert await _is_there(second, ">withheld<")
    city.database.run_now(partial(final, vintage=2))
    async with served(build(replace(context, ahead=[]))) as third:
        answer = await get(f"{third}/published", headers=PAGE)
        assert answer.status_code == 503, "another result is stored than the file knows"


async def test_a_result_that_is_worked_in_hides_nothing_that_was_there(
    city: Town, work: Held, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "_LOOK_S", -1.0)
    monkeypatch.setattr(remember, "REST", 0)
    city.database.run_now(final)
    work.gate.set()
    await until(partial(_is_there, base, "2025-09"))
    work.gate.clear()
    city.database.run_now(partial(final, month="2025-10"))
    assert await _is_there(base, "2025-09") and not await _is_there(base, "2025-10")
    work.gate.set()
    await until(partial(_is_there, base, "2025-10"))


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """What weakens the figures is counted while it is held."""
    held = Held(records.findings)
    monkeypatch.setattr(records, "findings", held)
    yield held
    held.gate.set()


async def test_quality_shows_what_it_knows_while_the_rest_is_counted(
    counts: Held, base: str
) -> None:
    answer = await get(f"{base}/quality?lang=en", headers=PAGE)
    assert answer.status_code == 200
    assert "What this page shows is being counted." in answer.text
    assert SILENT in answer.text and QUARANTINE not in answer.text
    counts.gate.set()

    async def is_counted() -> bool:
        shown = (await get(f"{base}/quality?lang=en", headers=PAGE)).text
        return 'class="making"' not in shown and SILENT in shown and QUARANTINE in shown

    await until(is_counted)


class Refusing:
    """Computes nothing any more: each process died over it."""

    deaths = 4

    def given_up(self) -> list[str]:
        return ["findings"]

    async def read(self, *_what: object, **_how: object) -> Any:
        raise GivenUpError(self.deaths)

    compute = read


async def test_what_was_given_up_is_said_on_pages_to_watchdogs_and_in_metrics(
    context: ConsoleContext,
) -> None:
    cold = replace(context, apart=Refusing(), first_wait_s=60.0)
    async with served(build(cold)) as base:
        for path, status in {
            "/": 200,
            "/quality": 200,
            "/industries": 503,
            "/published": 503,
        }.items():
            answer = await get(f"{base}{path}?lang=en", headers=PAGE)
            assert (answer.status_code, "was tried 4 times" in answer.text) == (status, True), path
            assert "being computed for the first time" not in answer.text.lower(), path
        assert "已尝试计算 4 次" in (await get(f"{base}/industries?lang=zh", headers=PAGE)).text
        answer = await get(f"{base}/search?q=纸业&lang=en", headers=PAGE)
        assert "could not be read several times" in answer.text
        assert "/enterprises/9133" in answer.text
        answer = await get(f"{base}/industries?format=csv&lang=en")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "300")
        assert "was tried 4 times" in answer.text
        answer = await get(f"{base}/api/v1/figures?by=county")
        assert (answer.status_code, answer.json()["code"]) == (503, "given_up")
        answer = await get(f"{base}/healthz")
        assert "given up for an hour after 4 tries: findings" in answer.json()["parts"]["figures"]
        metrics = (await get(f"{base}/metrics")).text
        assert "qulink_console_works_given_up 1.0" in metrics
        assert "qulink_console_computing_deaths 4.0" in metrics
        await make_ahead(cold)


async def test_only_a_large_city_is_not_waited_for(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await city.database.read(first_wait_of) is None
    monkeypatch.setattr(process, "_LARGE", 138)
    assert await city.database.read(first_wait_of) == HASTY_S
