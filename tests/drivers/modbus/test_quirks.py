"""Odd but readable answers: refused with the name of the switch, and read where it is on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from struct import pack, unpack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.quirks import Quirk
from gateway.drivers.modbus.framing.rtu import crc
from gateway.drivers.modbus.framing.series import ProtocolError
from tests.drivers.modbus.support import connected, points
from tests.support.waiting import until

WANTED = points("holding:7", "holding:8", "holding:300", "coil:0", "coil:1", "coil:2")
VALUES = [7, 8, 300, True, False, True]
"""Registers hold their address; every other coil is set."""

Alter = Callable[[bytes], bytes]
"""From a right answer, header and all, to that of the device."""


def right(request: bytes) -> bytes:
    function, start, count = unpack(">BHH", request[7:12])
    if function == codec.Function.READ_COILS:
        data = sum(1 << i for i in range(0, count, 2)).to_bytes((count + 7) // 8, "little")
    else:
        data = pack(f">{count}H", *range(start, start + count))
    body = bytes((function, len(data))) + data
    return request[:4] + (len(body) + 1).to_bytes(2, "big") + request[6:7] + body


def longer(answer: bytes, extra: bytes) -> bytes:
    """The same with more data, counted in length and byte count."""
    length = int.from_bytes(answer[4:6], "big") + len(extra)
    count = answer[8] + len(extra)
    return (
        answer[:4] + length.to_bytes(2, "big") + answer[6:8] + bytes((count,)) + answer[9:] + extra
    )


def length_off_by(more: int) -> Alter:
    def alter(answer: bytes) -> bytes:
        length = int.from_bytes(answer[4:6], "big") + more
        return answer[:4] + length.to_bytes(2, "big") + answer[6:]

    return alter


ODD: dict[str, tuple[Quirk, Alter]] = {
    "constant transaction": (Quirk.ANY_TRANSACTION, lambda a: b"\0\0" + a[2:]),
    "constant unit": (Quirk.ANY_UNIT, lambda a: a[:6] + b"\xff" + a[7:]),
    "length one too small": (Quirk.ANY_LENGTH, length_off_by(-1)),
    "length one too large": (Quirk.ANY_LENGTH, length_off_by(1)),
    "length of the whole frame": (Quirk.ANY_LENGTH, length_off_by(6)),
    "bits padded to words": (Quirk.PADDED_DATA, lambda a: longer(a, b"\0")),
    "more registers": (Quirk.PADDED_DATA, lambda a: longer(a, b"\x12\x34\x56\x78")),
    "a checksum behind": (Quirk.TRAILING_BYTES, lambda a: a + crc(a[6:])),
    "a line end behind": (Quirk.TRAILING_BYTES, lambda a: a + b"\r\n"),
}


class OddDevice:
    """A device that answers in its own way.

    Args:
        alter: what it does to each answer.
        piece: it sends so many bytes at a time.
        greets: what it says when it is connected.
    """

    def __init__(self, alter: Alter, piece: int, greets: bytes) -> None:
        self.alter, self.piece, self.greets = alter, piece, greets
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            writer.write(self.greets)
            while True:
                answer = self.alter(right(await reader.readexactly(12)))
                for at in range(0, len(answer), self.piece):
                    writer.write(answer[at : at + self.piece])
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def odd(
    alter: Alter = bytes, piece: int = 1_000, greets: bytes = b""
) -> AsyncIterator[tuple[OddDevice, int]]:
    device = OddDevice(alter, piece, greets)
    async with await asyncio.start_server(device.serve, "127.0.0.1", 0) as listener:
        yield device, listener.sockets[0].getsockname()[1]


async def values(port: int, **options: Any) -> list[Any]:
    async with connected(port, request_timeout_ms=2_000, **options) as driver:
        plan = driver.plan(WANTED)
        for _ in range(3):
            reading = await driver.read(plan)
            assert not reading.status.any()
        return values_of(WANTED, reading)


@pytest.mark.parametrize("what", ODD)
async def test_an_odd_answer_is_refused_and_the_message_names_the_switch(what: str) -> None:
    quirk, alter = ODD[what]
    async with (
        odd(alter) as (_, port),
        connected(port) as driver,
    ):
        wanted = points("coil:0", "coil:1") if "bits" in what else points("holding:7")
        with pytest.raises(NotConnectedError, match=rf"write quirks: \[{quirk}\]"):
            await driver.read(driver.plan(wanted))


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("piece", [1, 8, 1_000])
async def test_an_odd_answer_is_read_where_its_quirk_is_on(what: str, piece: int) -> None:
    quirk, alter = ODD[what]
    async with odd(alter, piece) as (device, port):
        assert await values(port, quirks=(quirk,)) == VALUES
    # Bytes behind an answer may come when the next one is asked for, or only then be noticed.
    assert device.connections == 1


@pytest.mark.parametrize("greets", [b"READY\r\n", b"\0" * 20, b"\0\1\0\0\0\5\1\3\2\x99\x99"])
async def test_a_greeting_is_refused_by_name_and_passed_over_on_demand(greets: bytes) -> None:
    async with odd(greets=greets) as (device, port):
        assert await values(port, quirks=(Quirk.GREETING,)) == VALUES
        assert device.connections == 1
        async with connected(port) as driver:
            held = await driver._asking._obtained()
            await until(lambda: bool(held._series._rest))  # type: ignore[union-attr]
            driver._asking.end()
            with pytest.raises(NotConnectedError, match=r"write quirks: \[greeting\]"):
                await driver.read(driver.plan(WANTED))


@pytest.mark.parametrize("what", ODD)
async def test_all_quirks_together_read_each(what: str) -> None:
    async with odd(ODD[what][1]) as (_, port):
        assert await values(port, quirks=tuple(Quirk)) == VALUES


async def test_an_ordinary_device_is_read_with_all_quirks_on() -> None:
    async with odd() as (_, port):
        assert await values(port, quirks=tuple(Quirk)) == VALUES


@pytest.mark.parametrize("code", [codec.ILLEGAL_ADDRESS, codec.GATEWAY_TARGET])
async def test_exceptions_are_understood_with_quirks_on(code: int) -> None:
    def refuse(answer: bytes) -> bytes:
        return b"\0\0\0\0\0\3\xff" + bytes((answer[7] | 0x80, code))

    async with odd(refuse) as (_, port), connected(port, quirks=tuple(Quirk)) as driver:
        plan = driver.plan(points("holding:7"))
        if code == codec.GATEWAY_TARGET:
            with pytest.raises(DriverError, match="exception 11"):
                await driver.read(plan)
        else:
            assert (await driver.read(plan)).status.all()


async def test_a_late_answer_is_never_taken_for_another() -> None:
    """With a constant transaction id nothing but the connection tells them apart."""
    answers: list[bytes] = []

    def alter(answer: bytes) -> bytes:
        answers.append(b"\0\0" + answer[2:])
        # The first one comes late, together with the second and before it.
        return {1: b"", 2: b"".join(answers)}.get(len(answers), answers[-1])

    async with (
        odd(alter) as (device, port),
        connected(port, request_timeout_ms=200, quirks=(Quirk.ANY_TRANSACTION,)) as driver,
    ):
        one, two = points("holding:7"), points("holding:300")
        with pytest.raises(DriverError):
            await driver.read(driver.plan(one))
        answers[:] = [b"", b""]
        for _ in range(3):
            assert values_of(two, await driver.read(driver.plan(two))) == [300]
        assert device.connections == 2


@given(st.lists(st.binary(max_size=40), max_size=6), st.sets(st.sampled_from(list(Quirk))))
def test_nothing_but_an_answer_becomes_a_value(came: list[bytes], quirks: set[Quirk]) -> None:
    """Whatever comes, what is read has the function and byte count of what was asked."""
    request = codec.read(codec.Table.HOLDING, 7, 5)
    transactions = Transactions()
    transactions.begin(1, [request], 1, frozenset(quirks))
    try:
        for data in came:
            transactions.receive(data)
    except ProtocolError:
        return
    (answer,) = transactions.answers
    if isinstance(answer, bytes):
        at = b"".join(came).index(answer)
        function, count = b"".join(came)[at - 2 : at]
        assert (function, len(answer)) == (3, 10)
        assert count == 10 or (Quirk.PADDED_DATA in quirks and count > 10)


@pytest.mark.parametrize("is_on", [False, True])
async def test_padded_bits_in_rtu_framing(is_on: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readexactly(8)
                body = request[:2] + b"\2\5\0"  # three bits, padded to a word
                writer.write(body + crc(body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    wanted = points("coil:0", "coil:1", "coil:2")
    options = {
        "framing": Framing.RTU,
        "request_timeout_ms": 500,
        "quirks": (Quirk.PADDED_DATA,) if is_on else (),
    }
    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as listener,
        connected(listener.sockets[0].getsockname()[1], **options) as driver,
    ):
        plan = driver.plan(wanted)
        if is_on:
            assert values_of(wanted, await driver.read(plan)) == [True, False, True]
        else:
            with pytest.raises(DriverError, match="no answer within 500 ms"):
                await driver.read(plan)


async def test_a_silence_is_a_silence_with_quirks_on_too() -> None:
    """The connection is given up, which is no second answer to who waits."""
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    async with odd(lambda _: b"") as (_, port):
        options = {"request_timeout_ms": 50, "quirks": [Quirk.ANY_UNIT]}
        async with connected(port, **options) as driver:
            with pytest.raises(NoResponseError, match="no answer within 50 ms"):
                await driver.read(driver.plan(points("holding:7")))
    assert not errors


@pytest.mark.parametrize("piece", [11, 1_000])
@pytest.mark.parametrize("ids", ["right", "constant"])
async def test_answers_that_come_twice_are_told_apart_without_ids(ids: str, piece: int) -> None:
    """Where any transaction id is taken, a repeated answer would pass for that of the next one."""
    head = b"\0\0" if ids == "constant" else b""

    def alter(answer: bytes) -> bytes:
        return (head + answer[len(head) :]) * 2

    wanted = points("holding:7", "holding:300", "holding:600")
    async with (
        odd(alter, piece) as (_, port),
        connected(port, quirks=(Quirk.ANY_TRANSACTION,)) as driver,
    ):
        plan = driver.plan(wanted)
        for _ in range(3):
            assert values_of(wanted, await driver.read(plan)) == [7, 300, 600]
