"""What the console tells of codes that are not the city's own."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_config.models.base import ClientTls, Secret
from edge_config.models.identifiers.registries import SnmsNode
from edge_config.models.identifiers.resolver import (
    HandleJsonServer,
    NativeServers,
    ResolverConfig,
    SourceConfig,
)
from gateway.city.access.principal import Principal, Role, Scope, ScopeKind
from gateway.city.console.app import build
from gateway.city.console.pages.codes import MOST_AT_ONCE, RETRY_S
from gateway.city.identifiers.resolving import opened_resolver
from gateway.identifier.irp.bodies import Held, write_held
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.values import Value
from tests.console import http
from tests.console.conftest import served
from tests.console.english import english_on
from tests.console.town import Town
from tests.identifier.irp.servers import answering, nothing, sending
from tests.identifier.irp.test_walk import replies
from tests.identifier.resolving.servers import web
from tests.support.certificates import Authority
from tests.support.chromium import chromium
from tests.support.peers import free_port
from tests.support.waiting import SOON_S

OWN = "88.999.00000001/PM.20251123.000001"
FOREIGN = "88.100.1/EQ001"
HOSTILE = "<script>alert(1)</script>"
KNOWS = replies(
    lambda asked: (Rc.OK, write_held(Held(asked.handle, (Value(1, "NAME", "数控车床".encode()),))))
)
LACKS = replies(lambda _: (Rc.HANDLE_NOT_FOUND, b""))


TOKEN = "a-token-of-some-length"
SIGNED_IN = {"authorization": f"Bearer {TOKEN}"}


def get(url: str, **options: Any) -> Awaitable[httpx.Response]:
    """One GET of who is signed in."""
    return http.get(url, headers=SIGNED_IN, **options)


@asynccontextmanager
async def resolving(
    city: Town, *sources: SourceConfig, total_ms: int = 60_000, has_token: bool = True
) -> AsyncIterator[str]:
    """The town's console with these sources; gives its address."""
    path = city.context.config.data_dir / "resolved.db"
    token = city.context.config.data_dir / "token"
    await asyncio.to_thread(token.write_text, TOKEN)
    console = replace(city.context.config.console, token=Secret(file=token) if has_token else None)
    settings = ResolverConfig(sources=sources, timeout_ms=60_000, total_ms=total_ms, path=path)
    config = replace(city.context.config, resolver=settings, console=console)
    async with AsyncExitStack() as opened:
        resolver = await opened.enter_async_context(opened_resolver(config, city.database))
        app = build(replace(city.context, config=config, resolver=resolver))
        yield await opened.enter_async_context(served(app))


def native(port: int) -> NativeServers:
    return NativeServers(type="native", servers=(f"127.0.0.1:{port}",))


def by_json(url: str) -> HandleJsonServer:
    return HandleJsonServer(type="handle-json", url=url)


def knowing(request: Request) -> Response:
    handle = request.url.path.removeprefix("/api/handles/")
    value = {"index": 7, "type": "NOTE", "data": HOSTILE, "ttl": 0}
    return JSONResponse({"responseCode": 1, "handle": handle, "values": [value]})


async def test_a_foreign_code_is_told_with_who_said_so(city: Town) -> None:
    async with (
        answering(LACKS) as lacking,
        web(knowing) as url,
        resolving(city, native(lacking), by_json(url)) as address,
    ):
        answer = await get(f"{address}/id/{quote(FOREIGN, safe='')}?lang=en")
    assert answer.status_code == 200
    for words in ("Who said so", f"handle-json {url}", "NOTE", f"127.0.0.1:{lacking} tcp"):
        assert words in answer.text
    assert HOSTILE not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "No machine of this city" not in answer.text


async def test_our_own_are_not_asked_for_elsewhere(city: Town) -> None:
    asked: list[str] = []

    def told(request: Request) -> Response:
        asked.append(request.url.path)
        return knowing(request)

    async with web(told) as url, resolving(city, by_json(url)) as address:
        own = await get(f"{address}/id?code={OWN}")
        wrong = await get(f"{address}/id?code=6901234567893")
    assert (own.status_code, wrong.status_code, asked) == (303, 404, [])
    assert "校验位错误" in wrong.text


async def test_what_was_found_before_is_marked_when_nobody_can_be_asked(city: Town) -> None:
    async with web(knowing) as url, resolving(city, by_json(url)) as address:
        assert (await get(f"{address}/id?code={FOREIGN}")).status_code == 200
    async with resolving(city, by_json(url)) as address:
        for language, words in (("zh", "可能已过时"), ("en", "may be out of date")):
            answer = await get(f"{address}/id?code={FOREIGN}&lang={language}")
            assert answer.status_code == 200
            assert words in answer.text
            assert "NOTE" in answer.text


async def test_nobody_knows_it(city: Town) -> None:
    async with answering(LACKS) as port, resolving(city, native(port)) as address:
        for language, words in (("zh", "解析服务中没有"), ("en", "Nobody who was asked knows")):
            answer = await get(f"{address}/id?code={FOREIGN}&lang={language}")
            assert answer.status_code == 404
            assert words in answer.text


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "0.2 秒的总时限已到"), ("en", "0.2 s are over")]
)
async def test_silence_has_its_time(city: Town, language: str, words: str) -> None:
    async with (
        sending(nothing) as silent,
        resolving(city, native(silent), total_ms=200) as address,
    ):
        answer = await get(f"{address}/id?code={FOREIGN}&lang={language}")
    assert answer.status_code == 502
    assert words in answer.text
    assert language == "en" or english_on(answer.text) == []


