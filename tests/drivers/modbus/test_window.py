"""A window that nobody has written is found, and given up at the first sign of confusion."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from struct import pack, unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.api import DriverError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.codec import NOT_SENT, SILENT, WRONG, Table
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.framing.orderly import Orderly
from gateway.drivers.modbus.framing.quirks import Quirk
from gateway.drivers.modbus.framing.series import ProtocolError
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.pauses import Pauses
from gateway.drivers.modbus.reach.window import MOST, Window, may_find
from tests.drivers.modbus.peers import libmodbus, modbus_serial, pymodbus
from tests.drivers.modbus.support import connected, connection, points, reasons

WANTED = points(*(f"holding:{place}" for place in range(100)))
VALUES = [3 * place + 1 for place in range(100)]
OPTIONS = {"max_registers": 24, "request_timeout_ms": 4_000}
"""Five requests for 24, 23, 22, 21 and 10 registers."""

Requests = Sequence[bytes]
Behaviour = Callable[[Requests], list[bytes]]
"""From the requests that came together to what is sent for them; an empty piece ends it all."""


def right(request: bytes) -> bytes:
    """Registers that hold three times their address, and one."""
    start, count = unpack(">HH", request[8:12])
    data = pack(f">{count}H", *(3 * place + 1 for place in range(start, start + count)))
    head = (len(data) + 3).to_bytes(2, "big") + request[6:8] + bytes((len(data),))
    return request[:4] + head + data


def under(request: bytes, answer: bytes) -> bytes:
    """An answer under the id of another request."""
    return request[:2] + answer[2:]


def each(requests: Requests) -> list[bytes]:
    return [right(request) for request in requests]


def refusing(requests: Requests, code: int) -> list[bytes]:
    """All but the first are refused."""
    later = [one[:4] + b"\0\3" + one[6:7] + bytes((0x83, code)) for one in requests[1:]]
    return [*each(requests[:1]), *later]


CONFUSED: dict[str, Behaviour] = {
    "another order": lambda all_: each(all_)[::-1],
    "the second is dropped": lambda all_: each([*all_[:1], *all_[2:]]),
    "only the first is answered": lambda all_: each(all_[:1]),
    "none is answered": lambda _all: [],
    "answers come twice": lambda all_: [one for one in each(all_) for _ in range(2)],
    "the first comes once more": lambda all_: [*each(all_), right(all_[0])],
    "all have the newest id": lambda all_: [under(all_[-1], one) for one in each(all_)],
    "all have the oldest id": lambda all_: [under(all_[0], one) for one in each(all_)],
    "ids are turned round": lambda all_: [
        under(one, right(other)) for one, other in zip(all_, all_[::-1], strict=True)
    ],
    "the first is dropped and its id goes on": lambda all_: [
        under(one, right(other)) for one, other in pairwise(all_)
    ],
    "each has the data of the one before": lambda all_: [
        under(one, right(other)) for one, other in zip(all_, [all_[0], *all_], strict=False)
    ],
    "a frame is cut short": lambda all_: [right(all_[0])[:-1], *each(all_[1:])],
    "it is busy": lambda all_: refusing(all_, codec.BUSY),
    "it is still at work": lambda all_: refusing(all_, codec.ACKNOWLEDGED),
    "its gateway is": lambda all_: refusing(all_, codec.GATEWAY_TARGET),
    "the connection ends": lambda all_: [*each(all_[:1]), b""],
}


class Device:
    """Answers requests that come one by one well, and those that come together in its way."""

    def __init__(self, behaviour: Behaviour, answer_s: float) -> None:
        self.behaviour, self.answer_s = behaviour, answer_s
        self.answered = 0
        self.most = 0  # requests that came together

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(12 * MOST):
                await asyncio.sleep(self.answer_s)
                self.answered += len(data) // 12
                requests = [data[at : at + 12] for at in range(0, len(data), 12)]
                self.most = max(self.most, len(requests))
                together = self.behaviour if len(requests) > 1 else each
                for piece in together(requests):
                    writer.write(piece)
                    if not piece:
                        return
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def device(
    behaviour: Behaviour = each, answer_s: float = 0.004
) -> AsyncIterator[tuple[Device, int]]:
    one = Device(behaviour, answer_s)
    async with await asyncio.start_server(one.serve, "127.0.0.1", 0) as listener:
        yield one, listener.sockets[0].getsockname()[1]


async def read_well(driver: ModbusDriver, times: int) -> None:
    """Every value of every reading is there and right."""
    plan = driver.plan(WANTED)
    for _ in range(times):
        async with asyncio.timeout(60):
            reading = await driver.read(plan)
        assert not reading.status.any(), reasons(reading)
        assert values_of(WANTED, reading) == VALUES


def window_of(driver: ModbusDriver) -> Window:
    return driver._link.window


async def test_it_is_found_where_it_is_faster_and_used() -> None:
    async with device() as (slave, port), connected(port, **OPTIONS) as driver:
        await read_well(driver, 2)
        assert slave.most == 1
        await read_well(driver, 60)
        assert (slave.most, window_of(driver).found) == (5, 8)
        assert not driver.renewals
        assert not driver.notices()


@pytest.mark.parametrize("how", CONFUSED)
async def test_confusion_loses_no_reading_and_makes_no_value_wrong(how: str) -> None:
    async with device(CONFUSED[how]) as (slave, port), connected(port, **OPTIONS) as driver:
        await read_well(driver, 20)
        assert slave.most == 2
        assert (window_of(driver).found, window_of(driver).refusals) == (1, 1)
        assert driver.renewals == 1
        slave.most = 0
        await read_well(driver, 20)
        assert slave.most == 1
        assert any("several requests at once" in remark for remark in driver.remarks())
        assert [notice.key for notice in driver.notices()] == ["window"]


async def test_a_device_that_drops_each_third_is_asked_with_two_at_most_then_one_by_one() -> None:
    async with (
        device(lambda all_: each(all_[:2])) as (slave, port),
        connected(port, **OPTIONS) as driver,
    ):
        await read_well(driver, 60)
        assert (slave.most, window_of(driver).found) == (4, 1)


async def test_a_line_behind_it_that_is_no_faster_is_asked_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the clock of the line: on a busy machine, fewer and longer answers would be faster."""
    async with device(answer_s=0.0) as (line, port), connected(port, **OPTIONS) as driver:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        monkeypatch.setattr(loop, "time", lambda: began_s + 0.02 * line.answered)
        await read_well(driver, 20)
        monkeypatch.undo()
        assert (window_of(driver).found, window_of(driver).refusals) == (1, 0)
        assert not driver.notices()


