"""A server on raw sockets that answers wrongly in every way; the driver must notice each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateway.core.status import Reason
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import FaultProxy, values_of
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.support import connected, connection, points, read, reasons
from tests.support.peers import free_port

REQUEST = 12  # bytes of a read or of a write of one value
WANTED = points("holding:0", "holding:1")
Answer = Callable[[bytes], Sequence[bytes]]
"""From a request to the pieces in which an answer is sent."""


def right(request: bytes) -> bytes:
    """Registers that hold their own number of bytes: 0004 for two registers."""
    if request[7] > 4:
        return request
    count = request[11]
    body = bytes([request[7], 2 * count]) + (2 * count).to_bytes(2, "big") * count
    return request[:4] + (len(body) + 1).to_bytes(2, "big") + request[6:7] + body


def exception(request: bytes, code: int) -> bytes:
    return request[:5] + b"\x03" + request[6:7] + bytes([request[7] | 0x80, code])


class HostileServer:
    """Answers each request by ``answer``; ``requests`` are those that came."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.pause_s = 0.0
        self.requests: list[bytes] = []
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            while True:
                request = await reader.readexactly(REQUEST)
                self.requests.append(request)
                await asyncio.sleep(self.pause_s)
                for piece in self.answer(request):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the driver has gone, as it should after a wrong answer
        finally:
            writer.transport.abort()
            self.tasks.discard(task)


@asynccontextmanager
async def hostile(answer: Answer) -> AsyncIterator[HostileServer]:
    server = HostileServer(answer)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:  # the driver is closed by now, so the server's tasks end
        listener.close()
        if server.tasks:
            await asyncio.wait(server.tasks, timeout=60)


def changed(position: int, value: int) -> Answer:
    def answer(request: bytes) -> Sequence[bytes]:
        body = bytearray(right(request))
        body[position] = value
        return [bytes(body)]

    return answer


WRONG: list[tuple[str, Answer, str]] = [
    ("transaction id", lambda r: [bytes([r[0] ^ 0x77]) + right(r)[1:]], "which is not open"),
    ("protocol id", changed(3, 1), "protocol id 1 instead of 0"),
    ("unit", changed(6, 9), "unit 9 instead of 1"),
    ("function", changed(7, 4), "function 4 instead of 3"),
    ("MBAP length", changed(5, 6), "length 6 instead of 7"),
    ("byte count", changed(8, 2), "byte count 2 instead of 4"),
    (
        "fewer registers",
        lambda r: [r[:5] + b"\5" + r[6:8] + b"\2\0\4"],
        "byte count 2 instead of 4",
    ),
    ("more bytes", lambda r: [right(r) + b"\0"], "nobody asked for"),
    ("garbage", lambda r: [b"HTTP/1.1 400 Bad Request\r\n\r\n"], "are no Modbus TCP: 48545450"),
    ("late greeting", lambda r: [b"READY\r\n" + right(r)], r"quirks: \[greeting\]"),
    ("exception of another", lambda r: [exception(r[:7] + b"\4", 2)], "function 132 instead"),
]


@pytest.mark.parametrize(("answer", "message"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
async def test_a_wrong_answer_drops_the_connection(answer: Answer, message: str) -> None:
    async with hostile(answer) as server, connected(server.port) as driver:
        plan = driver.plan(WANTED)
        async with asyncio.timeout(60):
            with pytest.raises(NotConnectedError, match=message) as caught:
                await driver.read(plan)
            assert f"unit 1 at 127.0.0.1:{server.port}" in str(caught.value)
            assert "holding 0 to 1 (function 3, address 0 on the wire, count 2)" in str(
                caught.value
            )
            server.answer = lambda request: [right(request)]
            assert values_of(WANTED, await driver.read(plan)) == [4, 4]


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_second_answer_is_passed_over(pieces: int) -> None:
    """Its transaction id says whose it is, so it costs nobody the connection."""

    def answer(request: bytes) -> list[bytes]:
        return [right(request) * (3 - pieces)] * pieces

    async with hostile(answer) as server, connected(server.port) as driver:
        wanted = points("holding:0", "holding:300", "holding:301")
        for _ in range(20):
            assert await read(driver, wanted) == [2, 4, 4]
        assert not driver.renewals


async def test_a_gateway_that_is_one_answer_behind_is_told_by_its_ids() -> None:
    before = [b"\0\0"]

    def answer(request: bytes) -> list[bytes]:
        before.append(request[:2])
        return [before[-2] + right(request)[2:]]

    async with hostile(answer) as server, connected(server.port, request_timeout_ms=80) as driver:
        with pytest.raises(NotConnectedError, match=r"not open.*quirks: \[any_transaction\]"):
            await driver.read(driver.plan(WANTED))


@pytest.mark.parametrize("part", [0, 1, 8, 12])
async def test_silence_and_half_an_answer(part: int) -> None:
    def answer(request: bytes) -> list[bytes]:
        return [right(request)[:part]]

    async with hostile(answer) as server, connected(server.port, request_timeout_ms=80) as driver:
        with pytest.raises(NoResponseError, match="no answer within 80 ms"):
            await driver.read(driver.plan(WANTED))


async def test_byte_by_byte() -> None:
    def answer(request: bytes) -> list[bytes]:
        return [bytes([byte]) for byte in right(request)]

    async with hostile(answer) as server, connected(server.port) as driver:
        assert await read(driver, WANTED) == [4, 4]
        await driver.write(WANTED[0], 7)


async def test_a_dribbling_answer_does_not_outlive_its_time() -> None:
    async with (
        hostile(lambda r: [right(r)]) as server,
        FaultProxy(server.port) as proxy,
        connected(proxy.port, request_timeout_ms=500) as driver,
    ):
        proxy.piece, proxy.delay_s = 1, 0.05  # 13 bytes are on their way for longer
        with pytest.raises(NoResponseError, match="no answer within 500 ms"):
            await driver.read(driver.plan(WANTED))
        assert proxy.passed > 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, Reason.ILLEGAL_FUNCTION),
        (2, Reason.ILLEGAL_ADDRESS),
        (4, Reason.DEVICE_FAILURE),
        (6, Reason.DEVICE_BUSY),
    ],
)
async def test_exceptions_are_bad_values_not_a_lost_connection(code: int, reason: Reason) -> None:
    async with hostile(lambda r: [exception(r, code)]) as server, connected(server.port) as driver:
        reading = await driver.read(driver.plan(WANTED))
        assert reasons(reading) == [reason, reason]
        server.answer = lambda request: [right(request)]
        assert await read(driver, WANTED) == [4, 4]