async def test_a_crowd_here_is_no_flood_there(city: Town) -> None:
    opened = asyncio.Event()
    under_way, most = 0, 0

    async def slow(request: Request) -> Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await opened.wait()
        under_way -= 1
        return knowing(request)

    async with web(slow) as url, resolving(city, by_json(url)) as address:
        paths = [f"{address}/id?code=88.100.1/{n}&lang=en" for n in range(MOST_AT_ONCE + 1)]
        waiting = {asyncio.create_task(get(path)) for path in paths}
        first = asyncio.FIRST_COMPLETED
        done, waiting = await asyncio.wait(waiting, timeout=SOON_S, return_when=first)
        opened.set()
        refused = done.pop().result()
        assert [one.status_code for one in await asyncio.gather(*waiting)] == [200] * MOST_AT_ONCE
        again = await get(str(refused.url))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, str(RETRY_S))
    assert "Too many are asking" in refused.text
    assert again.status_code == 200
    assert most <= MOST_AT_ONCE


async def test_a_file_that_cannot_be_used_keeps_nobody_out(
    city: Town, caplog: pytest.LogCaptureFixture
) -> None:
    (city.context.config.data_dir / "resolved.db").mkdir()
    async with answering(KNOWS) as port, resolving(city, native(port)) as address:
        answer = await get(f"{address}/id?code={FOREIGN}")
    assert "数控车床" in answer.text
    assert "it may be deleted" in caplog.text


@pytest.mark.parametrize("role", [Role.COUNTY, Role.AUDITOR])
async def test_whose_rows_are_some_is_told_of_no_other_machine(
    city: Town, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    officer = Principal("officer", role, Scope(ScopeKind.COUNTIES, frozenset({"330881"})))
    monkeypatch.setattr("gateway.city.console.app.administrator", lambda _: officer)
    async with web(knowing) as url, resolving(city, by_json(url)) as address:
        codes = (OWN, f"{OWN[:-6]}900001", FOREIGN)
        theirs, absent, foreign = [await get(f"{address}/id?code={code}") for code in codes]
    assert theirs.status_code == absent.status_code == 404
    shown = [one.text.partition("<main")[2].partition("</main>")[0] for one in (theirs, absent)]
    assert shown[0] == shown[1].replace("900001", "000001")
    assert foreign.status_code == (200 if role is Role.COUNTY else 404)


@pytest.mark.parametrize("has_token", [True, False])
async def test_who_is_not_signed_in_makes_nobody_ask(city: Town, has_token: bool) -> None:
    asked: list[str] = []

    def told(request: Request) -> Response:
        asked.append(request.url.path)
        return knowing(request)

    async with web(told) as url, resolving(city, by_json(url), has_token=has_token) as address:
        stranger = await http.get(f"{address}/id?code={FOREIGN}")
        forged = await http.get(
            f"{address}/id/{quote(FOREIGN)}",
            headers={"authorization": "Bearer guessed-by-somebody"},
        )
        assert asked == []
        await get(f"{address}/id?code={FOREIGN}")
    assert bool(asked) is has_token
    assert stranger.status_code == forged.status_code == (401 if has_token else 404)
    assert ("console.token" in stranger.text) is not has_token


async def test_a_source_that_cannot_be_opened_keeps_nobody_out(
    city: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    secret, ca_file = tmp_path / "secret", tmp_path / "ca.crt"
    url = f"https://127.0.0.1:{free_port()}"
    broken = SnmsNode(
        type="snms",
        url=url,
        username="u",
        password=Secret(file=secret),
        tls=ClientTls(ca_file=ca_file),
    )
    async with answering(KNOWS) as port, resolving(city, broken, native(port)) as address:
        page = f"{address}/id?code={FOREIGN}"
        for _ in range(2):
            assert "数控车床" in (await get(page)).text
        lines = [one.message for one in caplog.records if "cannot be asked" in one.message]
        assert len(lines) == 1
        assert url in lines[0]
        assert f"无法读取密钥文件 {secret}：没有此文件或目录" in (await get(page)).text
        await asyncio.to_thread(secret.write_text, "secret")
        without_ca = (await get(page)).text
        assert f"tls.ca_file {ca_file} 无法使用：没有此文件或目录" in without_ca
        assert english_on(without_ca) == []
        Authority(tmp_path)
        assert "暂时无法询问" not in (await get(page)).text
    assert "can be asked again" in caplog.text


async def test_a_file_that_fails_later_is_done_without(
    city: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    path = city.context.config.data_dir / "resolved.db"
    async with answering(KNOWS) as port, resolving(city, native(port)) as address:
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute("ALTER TABLE answer RENAME TO elsewhere")
            for number in range(3):
                answer = await get(f"{address}/id?code=88.100.1/{number}")
                assert (answer.status_code, "数控车床" in answer.text) == (200, True)
            assert caplog.text.count("codes are resolved without") == 1
            file.execute("ALTER TABLE elsewhere RENAME TO answer")
            await get(f"{address}/id?code=88.100.1/3")
            assert file.execute("SELECT count(*) FROM answer").fetchone() == (1,)
    assert caplog.text.count("is kept in") == 1


async def test_in_a_browser(city: Town) -> None:
    async with (
        answering(KNOWS) as port,
        resolving(city, by_json(f"http://127.0.0.1:{free_port()}"), native(port)) as address,
        chromium() as page,
    ):
        await page.command("Network.enable")
        await page.command("Network.setExtraHTTPHeaders", headers=SIGNED_IN)
        for language, scheme, width in (("zh", "light", 390), ("en", "dark", 1000)):
            await page.viewport(width, 800, mobile=width < 640)
            await page.colours(scheme)
            await page.goto(f"{address}/id?code={FOREIGN}&lang={language}")
            await page.evaluate("document.querySelector('details').open = true")
            assert "数控车床" in await page.evaluate("document.body.innerText")
            assert await page.barriers() == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.foreign(address) == []