async def test_a_device_that_went_away_has_not_been_confused() -> None:
    async with AsyncExitStack() as stack:
        _, port = await stack.enter_async_context(device())
        driver = await stack.enter_async_context(connected(port, **OPTIONS))
        await read_well(driver, 60)
        found = window_of(driver).found
        silent = asyncio.create_task(driver.read(driver.plan(WANTED)))
        await driver.close()
        with pytest.raises(DriverError):
            await silent
        await driver.connect()
        await read_well(driver, 2)
        assert window_of(driver).found == found > 1


@pytest.mark.parametrize("is_found", [False, True])
async def test_a_reading_that_is_cut_off_ends_a_connection_with_several_under_way(
    is_found: bool,
) -> None:
    async with device() as (slave, port), connected(port, **OPTIONS) as driver:
        await read_well(driver, 60 if is_found else 1)
        plan = driver.plan(WANTED)
        await driver.read(plan)
        slave.answer_s = 0.5
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await driver.read(plan)
        channel = driver._asking.channel
        assert channel is not None
        assert channel.is_open != is_found
        assert window_of(driver).refusals == 0


async def test_a_device_that_becomes_slow_is_waited_for_though_its_requests_are_alike() -> None:
    """None of them is sent beside another, and none is given up early for good."""
    wanted = points("holding:0", "holding:300", "holding:600")
    async with device(answer_s=0.0) as (slave, port), connected(port, **OPTIONS) as driver:
        plan = driver.plan(wanted)
        for wait_s in (0.0, 0.0, 0.0, 0.0, 0.0, 1.2, 1.2):
            slave.answer_s = wait_s
            async with asyncio.timeout(60):
                reading = await driver.read(plan)
            assert (slave.most, values_of(wanted, reading)) == (1, [1, 901, 1_801])
            assert not reading.status.any()


async def test_what_was_found_is_kept_over_restarts() -> None:
    async with device() as (slave, port):
        async with connected(port, **OPTIONS) as driver:
            await read_well(driver, 60)
            knowledge = json.loads(json.dumps(driver.knowledge))
        slave.most = 0
        async with connected(port, **OPTIONS) as driver:
            driver.recall(knowledge)
            await read_well(driver, 2)
            assert slave.most == 5


async def test_so_is_that_it_was_given_up() -> None:
    async with device(CONFUSED["it is busy"]) as (slave, port):
        async with connected(port, **OPTIONS) as driver:
            await read_well(driver, 20)
            knowledge = json.loads(json.dumps(driver.knowledge))
        slave.most = 0
        async with connected(port, **OPTIONS) as driver:
            driver.recall(knowledge)
            await read_well(driver, 20)
            assert slave.most == 1


