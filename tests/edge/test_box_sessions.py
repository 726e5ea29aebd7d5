"""Who has logged in to a box's page stays so over a restart, and nobody who has logged out."""

# ruff: noqa: F811, ASYNC240 - fixtures of another module; small files

import asyncio
import logging
import stat
from pathlib import Path

import httpx
import pytest

from gateway.core.days import MAX_AHEAD_MS
from gateway.edge.live.console.sessions import MOST_SESSIONS, FileSessions, path_beside
from gateway.web.access.store import SESSION_S
from tests.edge.test_run import (
    Factory,
    ended,
    factory,  # noqa: F401 - a fixture
)
from tests.support import disk
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import SOON_S

TOKEN = "a-token-of-some-length"
NOW_MS = 1_763_876_412_345
WHO = "10.0.0.7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return path_beside(tmp_path / "buffer.db")


async def test_a_session_lives_over_a_restart_until_it_ends(file: Path) -> None:
    kept = FileSessions(file, TOKEN)
    one, other = await kept.open(WHO, NOW_MS), await kept.open(WHO, NOW_MS)
    again = FileSessions(file, TOKEN)
    assert await again.visitor(one, NOW_MS + 1)
    assert await again.visitor(other, NOW_MS + SESSION_S * 1000 - 1)
    assert not await again.visitor(other, NOW_MS + SESSION_S * 1000)
    await again.end(one, WHO, NOW_MS + 1)
    await again.end("never begun", WHO, NOW_MS + 1)
    third = FileSessions(file, TOKEN)
    assert not await third.visitor(one, NOW_MS + 2)
    assert await third.visitor(other, NOW_MS + 2)


async def test_another_token_ends_all(file: Path) -> None:
    secret = await FileSessions(file, TOKEN).open(WHO, NOW_MS)
    assert not await FileSessions(file, TOKEN + "2").visitor(secret, NOW_MS + 1)


async def test_what_is_kept_opens_nothing_and_is_its_owners(file: Path) -> None:
    kept = FileSessions(file, TOKEN)
    secret = await kept.open(WHO, NOW_MS)
    text = file.read_text()
    assert secret not in text
    assert TOKEN not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for word in (*text.split('"'), "", "\ud800"):
        assert not await kept.visitor(word, NOW_MS + 1)


async def test_a_session_does_not_outlive_its_time_by_a_clock_that_is_set_back(file: Path) -> None:
    secret = await FileSessions(file, TOKEN).open(WHO, NOW_MS)
    again = FileSessions(file, TOKEN)
    assert not await again.visitor(secret, NOW_MS - 3_600_000)
    assert not await again.visitor(secret, 0)  # a box without a clock, just started
    assert await again.visitor(secret, NOW_MS - MAX_AHEAD_MS)  # an ordinary correction


async def test_a_login_by_a_wrong_clock_ends_no_session(file: Path) -> None:
    """A box without a clock begins in the past, and somebody logs in before it knows better."""
    kept = FileSessions(file, TOKEN)
    secret = await kept.open(WHO, NOW_MS)
    await kept.open(WHO, NOW_MS - 2 * SESSION_S * 1000)
    again = FileSessions(file, TOKEN)
    assert not await again.visitor(secret, NOW_MS - 2 * SESSION_S * 1000)
    assert await again.visitor(secret, NOW_MS + 1)


async def test_the_oldest_of_too_many_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.edge.live.console.sessions.replace_file", lambda *_: None)
    kept = FileSessions(file, TOKEN)
    opened = [await kept.open(WHO, NOW_MS) for _ in range(MOST_SESSIONS + 1)]
    living = [await kept.visitor(secret, NOW_MS) for secret in opened]
    assert [one is not None for one in living] == [False] + [True] * MOST_SESSIONS


async def test_of_logins_at_the_same_moment_none_is_lost(file: Path) -> None:
    kept = FileSessions(file, TOKEN)
    secrets = await asyncio.gather(*(kept.open(WHO, NOW_MS) for _ in range(20)))
    again = FileSessions(file, TOKEN)
    assert all([await again.visitor(secret, NOW_MS) for secret in secrets])


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"format": 2}', b'{"format":1}', b"[]"])
async def test_a_damaged_file_costs_the_sessions_and_no_start(
    file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(content)
    kept = FileSessions(file, TOKEN)
    (line,) = [one.getMessage() for one in caplog.records]
    assert str(file) in line
    assert "everybody logs in anew" in line
    secret = await kept.open(WHO, NOW_MS)
    assert await FileSessions(file, TOKEN).visitor(secret, NOW_MS)


async def test_a_full_disk_keeps_nobody_out_and_brings_nobody_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    place = tmp_path / "disk"
    place.mkdir()
    with disk.small_disk(place, 1):
        file = path_beside(place / "buffer.db")
        kept = FileSessions(file, TOKEN)
        old = await kept.open(WHO, NOW_MS)
        filler = place / "filler"
        disk.fill(filler)
        new = await kept.open(WHO, NOW_MS)
        assert await kept.visitor(new, NOW_MS + 1)
        disk.fill(filler)
        await kept.end(old, WHO, NOW_MS + 1)
        assert not await FileSessions(file, TOKEN).visitor(old, NOW_MS + 2)
        filler.unlink()
        await kept.end(await kept.open(WHO, NOW_MS), WHO, NOW_MS)
        assert await FileSessions(file, TOKEN).visitor(new, NOW_MS + 2)
    told = [one.getMessage() for one in caplog.records if "sessions" in one.getMessage()]
    assert len(told) == 2, told
    assert "they end with this process" in told[0]
    assert "again" in told[1]


async def test_a_gateway_that_is_restarted_logs_nobody_out(factory: Factory) -> None:
    port = free_port()
    token = factory.config.parent / "token"
    token.write_text(TOKEN)
    console = f"{{listen: '127.0.0.1:{port}', token: {{file: '{token}'}}}}"
    factory.config.write_text(factory.config.read_text() + f"\nconsole: {console}\n")
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=SOON_S) as client:
        with factory.gateway() as process:
            await asyncio.to_thread(wait_for_port, port)
            csrf = (await client.get("/login")).cookies["qulink_csrf"]
            await client.post("/login", data={"csrf": csrf, "token": TOKEN})
            assert (await client.get("/")).status_code == 200
            process.kill()
            await ended(process)
        with factory.gateway() as process:
            await asyncio.to_thread(wait_for_port, port)
            assert (await client.get("/")).status_code == 200
            stolen = dict(client.cookies)
            await client.post("/logout", data={"csrf": csrf})
            process.kill()
            await ended(process)
        with factory.gateway() as process:
            await asyncio.to_thread(wait_for_port, port)
            client.cookies.update(stolen)
            assert (await client.get("/")).status_code == 401
            process.terminate()
            await ended(process)
