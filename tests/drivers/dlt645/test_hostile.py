"""Two meters on a hostile line: what is GOOD is this meter's, this item's, and of now."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, NoResponseError, Point
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.kit.conformance import values_of
from simulators.hostile.frames import FRAMINGS
from simulators.hostile.plant import HostilePlant
from simulators.hostile.script import Rule, Script, everything
from simulators.servers.dlt645 import Meter, MeterLine, number
from tests.drivers.dlt645.peers import ONE, OTHER, SILENT, connection, reading
from tests.drivers.dlt645.test_foreign import points, values

DLT645 = FRAMINGS["dlt645"]
TIMEOUT_MS = 60
VOLTS = {ONE: 100, OTHER: 200}
SETS = {
    "one": ["00010000"],
    "two clocks": ["00010000", "00020000"],
    "all": ["00010000", "02010100", "02010200", "00020000", "0001FF00[2]"],
}


def now() -> int:
    """The clock of every meter, in hundredths of its energy: milliseconds."""
    return time.monotonic_ns() // 1_000_000 % 100_000_000


def clock() -> bytes:
    return number(now() / 100, 4, 2)


def meter(address: str) -> Meter:
    """Its energies are its clock, its voltages say whose they are and which phase."""
    return Meter(
        address,
        {
            "00010000": clock,
            "00020000": clock,
            "0001FF00": lambda: clock() * 3,
            "02010100": number(VOLTS[address] + 0.1, 2, 1),
            "02010200": number(VOLTS[address] + 0.2, 2, 1),
        },
    )


def script(seed: int, chance: float = 0.02) -> Script:
    """Every fault that frames can have; meters answer in turn, repeaters soon."""
    meant = {"moved_registers", "sentinel", "wrap", "exception", "fewer"}
    rules = everything(chance, seed, longest_ms=400, without=meant | {"late", "twice"}).rules
    soon = Rule("twice", {"ms": (0.0, 0.9 * TIMEOUT_MS)}, chance=chance)
    return Script((*rules, soon), seed)


@dataclass
class Found:
    """What a campaign has found."""

    good: int = 0
    wrong: list[str] = field(default_factory=list)


class User:
    """A meter, used as the poller uses it."""

    def __init__(self, driver: Any, address: str, wanted: Sequence[Point], dice: Random) -> None:
        self._driver, self._address, self._wanted = driver, address, wanted
        self._plan = driver.plan(wanted)
        self._dice = dice
        self._is_connected = False

    async def read(self, found: Found) -> None:
        began = now()
        allowed_s = 3.0 if self._dice.random() > 0.15 else self._dice.uniform(0, 0.1)
        try:
            async with asyncio.timeout(allowed_s):
                if not self._is_connected:
                    await self._driver.connect()
                    self._is_connected = True
                reading_ = await self._driver.read(self._plan)
        except NoResponseError:
            return
        except (DriverError, TimeoutError):
            await self._driver.close()
            self._is_connected = False
            return
        pairs = zip(self._wanted, values_of(self._wanted, reading_), reading_.status, strict=True)
        good = [(point, value) for point, value, status in pairs if not status]
        found.good += len(good)
        found.wrong += self._wrong(good, began, now())

    def _wrong(self, good: list[tuple[Point, Any]], began: int, ended: int) -> Iterator[str]:
        for point, value in good:
            item = point.address.item
            if item.startswith("02"):
                is_right = value == VOLTS[self._address] + int(item[4:6]) / 10
            else:
                is_right = began <= round(value * 100) <= ended
            if not is_right:
                yield f"{self._address} {point.name}: {value}, asked {began} to {ended}"


@pytest.mark.parametrize("items", SETS.values(), ids=SETS)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_hostile_line_gives_no_wrong_value(seed: int, items: list[str]) -> None:
    found, wanted, dice = Found(), points(*items), Random(seed)
    async with MeterLine(meter(ONE), meter(OTHER)) as line:
        plant = HostilePlant(script(seed), DLT645, ("127.0.0.1", line.port))
        async with plant:
            at = [
                validated(SPEC.connection, connection(plant.port, one, request_timeout_ms=60))
                for one in (ONE, OTHER, SILENT)
            ]
            assert SPEC.link is not None
            link = SPEC.link.make(at)
            drivers = {one.meter: link.driver(one) for one in at}
            users = [User(driver, one, wanted, dice) for one, driver in drivers.items()]
            for _ in range(20):
                for user in users:
                    await user.read(found)
            for driver in drivers.values():
                await driver.close()
    assert found.wrong == []
    assert found.good >= 5, "nothing is proven if all is BAD"
    assert len(plant.struck) > 4


async def test_a_repeated_answer_is_not_the_value_of_now() -> None:
    """As behind a repeater: the second copy comes while the same item is asked again."""
    repeats = Script(
        (
            Rule("twice", {"ms": (30.0, 30.0)}, at=frozenset({1})),
            Rule("delay", {"ms": (60.0, 60.0)}, at=frozenset({2})),
        )
    )
    async with MeterLine(meter(ONE)) as line:
        plant = HostilePlant(repeats, DLT645, ("127.0.0.1", line.port))
        async with plant, reading(plant.port) as driver:
            for _ in range(3):
                began = now()
                (value,) = await values(driver, "00010000")
                assert began <= round(value * 100) <= now()


async def test_a_line_that_is_half_open_is_opened_anew() -> None:
    """A serial server that was started anew knows nothing of its connections."""
    dies = Script((Rule("silent_mid_frame", at=frozenset({2})),))
    async with MeterLine(meter(ONE)) as line:
        plant = HostilePlant(dies, DLT645, ("127.0.0.1", line.port))
        async with plant, reading(plant.port, request_timeout_ms=100) as driver:
            plan = driver.plan(points("02010100"))
            async with asyncio.timeout(60):
                await driver.read(plan)
                with pytest.raises(NoResponseError):
                    await driver.read(plan)
                while True:  # without another connection for ever
                    with suppress(NoResponseError):
                        await driver.read(plan)
                        break
            assert await values(driver, "02010100") == [100.1]
