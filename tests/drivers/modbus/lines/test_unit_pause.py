"""A unit that does not hear what comes soon after its last answer, on a serial line."""

import asyncio
from pathlib import Path

import pytest

from gateway.drivers.api import DriverError
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.driver import ModbusDriver
from tests.drivers.modbus.lines.bus import Bus, bus, on_line, registers, value
from tests.drivers.modbus.support import points, read

PAUSE_S = 0.4
"""Longer than an answer in doubt waits whether another one follows."""
CLOCK_MS = 5
"""The clock of the loop counts in whole milliseconds."""
FAR_APART = points("holding:0", "holding:200", "input:7")
WRITES = (5, 6, 22)


class Strict:
    """Watches a bus: a unit hears nothing for a time after its own answer."""

    def __init__(self, line: Bus, unit: int) -> None:
        self._line, self._unit = line, unit
        self._said_s = 0.0
        self._loop = asyncio.get_running_loop()
        self.unheard = 0
        self.order: list[int] = []
        self._say = line.say
        line.answer, line.say = self._answer, self._said  # type: ignore[method-assign]

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        self.order.append(unit)
        if unit == self._unit and self._loop.time() - self._said_s < PAUSE_S:
            self.unheard += 1
            return b""
        return pdu if pdu[0] in WRITES else registers(unit, pdu)

    def _said(self, body: bytes) -> None:
        if body[0] == self._unit:
            self._said_s = self._loop.time()
        self._say(body)


@pytest.mark.parametrize("framing", ["rtu", "ascii"])
async def test_it_is_asked_nothing_for_its_pause_whatever_is_asked(
    tmp_path: Path, framing: str
) -> None:
    """Readings, writes, a connection test, and a question that is asked twice as one was late."""
    async with bus(tmp_path, framing) as line:
        strict = Strict(line, 2)
        options = {"framing": framing, "unit": 2, "request_timeout_ms": 300}
        way = on_line(line.terminal.link, unit_pause_ms=int(1000 * PAUSE_S) + CLOCK_MS, **options)
        driver = SPEC.make(way)
        assert isinstance(driver, ModbusDriver)
        await driver.connect()
        await asyncio.sleep(0.3)
        for _ in range(1):
            assert await read(driver, FAR_APART) == [value(2, place) for place in (0, 200, 7)]
            await driver.write(FAR_APART[0], 258)
            await driver.write(points("holding:3.5")[0], True)
        findings = [finding async for finding in driver.diagnose()]
        assert findings[0].is_ok
        assert len(findings) == 5
        line.late_s = {line.asked.total(): 0.45}
        with pytest.raises(DriverError):
            await driver.read(driver.plan(FAR_APART[:1]))
        for _ in range(2):
            assert await read(driver, FAR_APART[1:]) == [value(2, 200), value(2, 7)]
        await driver.close()
        assert not strict.unheard


async def test_a_unit_without_a_pause_is_asked_at_once(tmp_path: Path) -> None:
    async with bus(tmp_path, "rtu") as line:
        strict = Strict(line, 2)
        driver = SPEC.make(on_line(line.terminal.link, unit=2, request_timeout_ms=100))
        await driver.connect()
        reading = await driver.read(driver.plan(FAR_APART))
        await driver.close()
        assert reading.status.any()
        assert strict.unheard
