"""A request that waits for its pause, was cancelled or timed out leaves nothing for the next."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest

from gateway.drivers.api import NoResponseError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import channel as channel_module
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.codec import CLOSED, SILENT, Answer, Table
from gateway.drivers.modbus.config import Framing, Unit
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.quirks import Quirk
from gateway.drivers.modbus.framing.rtu import RtuLine, crc
from gateway.drivers.modbus.framing.series import ProtocolError
from gateway.drivers.modbus.pauses import HASTY_S, NOTHING_FOUND, Pauses
from gateway.drivers.modbus.reach import quiet as quiet_module
from tests.drivers.modbus.support import connected, points, read
from tests.drivers.modbus.test_hostile import right

SEVEN, OTHER = codec.read(Table.HOLDING, 7, 1), codec.read(Table.HOLDING, 300, 1)
Say = Callable[[bytes], None]
Serve = Callable[[bytes, Say], None]
"""From a request, and how to send bytes, now or later."""


def answer(request: bytes) -> bytes:
    """Of a device whose registers hold their own addresses."""
    body = request[:2] + b"\2" + request[2:4]
    return body + crc(body)


@asynccontextmanager
async def line(serve: Serve) -> AsyncIterator[int]:
    """The port of a serial line with one device."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readexactly(8):
                serve(request, writer.write)

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def wrapped(transaction: int, word: int) -> bytes:
    """The same in Modbus TCP framing."""
    return transaction.to_bytes(2, "big") + b"\0\0\0\5\1\3\2" + word.to_bytes(2, "big")


def rtu(word: int) -> bytes:
    body = b"\1\3\2" + word.to_bytes(2, "big")
    return body + crc(body)


def test_without_ids_nothing_answers_a_request_before_it_is_written() -> None:
    series = Transactions()
    series.begin(1, [SEVEN, OTHER], 1, {Quirk.ANY_TRANSACTION})
    assert series.receive(wrapped(0, 7))
    series.is_held = True
    assert not series.receive(wrapped(0, 7))
    assert (series.missing, series.doubted) == (1, None)
    series.release()
    series.receive(wrapped(0, 300))
    assert series.answers == [b"\0\7", b"\1\x2c"]


def test_an_id_that_was_not_sent_yet_is_no_answer() -> None:
    series = Transactions()
    series.begin(1, [SEVEN])
    series.is_held = True
    with pytest.raises(ProtocolError, match="not open"):
        series.receive(wrapped(1, 7))


def test_an_answer_that_begins_before_the_request_is_not_its_own() -> None:
    series = RtuLine()
    series.begin(1, [SEVEN])
    series.is_held = True
    series.receive(rtu(9)[:3])
    series.release()
    series.receive(rtu(9)[3:])
    assert series.missing
    series.receive(rtu(7))
    assert series.answers == [b"\0\7"]


def test_a_request_that_was_never_written_leaves_nothing() -> None:
    serial, tcp = RtuLine(), Transactions()
    for series in (serial, tcp):
        series.begin(1, [SEVEN])
        series.is_held = True
        series.give_up()
    assert not tcp.is_waiting  # nobody is at work on it
    serial.begin(1, [OTHER])
    serial.receive(rtu(300))
    assert not serial.missing  # and no late answer of it is expected


def twice(request: bytes, say: Say) -> None:
    say(answer(request))
    asyncio.get_running_loop().call_later(0.01, say, answer(request))


async def test_what_comes_twice_while_the_next_request_waits_is_not_its_answer() -> None:
    wanted = points("holding:7", "holding:300", "holding:600")
    pause = {"pause_between_requests_ms": 100}
    async with line(twice) as port, connected(port, framing=Framing.RTU, **pause) as driver:
        for _ in range(2):
            assert await read(driver, wanted) == [7, 300, 600]


