"""Who gets in: hosts, tokens, forms, sizes, headers, addresses."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from edge_config.models.base import ConsoleConfig, Secret, ServerTls
from gateway.web.access import sessions
from gateway.web.listen import ListenError, bind
from gateway.web.serve import serve
from tests.console.conftest import guarded, served
from tests.console.http import get, post
from tests.console.town import Town
from tests.support.city_db import drop_all
from tests.support.peers import program
from tests.support.waiting import SOON_S

TOKEN = "a-token-of-some-length"
WRONG = "a-token-of-some-lengtH"


async def test_every_answer_carries_the_policy(address: str) -> None:
    for path in ("/", "/healthz", "/nothing", "/login"):
        headers = (await get(address + path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"


async def test_a_page_that_fails_carries_the_policy_too(address: str, city: Town) -> None:
    city.database.run_now(drop_all)
    answer = await get(f"{address}/books")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.7", ""])
async def test_a_foreign_host_name_is_refused(address: str, host: str) -> None:
    assert (await get(address, headers={"host": host})).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
async def test_loopback_names_are_served(address: str, host: str) -> None:
    assert (await get(f"{address}/healthz", headers={"host": host})).status_code == 200


async def test_sizes_are_limited(address: str) -> None:
    assert (await post(f"{address}/login", {"token": "x" * 20_000})).status_code == 413
    assert (await get(f"{address}/?x={'y' * 5_000}")).status_code == 414


@pytest.mark.parametrize("target", ["/audit?who=a%00b", "/gaps?gateway=%00", "/enterprises/%00"])
async def test_what_no_database_takes_as_a_text_is_refused(address: str, target: str) -> None:
    """SQLite finds nothing; with PostgreSQL the page failed, and the log said so each time."""
    answer = await get(f"{address}{target}")
    assert (answer.status_code, "NUL" in answer.text) == (400, True)


async def test_a_body_that_hides_its_size_is_refused(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000

    async with (
        guarded(tmp_path, TOKEN) as base,
        httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client,
    ):
        assert (await client.post(f"{base}/login", content=endless())).status_code == 413


async def test_token_by_header_cookie_and_form(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, TOKEN) as base,
    ):
        html = {"accept": "text/html"}
        assert (await get(base)).status_code == 401
        asked = await get(f"{base}/gaps?open=1", headers=html)
        assert asked.status_code == 303
        assert asked.headers["location"] == "/login?next=%2Fgaps%3Fopen%3D1"
        for token, status in ((TOKEN, 200), (WRONG, 401), ("密", 401)):
            bearer = {"authorization": f"Bearer {token}".encode()}
            assert (await get(f"{base}/metrics", headers=bearer)).status_code == status
        assert (await get(f"{base}/healthz")).status_code == 200
        for forged in ("1.2", f"{2**40}.{'0' * 64}", "x", ""):
            cookie = {"cookie": f"qulink_session_8080={forged}"}
            assert (await get(base, headers=cookie)).status_code == 401
        without_csrf = await post(f"{base}/login", {"token": TOKEN})
        assert without_csrf.status_code == 403


async def test_open_to_the_network_needs_tls_and_token(tmp_path: Path) -> None:
    tls = ServerTls(cert_file=tmp_path / "c", key_file=tmp_path / "k")
    token = Secret(env="QULINK_TOKEN", file=None)
    with pytest.raises(ValueError, match="needs both 'tls' and 'token'"):
        ConsoleConfig(listen="0.0.0.0:8080")
    with pytest.raises(ValueError, match="needs both"):
        ConsoleConfig(listen="192.0.2.1:8080", tls=tls)
    with pytest.raises(ValueError, match="needs both"):
        ConsoleConfig(listen="[::]:8080", token=token)
    assert ConsoleConfig(listen="0.0.0.0:8080", tls=tls, token=token)


async def test_a_port_in_use_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        console = ConsoleConfig(listen=f"127.0.0.1:{port}")
        with pytest.raises(ListenError, match=f"port {port} is in use.*console.listen"):
            await serve(PlainTextResponse("never"), console)


async def test_cancelling_frees_the_port_and_ends_streams(address: str) -> None:
    listener = bind("127.0.0.1:0")
    port = listener.getsockname()[1]
    task = asyncio.ensure_future(serve(PlainTextResponse("here"), ConsoleConfig(), listener))
    async with asyncio.timeout(10):
        while True:
            try:
                assert (await get(f"http://127.0.0.1:{port}")).text == "here"
                break
            except httpx.TransportError:
                await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    bind(f"127.0.0.1:{port}").close()


async def test_tls_from_the_configuration(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    openssl = program("openssl", "openssl")
    command = [
        openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", str(key), "-out", str(certificate), "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost",
    ]  # fmt: skip
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    console = ConsoleConfig(tls=ServerTls(cert_file=certificate, key_file=key))
    async with served(PlainTextResponse("safe"), console) as base:
        trusted = ssl.create_default_context(cafile=str(certificate))
        address = base.replace("http://127.0.0.1", "https://localhost")
        async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=SOON_S) as client:
            assert (await client.get(address)).text == "safe"


def test_consoles_of_one_host_do_not_log_each_other_out() -> None:
    """Browsers send a host's cookies to all its ports."""
    names = {sessions.session_cookie(f"{host}:8080") for host in ("0.0.0.0", "[::]", "127.0.0.1")}
    assert names == {"qulink_session_8080"}
    assert sessions.session_cookie("127.0.0.1:8081") not in names


async def test_a_session_cookie_opens_the_pages_and_leaving_closes_them(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, TOKEN) as base,
        httpx.AsyncClient(base_url=base, trust_env=False, timeout=SOON_S) as client,
    ):
        door = await client.get("/login")
        assert "/logout" not in door.text  # nobody is in who could leave
        csrf = door.cookies["qulink_csrf"]
        entered = await client.post("/login", data={"csrf": csrf, "token": TOKEN})
        assert entered.status_code == 303
        inside = await client.get("/books")
        assert inside.status_code == 200
        assert "/logout" in inside.text
        assert (await client.post("/logout", data={})).status_code == 403
        assert (await client.get("/books")).status_code == 200
        assert (await client.post("/logout", data={"csrf": csrf})).status_code == 303
        assert (await client.get("/books")).status_code == 401


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/gaps?open=1", "/gaps?open=1"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_login_never_leads_elsewhere(target: str, safe: str) -> None:
    assert sessions.safe_target(target) == safe
