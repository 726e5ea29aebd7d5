"""Sessions are rows: each login its own, ended by leaving, by a command, by another token."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from edge_config.models.base import ConsoleConfig, Secret, SecretUnavailableError
from gateway.city.access.audit import Action, entries
from gateway.city.access.principal import administrator
from gateway.city.access.sessions import CitySessions, end_all
from gateway.city.console.app import build
from gateway.city.db.schema.access import audit, console_session
from gateway.throttle import FREE_ATTEMPTS
from gateway.web.access.sessions import host_allowed
from gateway.web.access.store import SESSION_S, digest_of
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town, town
from tests.support.city_db import drop_all
from tests.support.waiting import SOON_S

TOKEN = "a-token-of-some-length"


@contextlib.asynccontextmanager
async def guarded_town(folder: Path, token: str = TOKEN) -> AsyncIterator[tuple[Town, str]]:
    """A town whose console asks for a token, and its address."""
    secret = folder / "token"
    await asyncio.to_thread(secret.write_text, token)
    async with (
        town(folder / "city", token=Secret(file=secret, env=None)) as made,
        served(build(made.context)) as base,
    ):
        yield made, base


@contextlib.asynccontextmanager
async def visitor(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=SOON_S) as client:
        yield client


async def enter(client: httpx.AsyncClient, token: str = TOKEN) -> httpx.Response:
    csrf = client.cookies.get("qulink_csrf") or (await client.get("/login")).cookies["qulink_csrf"]
    return await client.post("/login", data={"csrf": csrf, "token": token})


async def leave(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/logout", data={"csrf": client.cookies["qulink_csrf"]})


def sessions_of(made: Town, token: str = TOKEN) -> CitySessions:
    return CitySessions(made.database, token, administrator("token"), is_by_name=False)


def cookie_of(client: httpx.AsyncClient) -> str:
    return next(value for name, value in client.cookies.items() if "session" in name)


def rows(made: Town) -> list[Any]:
    return made.database.run_now(lambda c: list(c.execute(select(console_session))))


async def test_a_cookie_is_of_no_use_after_logout(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (_, base), visitor(base) as client:
        assert (await enter(client)).status_code == 303
        stolen = {"cookie": f"qulink_session_8080={cookie_of(client)}"}
        assert (await get(f"{base}/books", headers=stolen)).status_code == 200
        assert (await leave(client)).status_code == 303
        assert (await get(f"{base}/books", headers=stolen)).status_code == 401


async def test_two_logins_are_two_sessions(tmp_path: Path) -> None:
    async with (
        guarded_town(tmp_path) as (made, base),
        visitor(base) as one,
        visitor(base) as other,
    ):
        await asyncio.gather(enter(one), enter(other))
        assert cookie_of(one) != cookie_of(other)
        assert len(rows(made)) == 2
        await leave(one)
        assert (await other.get("/books")).status_code == 200


async def test_nothing_that_is_kept_opens_a_session(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (made, base), visitor(base) as client:
        await enter(client)
        (row,) = rows(made)
        assert row.digest == digest_of(cookie_of(client))
        assert TOKEN not in str(row)
        for kept in (row.digest, row.token_digest, "", "\ud800", "0"):
            cookie = {"cookie": f"qulink_session_8080={kept}".encode("utf-8", "replace")}
            assert (await get(f"{base}/books", headers=cookie)).status_code == 401


async def test_a_stream_ends_with_its_session(tmp_path: Path) -> None:
    stream = {"accept": "text/event-stream"}
    async with (
        guarded_town(tmp_path) as (_, base),
        visitor(base) as client,
        asyncio.timeout(60),
        client.stream("GET", "/login") as _,
    ):
        await enter(client)
        async with client.stream("GET", "/", headers=stream) as answer:
            assert answer.status_code == 200
            lines = answer.aiter_lines()
            await anext(lines)
            await leave(client)
            async for _ in lines:
                pass  # what had been sent; then it ends


async def test_a_command_ends_all_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.city.access.sessions.SURE_S", 0.0)
    async with guarded_town(tmp_path) as (made, base), visitor(base) as client:
        await enter(client)
        assert (await client.get("/books")).status_code == 200
        assert made.database.run_now(end_all, "root", 10**15) == 0  # it has expired by then
        now = rows(made)[0].opened_ms
        assert made.database.run_now(end_all, "root", now) == 1
        assert (await client.get("/books")).status_code == 401


async def test_another_token_ends_all_sessions(tmp_path: Path) -> None:
    async with town(tmp_path) as made:
        old, new = (sessions_of(made, token) for token in (TOKEN, TOKEN + "2"))
        secret = await old.open("10.0.0.7", 1_000)
        assert await old.visitor(secret, 2_000)
        assert not await new.visitor(secret, 2_000)
        assert not await sessions_of(made).visitor(secret, 1_001 + SESSION_S * 1000)


async def test_while_the_database_is_away_nobody_is_let_in(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (made, base), visitor(base) as client:
        await enter(client)
        secret = cookie_of(client)
        made.database.run_now(drop_all)
        async with served(build(made.context)) as restarted:
            cookie = {"cookie": f"qulink_session_8080={secret}"}
            answer = await get(f"{restarted}/books", headers=cookie)
            assert (answer.status_code, answer.text) == (
                503,
                "the database does not answer; try again\n",
            )
            assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_guessing_is_slowed_down_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "gateway.web")
    async with guarded_town(tmp_path) as (made, base), visitor(base) as client:
        await client.get("/login")
        answers = [await enter(client, "wrong") for _ in range(FREE_ATTEMPTS + 2)]
        assert [one.status_code for one in answers] == [403] * FREE_ATTEMPTS + [429] * 2
        # neither the form nor the header tells more, though the token is right
        late = await enter(client)
        bearer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert (late.status_code, bearer.status_code) == (429, 429)
        assert int(bearer.headers["retry-after"]) >= 1
        # a watchdog is answered, and told no more than anybody
        health = await client.get("/healthz", headers={"authorization": f"Bearer {TOKEN}"})
        assert (health.status_code, health.json()) == (200, {"status": "ok"})
        (entry,) = made.database.run_now(entries)
        assert (entry.who, entry.action) == ("127.0.0.1", "wrong-tokens")
    lines = [one.message for one in caplog.records if "wrong tokens" in one.message]
    assert lines == ["console: wrong tokens from 127.0.0.1; further ones have to wait"]
    assert TOKEN not in caplog.text


async def test_tokens_in_the_header_are_slowed_down_too(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (_, base):
        wrong = {"authorization": "Bearer wrong"}
        answers = [await get(f"{base}/metrics", headers=wrong) for _ in range(FREE_ATTEMPTS + 1)]
        assert [one.status_code for one in answers] == [401] * FREE_ATTEMPTS + [429]


async def test_the_audit_log_tells_of_logins(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (made, base), visitor(base) as client:
        await enter(client)
        await leave(client)
        await leave(client)  # there is nothing more to end
        told = [(one.who, one.action) for one in made.database.run_now(entries)]
        assert told == [("127.0.0.1", "login"), ("127.0.0.1", "logout")]
        assert made.database.run_now(lambda c: len(list(c.execute(select(audit))))) == 2


async def test_health_without_the_token_tells_the_state_and_no_more(tmp_path: Path) -> None:
    async with guarded_town(tmp_path) as (made, base):
        made.health["store"] = "http://influx.example:8086/db: 401 unauthorized"
        bare = await get(f"{base}/healthz")
        assert (bare.status_code, bare.json()) == (503, {"status": "degraded"})
        shown = await get(f"{base}/healthz", headers={"authorization": f"Bearer {TOKEN}"})
        assert "influx.example" in shown.json()["parts"]["store"]


@pytest.mark.parametrize("token", ["x", "123456", "a" * 15])
def test_a_console_with_a_short_token_does_not_start(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token)
    console = ConsoleConfig(token=Secret(file=tmp_path / "token"))
    with pytest.raises(SecretUnavailableError, match="at least 16 are needed") as told:
        console.access_token()
    assert token not in str(told.value).replace(str(tmp_path), "").split("has")[0]


@pytest.mark.parametrize(
    ("header", "loopback", "hosts", "is_allowed"),
    [
        ("city.example", None, ("city.example",), True),
        ("CITY.example:8443", None, ("city.example",), True),
        ("evil.example", None, ("city.example",), False),
        ("evil.example", None, (), True),
        ("[2001:db8::1]:8443", None, ("2001:db8::1",), True),
        ("[2001:db8::1", None, (), False),
        ("a/../login?x", None, (), False),
        ("a@b", None, (), False),
        ("", None, (), False),
        ("127.0.0.1:8080", "127.0.0.1", (), True),
        ("proxy.example", "127.0.0.1", ("proxy.example",), True),
        ("evil.example", "127.0.0.1", ("proxy.example",), False),
    ],
)
def test_hosts(header: str, loopback: str | None, hosts: tuple[str, ...], is_allowed: bool) -> None:
    assert host_allowed(header, loopback, hosts) is is_allowed


async def test_no_host_header_opens_a_page(tmp_path: Path) -> None:
    """Older servers made the path from it: ``/static/?`` in front of a page let everybody in."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    async with guarded_town(tmp_path) as (_, base):
        for host in ("127.0.0.1/static/?", "127.0.0.1/login#", "localhost/healthz/.."):
            answer = await get(f"{base}/books", headers={"host": host})
            assert answer.status_code in {400, 401, 421}


def test_actions_fit_their_column() -> None:
    assert max(map(len, Action)) <= 32
