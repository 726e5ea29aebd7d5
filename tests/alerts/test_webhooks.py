"""Webhooks against a real HTTP server: signed, to the address that was looked at, to no other."""

import asyncio
import contextlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.people.alerts import WebhookConfig
from edge_config.models.validation import validated
from gateway.city.alerts.delivery import webhook
from gateway.city.alerts.delivery.outcome import AwayError, PutOffError, RefusedError
from gateway.city.alerts.delivery.sending import Sending
from gateway.city.alerts.delivery.targets import is_public
from gateway.city.alerts.delivery.webhook import Hook, Resolve, signature
from gateway.relational.database import Database
from tests.alerts.test_alerting import NOON_MS, World, city, enterprises, gateways, silence
from tests.support.city_db import USCCS

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Program:
    """Answers each request as it is told to, and keeps what came."""

    port: int = 0
    answer: str = "204 No Content"
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self.tasks.add(task)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = head.split("\r\n")[1:]
        headers = {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in lines) if k}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.came.append((headers, body))
        if self.answer == "never":
            await reader.read()
        else:
            writer.write(f"HTTP/1.1 {self.answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def program() -> AsyncIterator[Program]:
    made = Program()
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        if made.tasks:
            await asyncio.wait(made.tasks)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


def hook(secret: Path, url: str, looked_up: Resolve | None = None, **more: Any) -> Hook:
    written = {"name": "duty-room", "url": url, "secret": {"file": secret}, "allow_plain": True}
    config = validated(WebhookConfig, written | more)
    return Hook(config, looked_up or webhook.resolve)


async def test_a_message_is_signed(database: Database, tmp_path: Path, secret: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.do(gateways, "gw-2", uscc=USCCS[1])
    for name in ("gw-1", "gw-2"):
        world.do(silence, name, 0)
    async with program() as there:
        url = f"http://127.0.0.1:{there.port}/alerts?of=city"
        own = {"name": "county", "url": url, "secret": {"file": secret}}
        own |= {"scope": "county 330881", "allow_private": True}
        config = city(tmp_path, webhooks=[own], console_url="https://city.example.cn/")
        sending = Sending(config, database, lambda: world.now_ms)
        await world.later(0)
        await world.later(1)
        await sending.gather()
        assert await sending.send_next("webhook:county")
        assert not await sending.send_next("webhook:county")
    ((headers, body),) = there.came
    second = headers["qulink-signature"].partition(",")[0].removeprefix("t=")
    digest = hmac.new(SECRET.encode(), f"{second}.".encode() + body, sha256).hexdigest()
    assert headers["qulink-signature"] == f"t={second},v1={digest}"
    assert int(second) == world.now_ms // 1000
    told = json.loads(body)
    assert told["id"] == headers["idempotency-key"] == headers["qulink-delivery"]
    (event,) = told["events"]
    assert (event["event"], event["kind"], event["subject"]) == ("begin", "gateway-silent", "gw-2")
    assert event["page"] == f"https://city.example.cn/enterprises/{USCCS[1]}"


async def test_a_name_is_looked_up_once_and_that_address_connected_to(secret: Path) -> None:
    asked = list[str]()

    def looked_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    async with program() as there:
        url = f"http://alerts.example.cn:{there.port}/x"
        await hook(secret, url, looked_up, allow_private=True).send(b"{}", "k", NOON_MS)
    assert asked == ["alerts.example.cn"]
    assert there.came[0][0]["host"] == f"alerts.example.cn:{there.port}"


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"])
async def test_a_name_of_a_private_address_is_refused(secret: Path, address: str) -> None:
    async with program() as there:
        url = f"http://alerts.example.cn:{there.port}/"
        one = hook(secret, url, lambda *_: ["203.0.114.9", address])
        with pytest.raises(AwayError, match="allow_private: true"):
            await one.send(b"{}", "k", NOON_MS)
    assert there.came == []


async def test_a_redirect_is_not_followed(secret: Path) -> None:
    async with program() as there, program() as inner:
        there.answer = f"302 Found\r\nLocation: http://127.0.0.1:{inner.port}/"
        one = hook(secret, f"http://127.0.0.1:{there.port}/", allow_private=True)
        with pytest.raises(AwayError, match="redirect"):
            await one.send(b"{}", "k", NOON_MS)
    assert inner.came == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("500 Oops", AwayError),
        ("404 Not Found", AwayError),
        ("429 Too Many Requests", PutOffError),
        ("422 Unprocessable Content", RefusedError),
        ("never", AwayError),
    ],
)
async def test_what_an_answer_means(secret: Path, answer: str, kind: type[Exception]) -> None:
    async with program() as there:
        there.answer = answer
        url = f"http://127.0.0.1:{there.port}/"
        wait_ms = 300 if answer == "never" else 60_000
        with pytest.raises(kind):
            one = hook(secret, url, allow_private=True, timeout_ms=wait_ms)
            await one.send(b"{}", "k", NOON_MS)


async def test_nobody_there(secret: Path) -> None:
    async with program() as there:
        pass
    one = hook(secret, f"http://127.0.0.1:{there.port}/", allow_private=True)
    with pytest.raises(AwayError, match="duty-room"):
        await one.send(b"{}", "k", NOON_MS)


def test_a_signature_by_the_letter() -> None:
    digest = "40ab1b1ed4a0ba2a2a31b0d9f08a8ae0a7ed7a6a0ee8ed5a3ba1b9b04c7e0a2f"
    made = signature("key", b"{}", 1)
    assert made.startswith("t=1,v1=")
    assert len(made) == len("t=1,v1=") + len(digest)
    assert made == "t=1,v1=" + hmac.new(b"key", b"1.{}", sha256).hexdigest()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False),
        ("fe80::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("64:ff9b::808:808", True), ("not an address", False), ("fd00:ec2::254", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public