@pytest.mark.parametrize("peer", ["libmodbus", "modbus-serial", "pymodbus"])
async def test_servers_by_others_are_read_well_whatever_they_take(
    peer: str, tmp_path: Path
) -> None:
    """Of several that arrive together pymodbus answers one."""
    async with AsyncExitStack() as stack:
        if peer == "pymodbus":
            port = await stack.enter_async_context(pymodbus())
        else:
            opened = libmodbus(tmp_path) if peer == "libmodbus" else modbus_serial()
            port = stack.enter_context(opened)
        driver = await stack.enter_async_context(connected(port, **OPTIONS))
        for point, value in zip(WANTED[::7], VALUES[::7], strict=True):
            await driver.write(point, value)
        plan = driver.plan(WANTED)
        wanted = [value if at % 7 == 0 else 0 for at, value in enumerate(VALUES)]
        for _ in range(40):
            async with asyncio.timeout(60):
                reading = await driver.read(plan)
            assert (reasons(reading), values_of(WANTED, reading)) == ([Reason.NONE] * 100, wanted)
        assert window_of(driver).refusals == (peer == "pymodbus")


def test_it_is_looked_for_at_one_device_in_modbus_tcp_only() -> None:
    assert may_find([connection()])
    assert may_find([connection(unit=7), connection(unit=7)])
    assert not may_find([connection(unit=1), connection(unit=2)])
    for written in (
        {"window": 1},
        {"window": 4},
        {"framing": "rtu"},
        {"transport": "udp"},
        {"quirks": (Quirk.ANY_UNIT,)},
    ):
        assert not may_find([connection(**written)])


async def test_a_second_unit_at_the_endpoint_ends_it() -> None:
    each_of = [connection(unit=1), connection(unit=2)]
    link = ModbusLink(each_of[:1])
    assert link.window.is_open
    link.configure(each_of)
    assert not link.window.is_open


# -- how long it rests --------------------------------------------------------------------


def test_it_is_tried_again_after_longer_and_longer() -> None:
    window, told, now_s = Window(Pauses()), list[int](), 0.0
    window.is_open = True
    for _ in range(8):
        window.confused("no answer", now_s)
        before = now_s
        while window.width(now_s) == 0:
            now_s += 600.0
        told.append(round((now_s - before) / 3_600))
    assert told == [1, 2, 4, 8, 16, 16, 16, 16]


def test_a_device_that_goes_twice_within_an_hour_has_been_confused() -> None:
    window = Window(Pauses())
    window.is_open = True
    window.interrupted("gone", 1_000.0)
    assert window.refusals == 0
    window.interrupted("gone", 1_000.0 + 4_000.0)
    assert window.refusals == 0
    window.interrupted("gone", 1_000.0 + 5_000.0)
    assert window.refusals == 1


# -- what is under way together -----------------------------------------------------------


@given(st.data())
def test_no_answer_passes_for_another_whatever_ids_they_have(data: st.DataObject) -> None:
    """A hostile device answers what it was asked, in any order, under any ids, any number."""
    counts = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=12))
    requests = [codec.read(Table.HOLDING, 10 * at, count) for at, count in enumerate(counts)]
    series = Orderly(data.draw(st.integers(0, 65_535)))
    out, asked = series.begin(1, requests, data.draw(st.integers(2, 16))), list[bytes]()
    try:
        while out:
            asked += [out[at : at + 12] for at in range(0, len(out), 12)]
            asked = asked[-len(series._open) :]
            heads = [one[10:12] for one in asked]
            assert len(set(heads)) == len(heads), "answers that cannot be told apart"
            pairs = st.tuples(st.sampled_from(asked), st.sampled_from(asked))
            said = data.draw(st.lists(pairs, max_size=4) | st.just([(one, one) for one in asked]))
            out = series.receive(b"".join(under(key, right(body)) for key, body in said))
    except ProtocolError:
        series.give_up(WRONG)
    else:
        if series.missing:
            series.give_up(SILENT)
    for request, answer in zip(requests, series.answers, strict=True):
        if isinstance(answer, bytes):
            asked_for = b"\0\0\0\0\0\6\1" + request.pdu
            assert answer == right(asked_for)[9:]


def test_what_came_beside_a_missing_answer_is_not_believed() -> None:
    """Where a gateway drops a request, the next answer may have its id."""
    requests = [codec.read(Table.HOLDING, 0, count) for count in (1, 2, 3)]
    series = Orderly()
    out = series.begin(1, requests, 3)
    assert series.receive(right(out[:12])) == b""
    series.give_up(SILENT)
    assert series.answers == [NOT_SENT, SILENT, NOT_SENT]
