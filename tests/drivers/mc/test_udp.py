"""UDP loses, doubles and delays datagrams; none of that makes a wrong value."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from pydantic import ValidationError

from edge_config.models.validation import validated
from gateway.drivers.api import NoResponseError
from gateway.drivers.mc import SPEC
from gateway.drivers.mc.driver import McDriver
from tests.drivers.mc.odd_plc import Asked
from tests.drivers.mc.test_hostile import points
from tests.drivers.trial import values

Script = Callable[[Asked], Iterable[bytes]]


class _Port(asyncio.DatagramProtocol):
    def __init__(self, script: Script) -> None:
        self._script = script

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for answer in self._script(Asked.of(data)):
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def connected(script: Script) -> AsyncIterator[McDriver]:
    loop = asyncio.get_running_loop()
    server, _ = await loop.create_datagram_endpoint(
        lambda: _Port(script), local_addr=("127.0.0.1", 0)
    )
    port = server.get_extra_info("sockname")[1]
    written = {"host": "127.0.0.1", "port": port, "transport": "udp", "frame": "4e"}
    driver = SPEC.make(validated(SPEC.connection, {**written, "request_timeout_ms": 200}))
    assert isinstance(driver, McDriver)
    try:
        await driver.connect()
        yield driver
    finally:
        await driver.close()
        server.close()


async def test_values_are_read_though_each_answer_comes_twice() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        return [asked.answer(asked.words)] * 2

    async with connected(script) as driver:
        for number in range(20):
            assert await values(driver, points(f"D{number}")) == [number]


async def test_half_a_datagram_takes_nothing_from_the_next() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        whole = asked.answer(asked.words)
        return [whole[:-1], whole]

    async with connected(script) as driver:
        for number in range(0x1234, 0x1238):
            assert await values(driver, points(f"D{number}")) == [number]


async def test_a_lost_answer_is_no_response_and_a_late_one_is_dropped() -> None:
    late: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        late.append(asked.answer(asked.words))
        return late if len(late) > 1 else ()

    async with connected(script) as driver:
        with pytest.raises(NoResponseError):
            await values(driver, points("D100"))
        assert await values(driver, points("D200")) == [200]


def test_frames_without_numbers_are_refused() -> None:
    with pytest.raises(ValidationError, match="udp needs frame: 4e"):
        validated(SPEC.connection, {"host": "h", "port": 5000, "transport": "udp"})
