"""What an earlier process asked over a line is never taken for what this one asks."""

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.lines.bus import Bus, bus, on_line, registers, value
from tests.drivers.modbus.support import points
from tests.support.waiting import until

LINES = pytest.mark.parametrize("framing", ["rtu", "ascii"])
FIRST, SECOND = points("holding:0", "holding:200")
EARLIER = """
import asyncio, sys
from pathlib import Path
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.lines.bus import on_line
from tests.drivers.modbus.support import points

async def read():
    driver = SPEC.make(on_line(Path(sys.argv[1]), framing=sys.argv[2]))
    await driver.connect()
    await driver.read(driver.plan(points("holding:0")))

asyncio.run(read())
"""


async def asked_and_killed(line: Bus, framing: str) -> None:
    """Another process asks for the first value, and is killed before the answer comes."""
    line.dead = (1,)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", EARLIER, str(line.terminal.link), framing
    )
    await until(lambda: line.asked[1])
    process.kill()
    await process.wait()
    line.dead = ()


def late(line: Bus) -> None:
    """The answer that the killed process was waiting for."""
    line.say(b"\x01" + registers(1, b"\x03\x00\x00\x00\x01"))


@LINES
@pytest.mark.parametrize("after_s", [None, 0.0, 0.1, 0.5])
async def test_an_answer_to_an_earlier_process_is_none_to_this_one(
    tmp_path: Path, framing: str, after_s: float | None
) -> None:
    """It comes before the port is opened anew, or so long after; the right one takes its time."""
    async with bus(tmp_path, framing) as line:
        await asked_and_killed(line, framing)
        if after_s is None:
            late(line)
        driver = SPEC.make(on_line(line.terminal.link, framing=framing))
        await driver.connect()
        if after_s is not None:
            asyncio.get_running_loop().call_later(after_s, late, line)
        line.late_s = {line.asked.total(): 0.6}
        reading = await driver.read(driver.plan([SECOND]))
        assert not reading.status.any()
        assert values_of([SECOND], reading) == [value(1, 200)]
        await driver.close()


@LINES
async def test_only_the_first_request_of_a_line_waits(tmp_path: Path, framing: str) -> None:
    """Units of one line wait together, and a port that is opened anew by the same process not."""
    async with bus(tmp_path, framing) as line:
        assert SPEC.link is not None
        options = {"framing": framing, "request_timeout_ms": 2_000}
        ways = [on_line(line.terminal.link, unit=unit, **options) for unit in (1, 2)]
        link = SPEC.link.make(ways)
        loop, waits = asyncio.get_running_loop(), []
        for _ in range(2):
            for way in ways:
                driver = link.driver(way)
                await driver.connect()
                began_s = loop.time()
                line.answer = lambda unit, pdu, at=began_s: (
                    waits.append(loop.time() - at) or registers(unit, pdu)  # type: ignore[func-returns-value]
                )
                await driver.read(driver.plan([FIRST]))
                await driver.close()
        assert waits[0] > 1.9
        assert max(waits[1:]) < waits[0] / 2