@pytest.mark.parametrize("code", [10, 11])
async def test_a_unit_that_its_gateway_cannot_reach_leaves_the_connection(code: int) -> None:
    async with hostile(lambda r: [exception(r, code)]) as server, connected(server.port) as driver:
        plan = driver.plan(WANTED)
        with pytest.raises(
            NoResponseError, match=rf"exception {code}\) to holding 0 to 1"
        ) as caught:
            await driver.read(plan)
        assert caught.value.reason.code.startswith("gateway_")
        server.answer = lambda request: [right(request)]
        assert values_of(WANTED, await driver.read(plan)) == [4, 4]
        assert len(server.tasks) == 1


async def test_a_refused_write_names_tag_and_reason() -> None:
    async with hostile(lambda r: [exception(r, 3)]) as server, connected(server.port) as driver:
        with pytest.raises(DriverError, match=r"refused to write t0 .*illegal_value") as caught:
            await driver.write(WANTED[0], 7)
        assert not isinstance(caught.value, NotConnectedError)


async def test_a_wrong_echo_is_not_taken_for_success() -> None:
    async with hostile(changed(11, 9)) as server, connected(server.port) as driver:
        with pytest.raises(NotConnectedError, match="content 00000009 instead of 00000007"):
            await driver.write(WANTED[0], 7)


@pytest.mark.parametrize(
    ("raw", "value", "message"),
    [
        ("input:0", 1, "table input cannot be written"),
        ("discrete:0", True, "table discrete cannot be written"),
        ("holding:0.3", 1, "1 is no bool"),
        ("holding:0.12-20:uint32", 1, "bits 12 to 20 lie in several registers"),
        ("holding:0", 70_000, "does not fit uint16"),
        pytest.param("holding:0:float64", 10**400, "does not fit float64", id="huge"),
        ("coil:0", 1, "1 is no bool"),
        ("holding:0:string[1]", "abc", "needs 3 bytes"),
    ],
)
async def test_what_cannot_be_written_is_not_sent(raw: str, value: object, message: str) -> None:
    async with hostile(lambda r: [right(r)]) as server, connected(server.port) as driver:
        with pytest.raises(DriverError, match=message):
            await driver.write(points(raw)[0], value)  # type: ignore[arg-type]
        assert await read(driver, WANTED) == [4, 4]
        assert [request[7] for request in server.requests] == [3]


async def test_a_window_keeps_requests_under_way() -> None:
    held: list[bytes] = []

    def in_reverse(request: bytes) -> Sequence[bytes]:
        held.append(right(request))
        if len(held) < 4:
            return []
        answers = held[::-1]
        held.clear()
        return answers

    many = points(*(f"holding:{200 * i}" for i in range(8)))
    async with hostile(lambda r: [right(r)]) as server, connected(server.port, window=4) as driver:
        plan = driver.plan(many)
        await driver.read(plan)  # a unit must answer once before it is asked for more
        server.answer, server.requests = in_reverse, []
        assert values_of(many, await driver.read(plan)) == [2] * 8
        assert len({request[:2] for request in server.requests}) == 8


