"""Units that share a host and port, against servers on raw sockets that behave like the field's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection, Framing, conflicts
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.rtu import crc
from tests.drivers.modbus.support import connection, points

WANTED = points("holding:0")


class Box:
    """A serial server: answers each request of a living unit with the unit's number.

    Args:
        dead: units that say nothing.
        most: connections; one more is closed at once.
        is_rtu: whether it passes RTU frames on.
    """

    def __init__(self, dead: set[int], most: int, *, is_rtu: bool) -> None:
        self.dead, self.most, self.is_rtu = dead, most, is_rtu
        self.asked: list[int] = []
        self.accepted = self.turned_away = 0
        self.ignored = 0
        self.writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self.writers) >= self.most:
            self.turned_away += 1
            writer.transport.abort()
            return
        self.accepted += 1
        self.writers.add(writer)
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(8 if self.is_rtu else 12)
        body = request[:-2] if self.is_rtu else request[6:]
        if self.is_rtu and crc(body) != request[-2:]:
            return
        unit, count = body[0], body[5]
        self.asked.append(unit)
        if self.ignored:
            self.ignored -= 1
        elif unit not in self.dead:
            answer = bytes([unit, 3, 2 * count]) + bytes([0, unit]) * count
            head = request[:4] + len(answer).to_bytes(2, "big")
            writer.write(answer + crc(answer) if self.is_rtu else head + answer)


@asynccontextmanager
async def box(
    dead: set[int] = frozenset(),
    most: int = 99,
    *,
    is_rtu: bool = False,  # type: ignore[assignment]
) -> AsyncIterator[tuple[Box, int]]:
    one = Box(dead, most, is_rtu=is_rtu)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    try:
        yield one, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def units(link: ModbusLink, each: Sequence[Connection]) -> AsyncIterator[list[ModbusDriver]]:
    drivers = [link.driver(one) for one in each]
    try:
        async with asyncio.timeout(20):
            for driver in drivers:
                await driver.connect()
            yield drivers
    finally:
        for driver in drivers:
            await driver.close()


def several(port: int, numbers: Sequence[int], **options: object) -> list[Connection]:
    return [connection(port, unit=number, request_timeout_ms=200, **options) for number in numbers]


def value(reading: Reading) -> object:
    return values_of(WANTED, reading)[0]


async def test_thirty_units_share_the_one_connection_that_is_accepted() -> None:
    async with box(most=1) as (server, port):
        each = several(port, range(1, 31))
        async with units(ModbusLink(each), each) as drivers:
            for driver, one in zip(drivers, each, strict=True):
                assert value(await driver.read(driver.plan(WANTED))) == one.unit
            await drivers[0].close()
            assert value(await drivers[1].read(drivers[1].plan(WANTED))) == 2
        assert (server.accepted, server.turned_away) == (1, 0)


@pytest.mark.parametrize("is_rtu", [False, True])
async def test_a_dead_unit_leaves_the_others_and_their_connection(is_rtu: bool) -> None:
    async with box({2}, is_rtu=is_rtu) as (server, port):
        each = several(port, [1, 2, 3], framing=Framing.RTU if is_rtu else Framing.TCP)
        async with units(ModbusLink(each), each) as (one, dead, three):
            plans = [driver.plan(WANTED) for driver in (one, dead, three)]
            for _ in range(3):
                assert value(await one.read(plans[0])) == 1
                with pytest.raises(NoResponseError, match="no answer within 200 ms to holding 0"):
                    await dead.read(plans[1])
                assert value(await three.read(plans[2])) == 3
            assert server.asked.count(2) == 3
            assert server.accepted == 1
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await dead.read(plans[1])
            assert value(await one.read(plans[0])) == 1
        assert server.accepted == 1


async def test_connections_are_as_many_as_is_said() -> None:
    async with box() as (server, port):
        each = several(port, range(1, 7), connections=3)
        link = ModbusLink(each)
        assert link.turns == 3
        async with units(link, each) as drivers:
            readings = await asyncio.gather(
                *(driver.read(driver.plan(WANTED)) for driver in drivers[:3])
            )
            assert [value(reading) for reading in readings] == [1, 2, 3]
        assert server.accepted == 3


async def test_after_a_restart_of_the_server_one_unit_connects_for_all() -> None:
    async with box() as (server, port):
        each = several(port, [1, 2])
        async with units(ModbusLink(each), each) as (one, two):
            plan = one.plan(WANTED)
            await one.read(plan)
            for writer in list(server.writers):
                writer.transport.abort()
            with pytest.raises(NotConnectedError):
                while True:
                    await one.read(plan)
            await one.connect()
            assert value(await two.read(two.plan(WANTED))) == 2
        assert server.accepted == 2


async def test_many_units_knock_once_where_nobody_answers() -> None:
    async with box() as (_, port):
        pass
    each = several(port, range(1, 6))
    link = ModbusLink(each)
    for driver in [link.driver(one) for one in each]:
        with pytest.raises(NotConnectedError, match=f"cannot connect to Modbus unit .*:{port}"):
            await driver.connect()


async def test_a_unit_may_join_and_leave_at_any_time() -> None:
    async with box() as (server, port):
        each = several(port, [1])
        link = ModbusLink(each)
        async with units(link, each) as (one,):
            late = link.driver(several(port, [9])[0])
            await late.connect()
            assert value(await late.read(late.plan(WANTED))) == 9
            await late.close()
            with pytest.raises(NotConnectedError, match="not connected"):
                await late.read(late.plan(WANTED))
            assert value(await one.read(one.plan(WANTED))) == 1
        assert server.accepted == 1


async def until_read(driver: ModbusDriver) -> tuple[object, list[str]]:
    """Read as a poller would, until there is a value; also what was said before."""
    plan, said = driver.plan(WANTED), []
    for _ in range(8):
        try:
            return value(await driver.read(plan)), said
        except NotConnectedError as error:
            said.append(str(error))
            await driver.connect()
        except DriverError as error:
            said.append(str(error))
    raise AssertionError(said)


async def test_rtu_frames_are_found_by_themselves_and_the_message_points_there() -> None:
    async with box(is_rtu=True) as (_, port):
        each = several(port, [1])
        async with units(ModbusLink(each), each) as (one,):
            got, said = await until_read(one)
    assert got == 1
    assert "framing: rtu" in said[0]


async def test_a_device_that_is_not_ready_yet_is_found_on_the_same_connection() -> None:
    async with box() as (server, port):
        server.ignored = 1
        each = several(port, [1])
        async with units(ModbusLink(each), each) as (one,):
            got, _ = await until_read(one)
        assert (got, server.accepted) == (1, 1)


def test_what_contradicts_is_named() -> None:
    each = [
        connection(connections=2, framing=Framing.RTU),
        connection(unit=2),
        connection(unit=3, connections=3, framing=Framing.TCP),
        connection(unit=4, connections=2, framing=Framing.RTU),
    ]
    found = {(position, key) for position, key, _ in conflicts(each)}
    assert found == {(2, "connections"), (2, "framing")}
    assert SPEC.link is not None
    assert SPEC.link.key(each[0]) == SPEC.link.key(each[1])