async def test_what_comes_late_while_the_next_request_waits_is_not_its_answer() -> None:
    asked: list[bytes] = []

    def late_once(request: bytes, say: Say) -> None:
        asked.append(request)
        after_s = 0.5 if len(asked) == 1 else 0.0  # within the wait that follows the time-out
        asyncio.get_running_loop().call_later(after_s, say, answer(request))

    settings = {"framing": Framing.RTU, "request_timeout_ms": 400}
    async with line(late_once) as port, connected(port, **settings) as driver:
        with pytest.raises(NoResponseError):
            await driver.read(driver.plan(points("holding:7")))
        assert await read(driver, points("holding:300")) == [300]
        assert len(asked) == 3  # once more, as a late answer may have stood in for a lost one


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))


def on_a_wire(series: Transactions | RtuLine, pauses: Pauses) -> tuple[Channel, Wire]:
    channel, wire = Channel(series, pauses), Wire()
    channel.connection_made(wire)
    return channel, wire


async def begun(
    channel: Channel, unit: Unit, requests: Sequence[codec.Request]
) -> "asyncio.Task[list[Answer]]":
    task = asyncio.ensure_future(channel.exchange(unit, requests))
    await asyncio.sleep(0)
    return task


async def test_a_cancelled_wait_for_a_late_answer_is_waited_by_the_next_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quiet_module, "TURNAROUND_S", 0.0)
    channel, wire = on_a_wire(RtuLine(), Pauses())
    unit = Unit(1, 1, 0.5)
    assert await channel.exchange(unit, [SEVEN]) == [SILENT]
    for request in (OTHER, OTHER):
        waits = await begun(channel, unit, [request])
        assert len(wire.sent) == 1
        waits.cancel()
        await asyncio.wait([waits])
    assert channel.silences == 1  # nobody else was asked


@pytest.mark.parametrize("is_answered", [False, True])
async def test_a_request_that_was_cancelled_teaches_nothing(is_answered: bool) -> None:
    """Whether no answer had come yet, or one in the same moment."""
    pauses = Pauses()
    channel, wire = on_a_wire(Transactions(), pauses)
    unit = Unit(1, 1, 5.0)
    for is_cancelled in (False, True, False):
        asked = await begun(channel, unit, [SEVEN])
        if is_cancelled:
            if is_answered:
                channel.data_received(right(wire.sent[-1]))
            asked.cancel()
            await asyncio.wait([asked])
            assert channel.silences == (0 if is_answered else 1)
            await asyncio.sleep(2 * HASTY_S)  # what is sent now is sent at leisure
        else:
            channel.data_received(right(wire.sent[-1]))
            await asked
    assert (pauses.may_need, pauses.found) == (not is_answered, NOTHING_FOUND)


async def test_a_connection_that_ends_in_the_moment_a_doubt_is_over_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    monkeypatch.setattr(channel_module, "DOUBT_S", 0.0)
    series = RtuLine()
    series.comes_twice = True
    channel, wire = on_a_wire(series, Pauses())
    asked = await begun(channel, Unit(1, 1, 5.0), [SEVEN])
    loop.call_soon(channel.connection_lost, None)
    channel.data_received(answer(wire.sent[-1]))  # its timer rings in the same turn of the loop
    assert series.doubted
    assert await asked == [CLOSED]
    assert not errors


@pytest.mark.parametrize("noise", [b"\0", b"\xff"])
async def test_a_line_that_is_never_quiet_is_read_and_said_nothing_of(noise: bytes) -> None:
    """Values that are equal are in doubt until nothing follows; noise is nothing."""
    alike = points("holding:7", "holding:300")

    def humming(request: bytes, say: Say) -> None:
        say(answer(request[:2] + b"\0\7"))
        hum(say)

    def hum(say: Say) -> None:
        with suppress(RuntimeError):  # the connection has ended
            say(noise)
            asyncio.get_running_loop().call_later(0.05, hum, say)

    settings = {"framing": Framing.RTU}
    async with line(humming) as port, connected(port, **settings) as driver:
        async with asyncio.timeout(10):
            assert values_of(alike, await driver.read(driver.plan(alike))) == [7, 7]
        assert not driver.remarks()
