"""Units on serial lines, over real pseudo-terminals, in both framings."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.lines.bus import bus, on_line, value
from tests.drivers.modbus.support import points, read, reasons
from tests.support.waiting import until

LINES = pytest.mark.parametrize("framing", ["rtu", "ascii"])
FAR_APART = points("holding:0", "holding:200", "input:7")


@LINES
async def test_units_of_one_port_are_read(tmp_path: Path, framing: str) -> None:
    async with bus(tmp_path, framing) as line:
        assert SPEC.link is not None
        ways = [on_line(line.terminal.link, unit=unit, framing=framing) for unit in (1, 2, 247)]
        link = SPEC.link.make(ways)
        drivers = [link.driver(way) for way in ways]
        for driver in drivers:
            await driver.connect()
        for way, driver in zip(ways, drivers, strict=True):
            values = await read(driver, FAR_APART)
            assert values == [value(way.unit, place) for place in (0, 200, 7)]
        for driver in drivers:
            await driver.close()
        assert line.asked == {1: 3, 2: 3, 247: 3}


@LINES
async def test_a_value_is_written(tmp_path: Path, framing: str) -> None:
    async with bus(tmp_path, framing) as line:
        line.answer = lambda _unit, pdu: pdu  # the echo of a write
        driver = SPEC.make(on_line(line.terminal.link, framing=framing))
        await driver.connect()
        await driver.write(points("holding:3")[0], 258)
        line.answer = lambda _unit, pdu: pdu[:-1] + b"\xff"
        with pytest.raises(DriverError):
            await driver.write(points("holding:3")[0], 258)
        await driver.close()


@LINES
async def test_a_dead_unit_costs_the_others_nothing_but_its_time(
    tmp_path: Path, framing: str
) -> None:
    async with bus(tmp_path, framing, dead=(2,)) as line:
        assert SPEC.link is not None
        at = line.terminal.link
        ways = [
            on_line(at, unit=unit, framing=framing, request_timeout_ms=100) for unit in (1, 2, 3)
        ]
        link = SPEC.link.make(ways)
        one, dead, three = (link.driver(way) for way in ways)
        for driver in (one, dead, three):
            await driver.connect()
        for _ in range(4):
            assert await read(one, FAR_APART) == [value(1, place) for place in (0, 200, 7)]
            with pytest.raises(NoResponseError, match=f"unit 2 at {at}: no answer within 100 ms"):
                await dead.read(dead.plan(FAR_APART))
            assert await read(three, FAR_APART) == [value(3, place) for place in (0, 200, 7)]
        for driver in (one, dead, three):
            await driver.close()


@LINES
async def test_a_port_vanishes_and_returns(tmp_path: Path, framing: str) -> None:
    async with bus(tmp_path, framing) as line:
        way = on_line(line.terminal.link, framing=framing)
        driver = SPEC.make(way)
        await driver.connect()
        plan = driver.plan(FAR_APART)
        assert not (await driver.read(plan)).status.any()
        line.pull_out()
        with pytest.raises(NotConnectedError, match=f"{way.serial.port} is not there; there"):  # type: ignore[union-attr]
            await driver.read(plan)
        with pytest.raises(NotConnectedError, match="is not there"):
            await driver.connect()
        line.plug_in()
        await driver.connect()
        assert values_of(FAR_APART, await driver.read(plan)) == [value(1, at) for at in (0, 200, 7)]
        await driver.close()


@LINES
async def test_a_port_that_vanishes_while_an_answer_is_awaited(
    tmp_path: Path, framing: str
) -> None:
    async with bus(tmp_path, framing, dead=(1,)) as line:
        driver = SPEC.make(on_line(line.terminal.link, framing=framing, request_timeout_ms=3_000))
        await driver.connect()
        reading = asyncio.create_task(driver.read(driver.plan(FAR_APART)))
        await until(lambda: line.asked[1])
        line.pull_out()
        with pytest.raises(NotConnectedError, match=str(line.terminal.link)):
            await reading
        await driver.close()


async def right_or_none(driver: Any, plan: Any, address: int) -> None:
    """Read one value: it may be missing, but not wrong."""
    try:
        reading = await driver.read(plan)
    except NoResponseError:
        return
    if not any(reasons(reading)):
        assert values_of(FAR_APART[:1], reading) == [value(1, address)]


@LINES
async def test_a_late_answer_is_never_the_next_ones(tmp_path: Path, framing: str) -> None:
    """The answer for holding 0 comes while holding 200 is asked for, of the same length."""
    async with bus(tmp_path, framing) as line:
        driver = SPEC.make(on_line(line.terminal.link, framing=framing, request_timeout_ms=200))
        await driver.connect()
        first, second = (driver.plan([one]) for one in FAR_APART[:2])
        for late_s in (0.21, 0.3, 0.38, 0.45, 0.59):
            line.late_s = {line.asked.total(): late_s}
            for plan, address in ((first, 0), (second, 200), (first, 0), (second, 200)):
                await right_or_none(driver, plan, address)
            await asyncio.sleep(0.3)
        await driver.close()


@LINES
async def test_what_is_late_does_not_come_over_the_next_connection_either(
    tmp_path: Path, framing: str
) -> None:
    """The port is opened anew while a request is on the line; its answer comes then."""
    async with bus(tmp_path, framing) as line:
        driver = SPEC.make(on_line(line.terminal.link, framing=framing, request_timeout_ms=300))
        await driver.connect()
        first, second = (driver.plan([one]) for one in FAR_APART[:2])
        for late_s in (0.05, 0.1, 0.32, 0.4):
            number = line.asked.total()
            line.late_s = {number: late_s}
            reading = asyncio.create_task(driver.read(first))
            await until(lambda number=number: line.asked.total() > number)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await driver.close()
            await driver.connect()
            await right_or_none(driver, second, 200)
        await driver.close()
