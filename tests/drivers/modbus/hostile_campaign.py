"""The driver against the hostile plant: every GOOD value is what the device had at that moment.

``python -m tests.drivers.modbus.hostile_campaign --seeds 100`` looks for longer and prints JSON.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from edge_config.models.validation import validated
from gateway.core.batch import Reading
from gateway.core.status import GOOD
from gateway.drivers.api import Driver, DriverError, NoResponseError, Point, Value
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.reach.window import MOST
from simulators.hostile.clockwork import Clockwork, code, now_us
from simulators.hostile.frames import FRAMINGS
from simulators.hostile.plant import HostilePlant
from simulators.hostile.script import Script, everything

CLOCKS = ("holding:0", "holding:10", "holding:200", "holding:990", "input:0", "input:300")
"""Of five requests: the first two share one."""
TIMEOUT_MS = 60
READING_S = 1.5
OF_THE_DEVICE = frozenset({"moved_registers", "sentinel", "wrap"})
"""Faults after which the device itself holds something else."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How the driver is used in a campaign."""

    framing: str
    window: int | None = 1  # None: it is taken for found before each round
    connections: int = 1
    units: int = 3
    strangers: int = 1
    longest_ms: float = 400  # an answer is late

    def connections_to(self, port: int) -> list[Any]:
        """One a unit; the strangers among them do not exist."""
        written = {
            "host": "127.0.0.1",
            "port": port,
            "framing": self.framing,
            "window": self.window,
            "connections": self.connections,
            "request_timeout_ms": TIMEOUT_MS,
        }
        units = range(1, self.units + self.strangers + 1)
        return [validated(SPEC.connection, {**written, "unit": unit}) for unit in units]


SETTINGS = (
    Setting("tcp"),
    Setting("tcp", window=4),
    Setting("tcp", window=None, units=1, strangers=0),
    Setting("tcp", connections=3),
    # Without transaction ids an answer that comes later than twice the time-out is told from the
    # right one by that one alone; if that is lost too, by nothing. So nothing is as late here.
    Setting("rtu", longest_ms=1.6 * TIMEOUT_MS),
)


@dataclass
class Verdict:
    """What a campaign has found."""

    readings: int = 0
    good: int = 0
    bad: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __iadd__(self, other: "Verdict") -> Self:
        self.readings += other.readings
        self.good += other.good
        self.bad += other.bad
        self.faults += other.faults
        self.wrong += other.wrong
        return self


def points() -> list[Point]:
    """A clock and two coded registers in each place."""
    return list(_points())


def _points() -> Iterator[Point]:
    for place in CLOCKS:
        table, _, start = place.partition(":")
        for text in (f"{place}:uint64", f"{table}:{int(start) + 4}", f"{table}:{int(start) + 9}"):
            address = validated(SPEC.address, text)
            yield Point(text, SPEC.kind(address), address)


POINTS = points()


def wrong_ones(unit: int, reading: Reading, began_us: int, ended_us: int) -> Iterator[str]:
    """The GOOD values that the device did not have between these times."""
    values = values_of(POINTS, reading)
    for point, value, status in zip(POINTS, values, reading.status, strict=True):
        if status == GOOD and (why := _why_wrong(unit, point, value, began_us, ended_us)):
            yield f"unit {unit}, {point.name}: {why}"


def _why_wrong(unit: int, point: Point, value: Value, began_us: int, ended_us: int) -> str:
    address = point.address
    if point.name.endswith("uint64"):
        if began_us <= int(value) <= ended_us:
            return ""
        return f"{value} is no time from {began_us} to {ended_us}"
    right = code(unit, address.address, is_input=address.table == "input")
    return "" if value == right else f"{value} instead of {right}"


class _Unit:
    """One unit, used as the poller uses it."""

    def __init__(self, driver: Driver, number: int, dice: Random, verdict: Verdict) -> None:
        self._driver, self._number = driver, number
        self._plan = driver.plan(POINTS)
        self._dice, self._verdict = dice, verdict
        self._is_connected = False

    async def read(self) -> None:
        # Some readings are cut off, as a time-out of the poller would.
        allowed_s = READING_S if self._dice.random() > 0.1 else self._dice.uniform(0, 0.2)
        began_us = now_us()
        self._verdict.readings += 1
        try:
            async with asyncio.timeout(allowed_s):
                if not self._is_connected:
                    await self._driver.connect()
                    self._is_connected = True
                reading = await self._driver.read(self._plan)
        except NoResponseError:
            return
        except (DriverError, TimeoutError):
            await self._driver.close()
            self._is_connected = False
            return
        self._judge(reading, began_us)

    def _judge(self, reading: Reading, began_us: int) -> None:
        good = int((reading.status == GOOD).sum())
        self._verdict.good += good
        self._verdict.bad += len(POINTS) - good
        self._verdict.wrong += wrong_ones(self._number, reading, began_us, now_us())


async def campaign(setting: Setting, script: Script, rounds: int) -> Verdict:
    """Read every unit so many times through a plant that follows the script."""
    verdict = Verdict()
    framing = FRAMINGS[setting.framing]
    async with AsyncExitStack() as stack:
        device = await stack.enter_async_context(Clockwork(setting.units, framing))
        plant = HostilePlant(script, framing, ("127.0.0.1", device.port))
        await stack.enter_async_context(plant)
        connections = setting.connections_to(plant.port)
        assert SPEC.link is not None
        link = SPEC.link.make(connections)
        assert isinstance(link, ModbusLink)
        drivers = [link.driver(connection) for connection in connections]
        for driver in drivers:
            stack.push_async_callback(driver.close)
        dice = Random(script.seed)
        units = [_Unit(driver, at, dice, verdict) for at, driver in enumerate(drivers, 1)]
        for _ in range(rounds):
            if setting.window is None:
                link.window.recall(MOST, 0, 0.0)
            await _round(units, lambda: link.turns)
        verdict.faults = plant.struck
    return verdict


async def _round(units: Sequence[_Unit], turns: Any) -> None:
    """Each unit once, as many at a time as the link has turns."""
    left = list(units)
    while left:
        now, left = left[: turns()], left[turns() :]
        await asyncio.gather(*(unit.read() for unit in now))


async def campaigns(seed: int, rounds: int, chance: float = 0.03) -> Verdict:
    """One in every setting, side by side."""
    scripts = [everything(chance, seed, one.longest_ms, OF_THE_DEVICE) for one in SETTINGS]
    verdicts = await asyncio.gather(
        *(campaign(one, script, rounds) for one, script in zip(SETTINGS, scripts, strict=True))
    )
    total = Verdict()
    for verdict in verdicts:
        total += verdict
    return total


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="campaigns, each with its own seed")
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--rounds", type=int, default=40, help="readings of each unit")
    options = parser.parse_args()
    total = Verdict()
    for seed in range(options.first, options.first + options.seeds):
        found = asyncio.run(campaigns(seed, options.rounds))
        for wrong in found.wrong:
            sys.stderr.write(f"seed {seed}: {wrong}\n")
        total += found
    names = ("readings", "good", "bad", "faults", "wrong")
    sys.stdout.write(json.dumps({name: getattr(total, name) for name in names}, indent=2) + "\n")
    return len(total.wrong) > 0


if __name__ == "__main__":
    sys.exit(_main())