async def test_a_serial_gateway_that_works_off_a_window_is_not_silent() -> None:
    many = points(*(f"holding:{200 * i}" for i in range(4)))
    async with (
        hostile(lambda r: [right(r)]) as server,
        connected(server.port, window=4, request_timeout_ms=1_000) as driver,
    ):
        server.pause_s = 0.3  # four of them take longer than the wait for one
        assert await read(driver, many) == [2] * 4


@pytest.mark.parametrize("fault", ["closed", "silent"])
async def test_a_loss_is_noticed_although_every_tag_rests(fault: str) -> None:
    async with (
        hostile(lambda r: [exception(r, 2)]) as server,
        connected(server.port, request_timeout_ms=500) as driver,
    ):
        plan = driver.plan(WANTED)
        for _ in range(10):
            assert reasons(await driver.read(plan)) == [Reason.ILLEGAL_ADDRESS] * 2
        if fault == "closed":
            for task in server.tasks:
                task.cancel()
        server.answer = lambda _: []
        with pytest.raises(DriverError, match="no answer within"):
            await driver.read(plan)


async def test_a_window_of_one_waits_for_each_answer() -> None:
    many = points(*(f"holding:{200 * i}" for i in range(8)))
    open_requests = 0

    def answer(request: bytes) -> Sequence[bytes]:
        nonlocal open_requests
        open_requests += 1
        assert open_requests == 1
        open_requests -= 1
        return [right(request)]

    async with hostile(answer) as server, connected(server.port) as driver:
        assert await read(driver, many) == [2] * 8


async def test_a_cancelled_reading_leaves_nothing_for_the_next() -> None:
    async with hostile(lambda _: []) as server, connected(server.port) as driver:
        plan = driver.plan(WANTED)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await driver.read(plan)
        server.answer = lambda request: [right(request)]
        assert values_of(WANTED, await driver.read(plan)) == [4, 4]
        assert len(server.tasks) == 1


async def test_one_link_never_delays_another() -> None:
    """Two units on links of their own."""

    def answer(request: bytes) -> list[bytes]:
        return [] if request[6] == 1 else [right(request)]

    async with (
        hostile(answer) as gateway,
        connected(gateway.port, unit=1, request_timeout_ms=30_000) as dead,
        connected(gateway.port, unit=2) as alive,
    ):
        waiting = asyncio.create_task(dead.read(dead.plan(WANTED)))
        plan = alive.plan(WANTED)
        async with asyncio.timeout(60):
            for _ in range(50):
                assert values_of(WANTED, await alive.read(plan)) == [4, 4]
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_the_watch_survives_many_polls_and_still_bites() -> None:
    async with (
        hostile(lambda r: [right(r)]) as server,
        connected(server.port, request_timeout_ms=800) as driver,
    ):
        plan = driver.plan(WANTED)
        end = asyncio.get_running_loop().time() + 1.7  # two watches and more
        while asyncio.get_running_loop().time() < end:
            await driver.read(plan)
        server.answer = lambda _: []
        with pytest.raises(NoResponseError, match="no answer within 800 ms"):
            await driver.read(plan)


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid", "a..b", "x" * 70])
async def test_nobody_there(host: str) -> None:
    driver = SPEC.make(replace(connection(free_port()), host=host))
    async with asyncio.timeout(60):
        with pytest.raises(NotConnectedError, match=f"cannot connect to Modbus unit 1 at {host}"):
            await driver.connect()
        with pytest.raises(NotConnectedError, match="not connected"):
            await driver.read(driver.plan(WANTED))
        await driver.close()


@pytest.mark.parametrize("fault", ["cut", "garbage", "half-open", "delay", "slow pieces"])
async def test_faults_between_driver_and_device(fault: str) -> None:
    async with (
        hostile(lambda r: [right(r)]) as server,
        FaultProxy(server.port) as proxy,
        connected(proxy.port, request_timeout_ms=1_500) as driver,
    ):
        plan = driver.plan(WANTED)
        assert values_of(WANTED, await driver.read(plan)) == [4, 4]
        if fault == "slow pieces":
            proxy.piece, proxy.delay_s = 1, 0.005
            assert values_of(WANTED, await driver.read(plan)) == [4, 4]
            return
        if fault == "delay":
            proxy.delay_s = 0.1
            assert values_of(WANTED, await driver.read(plan)) == [4, 4]
            proxy.delay_s = 4.0
        elif fault == "cut":
            proxy.cut()
            assert values_of(WANTED, await driver.read(plan)) == [4, 4]
            assert driver.renewals == 1
            return
        elif fault == "garbage":
            proxy.alter = lambda data: bytes(reversed(data))
        else:
            await proxy.stall()
        with pytest.raises(DriverError):
            await driver.read(plan)
        proxy.delay_s, proxy.alter = 0.0, None
        await proxy.resume()
        await driver.connect()
        assert values_of(WANTED, await driver.read(plan)) == [4, 4]
