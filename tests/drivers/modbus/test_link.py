"""Units that share a host and port, against servers on raw sockets that behave like the field's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC, pool
from gateway.drivers.modbus import link as link_module
from gateway.drivers.modbus.config import Connection, Framing
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.reach.contradictions import conflicts
from tests.drivers.modbus.support import connection, points
from tests.support.serial_server import SerialServer
from tests.support.serial_server import serial_server as box
from tests.support.waiting import until

WANTED = points("holding:0")
PATIENT = {"request_timeout_ms": 2_000}
"""Nobody who is there is called silent, however busy the machine is."""
Got = tuple[int, list[str]]
"""A value that was read, and what was said before."""


@asynccontextmanager
async def units(link: ModbusLink, each: Sequence[Connection]) -> AsyncIterator[list[ModbusDriver]]:
    drivers = [link.driver(one) for one in each]
    try:
        async with asyncio.timeout(60):
            for driver in drivers:
                await driver.connect()
            yield drivers
    finally:
        for driver in drivers:
            await driver.close()


def several(port: int, numbers: Sequence[int], **options: object) -> list[Connection]:
    options = {"request_timeout_ms": 500, **options}
    return [connection(port, unit=number, **options) for number in numbers]


def value(reading: Reading) -> int:
    (only,) = values_of(WANTED, reading)
    assert isinstance(only, int)
    return only


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
    async with box(dead={2}, is_rtu=is_rtu) as (server, port):
        each = several(port, [1, 2, 3], framing=Framing.RTU if is_rtu else Framing.TCP)
        async with units(ModbusLink(each), each) as (one, dead, three):
            plans = [driver.plan(WANTED) for driver in (one, dead, three)]
            for _ in range(3):
                assert value(await one.read(plans[0])) == 1
                with pytest.raises(NoResponseError, match="no answer within 500 ms to holding 0"):
                    await dead.read(plans[1])
                assert value(await three.read(plans[2])) == 3
            assert server.asked[2] == 3
            assert server.accepted == 1
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await dead.read(plans[1])
            assert value(await one.read(plans[0])) == 1
        assert server.accepted == 1


async def read_together(link: ModbusLink, drivers: Sequence[ModbusDriver]) -> list[Got]:
    """Read each once as the edge would: as many side by side as the link has turns."""
    waiting, running, got = list(drivers)[::-1], set[asyncio.Task[Got]](), []
    while waiting or running:
        while waiting and len(running) < link.turns:
            running.add(asyncio.create_task(until_read(waiting.pop())))
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        got += [await one for one in done]
    return sorted(got)


async def test_connections_are_opened_one_by_one_up_to_what_is_said() -> None:
    async with box(answer_s=0.002) as (server, port):
        each = several(port, range(1, 21), connections=3, **PATIENT)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            assert (link.turns, server.accepted) == (1, 1)
            for _ in range(3):
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert (link.turns, server.accepted) == (3, 3)


@pytest.mark.parametrize("excess", ["close", "hang", "replace"])
@pytest.mark.parametrize("is_rtu", [False, True])
async def test_a_server_that_takes_fewer_connections_shows_how_many(
    excess: str, is_rtu: bool
) -> None:
    """Nobody is lost by it, and it is not tried again and again."""
    framing = Framing.RTU if is_rtu else Framing.TCP
    async with box(most=8, excess=excess, is_rtu=is_rtu, answer_s=0.002) as (server, port):
        each = several(port, range(1, 31), connections=16, framing=framing, **PATIENT)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            for _ in range(5):
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert link.turns == 8
            assert server.turned_away == 1


@asynccontextmanager
async def box_whose_queue_is_full() -> AsyncIterator[tuple[SerialServer, int]]:
    """It accepts once; the only place in its queue is taken, so further attempts are dropped."""
    server, loop = SerialServer(answer_s=0.002), asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        listening.setblocking(False)
        address = listening.getsockname()

        async def accept() -> None:
            accepted, _ = await loop.sock_accept(listening)
            with socket.create_connection(address):
                await server.serve(*await asyncio.open_connection(sock=accepted))

        accepting = asyncio.create_task(accept())
        yield server, address[1]
        await accepting


async def test_a_server_whose_queue_is_full_shows_how_many_connections_it_takes() -> None:
    """Its system drops the first packet of one more, so that opening it does not even fail."""
    async with box_whose_queue_is_full() as (server, port):
        each = several(port, range(1, 5), connections=3)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            for _ in range(3):
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert (link.turns, server.accepted) == (1, 1)


async def test_a_connection_that_is_closed_because_it_is_idle_shows_no_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "ROOM_S", 0.0)  # as if long ago
    async with box(answer_s=0.002) as (server, port):
        each = several(port, range(1, 11), connections=2, **PATIENT)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            await read_together(link, drivers)
            assert (link.turns, len(server.writers)) == (2, 2)
            server.writers[0].transport.abort()
            await until(lambda: len(server.writers) == 1)
            await read_together(link, drivers)
            assert link.turns == 2


async def test_a_connection_more_is_tried_again_after_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LIMIT_S", 0.0)
    async with box(most=2, answer_s=0.002) as (server, port):
        each = several(port, range(1, 31), connections=3, **PATIENT)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            while server.turned_away < 2:
                await read_together(link, drivers)
            server.most = 3
            while server.accepted < 3:
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert link.turns == 3


async def test_changed_settings_are_followed_without_losing_a_unit() -> None:
    async with box(answer_s=0.002) as (server, port):
        each = several(port, range(1, 21), **PATIENT)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            await read_together(link, drivers)
            link.configure(several(port, range(1, 21), connections=4, **PATIENT))
            for _ in range(2):
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert (link.turns, len(server.writers)) == (4, 4)
            link.configure(each)
            assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            await until(lambda: len(server.writers) == 1)
            server.is_rtu = True
            link.configure(several(port, range(1, 21), framing=Framing.RTU, **PATIENT))
            assert await read_together(link, drivers) == [(one.unit, []) for one in each]


async def test_after_a_restart_of_the_server_one_unit_connects_for_all() -> None:
    async with box() as (server, port):
        each = several(port, [1, 2])
        async with units(ModbusLink(each), each) as (one, two):
            plan = one.plan(WANTED)
            await one.read(plan)
            for writer in list(server.writers):
                writer.transport.abort()
            await until(lambda: not server.writers)
            assert value(await one.read(plan)) == 1
            assert value(await two.read(two.plan(WANTED))) == 2
        assert server.accepted == 2


@pytest.mark.parametrize("is_rtu", [False, True])
async def test_a_connection_that_died_unnoticed_is_made_anew_and_no_unit_waits_longer(
    is_rtu: bool,
) -> None:
    """The poller connects anew after a back-off more; it must not have to."""
    async with box(is_rtu=is_rtu) as (server, port):
        framing = Framing.RTU if is_rtu else Framing.TCP
        each = several(port, range(1, 9), framing=framing, request_timeout_ms=1_000)
        async with units(ModbusLink(each), each) as drivers:
            plans = [driver.plan(WANTED) for driver in drivers]
            assert value(await drivers[0].read(plans[0])) == 1
            server.half_open += server.writers
            silent = 0
            for driver, plan, one in zip(drivers, plans, each, strict=True):
                try:
                    assert value(await driver.read(plan)) == one.unit
                except NoResponseError:
                    silent += 1
            assert 0 < silent <= 3
            for driver, plan, one in zip(drivers, plans, each, strict=True):
                assert value(await driver.read(plan)) == one.unit
        assert server.accepted == 2


@pytest.mark.parametrize("is_rtu", [False, True])
async def test_a_reading_cut_off_before_it_was_asked_is_no_silence(is_rtu: bool) -> None:
    """It ends while the link waits for a pause to be over; the connection is not to blame."""
    async with box(is_rtu=is_rtu) as (server, port):
        framing = Framing.RTU if is_rtu else Framing.TCP
        each = several(port, [1], framing=framing, pause_between_requests_ms=2_000, **PATIENT)
        async with units(ModbusLink(each), each) as (one,):
            plan = one.plan(WANTED)
            assert value(await one.read(plan)) == 1
            for _ in range(link_module.SILENT_SERIES):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await one.read(plan)
            assert value(await one.read(plan)) == 1
            assert (server.asked[1], server.accepted) == (2, 1)


async def test_many_units_knock_once_where_nobody_answers() -> None:
    async with box() as (_, port):
        pass
    each = several(port, range(1, 6))
    link = ModbusLink(each)
    for driver in [link.driver(one) for one in each]:
        with pytest.raises(NotConnectedError, match=f"cannot connect to Modbus unit .*:{port}"):
            await driver.connect()


async def test_who_was_told_that_nobody_answers_knocks_for_the_others_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "REDIAL_S", 1_000.0)
    async with box() as (_, port):
        pass
    each = several(port, (1, 2))
    link = ModbusLink(each)
    one, two = (link.driver(connection) for connection in each)
    with pytest.raises(NotConnectedError):
        await one.connect()
    server = SerialServer()
    async with await asyncio.start_server(server.serve, "127.0.0.1", port):
        with pytest.raises(NotConnectedError):
            await two.connect()
        assert server.accepted == 0
        for driver in (one, two):
            await driver.connect()
        assert server.accepted == 1
        for driver in (one, two):
            await driver.close()


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


async def until_read(driver: ModbusDriver) -> Got:
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


@pytest.mark.parametrize("most", [1, 4])
async def test_finding_rtu_frames_costs_one_unit_one_reading(most: int) -> None:
    """However many units and connections there are; the unit is read after its back-off."""
    async with box(is_rtu=True, answer_s=0.002) as (_, port):
        each = several(port, range(1, 9), connections=most, request_timeout_ms=1_000)
        link = ModbusLink(each)
        async with units(link, each) as drivers:
            first = await read_together(link, drivers)
            assert [unit for unit, _ in first] == [one.unit for one in each]
            assert [(unit, len(said)) for unit, said in first if said] == [(1, 1)]
            for _ in range(3):
                assert await read_together(link, drivers) == [(one.unit, []) for one in each]
            assert link.turns == most


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
