"""A unit that must be left alone after each answer does not hold up its neighbours."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_config.loading.load import load_gateway
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.registry import installed
from gateway.edge.commands.executor import Course, write
from gateway.edge.commands.gate import Admitted
from gateway.edge.device.asking.alone import model_of
from gateway.edge.device.connection import Connection
from gateway.edge.device.links import Links
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.device.turns import Turn, Turns
from gateway.edge.live.records import LinkLoad
from gateway.edge.live.view import Live
from tests.edge.plant import USCC
from tests.edge.test_connection import NOTHING_KNOWN
from tests.edge.test_turns import Line, soon
from tests.support.serial_server import serial_server as box
from tests.support.waiting import until

SLEEPY, UNITS, REQUESTS = 2, 3, 4
CLOCK_MS = 5
"""The clock of the loop counts in whole milliseconds."""


def opened(folder: Path, port: int, framing: str = "rtu", **sleepy: Any) -> list[Connection]:
    """The units of a serial server as the gateway opens them, each with some requests a reading."""
    tags = [{"name": f"t{at}", "address": f"holding:{1000 * at}"} for at in range(REQUESTS)]
    groups = [{"name": "g", "interval_ms": 10_000, "tags": tags}]
    devices = [
        {
            "id": f"u{unit}",
            "driver": "modbus",
            "profile": "p",
            "asset_no": f"M{unit}",
            "timeout_ms": 2_000,
            "connection": {
                "host": "127.0.0.1",
                "port": port,
                "framing": framing,
                "unit": unit,
                "request_timeout_ms": 1_500,
                **(sleepy if unit == SLEEPY else {}),
            },
        }
        for unit in range(1, UNITS + 1)
    ]
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [{"name": "p", "driver": "modbus", "source": "sensor", "groups": groups}],
        "devices": devices,
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    loaded, links = load_gateway(file, installed()), Links(installed(), Live())
    models = [model_of(loaded, installed(), f"u{unit}") for unit in range(1, UNITS + 1)]
    ways = [links.join(model.resolved) for model in models]
    return [
        Connection(model, way.make(), way.turn, Timeouts(), NOTHING_KNOWN)
        for model, way in zip(models, ways, strict=True)
    ]


async def values(connection: Connection) -> list[Any]:
    """One reading, in the device's turn."""
    async with connection.turn:
        reading = await connection.read("g")
    assert not reading.status.any()
    assert isinstance(connection.driver, ModbusDriver)
    (plan,) = connection._plans.values()
    return values_of(plan.kept.points, reading)


async def neighbour(connection: Connection, unit: int) -> None:
    """It is read again and again."""
    while True:
        assert await values(connection) == [unit] * REQUESTS


async def test_neighbours_are_read_in_each_pause_of_a_unit(tmp_path: Path) -> None:
    """Its readings take longer than its time-out: who waits for the line is not late."""
    pause_s = 0.6
    async with box(most=1, is_rtu=True, pause_s={SLEEPY: pause_s}) as (server, port):
        units = opened(tmp_path, port, unit_pause_ms=int(1000 * pause_s) + CLOCK_MS)
        for one in units:
            async with one.turn:
                await one.connect()
        others = [
            asyncio.create_task(neighbour(one, unit))
            for unit, one in enumerate(units, 1)
            if unit != SLEEPY
        ]
        for _ in range(2):
            assert await values(units[SLEEPY - 1]) == [SLEEPY] * REQUESTS
        for task in others:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.wait(others)
        await asyncio.gather(*(one.close() for one in units))
    places = [at for at, unit in enumerate(server.order) if unit == SLEEPY]
    assert len(places) == 2 * REQUESTS
    assert all(later - sooner > 2 for sooner, later in pairwise(places))
    assert not server.unheard


class ExpiredError(Exception):
    """Nobody wants the write any more."""


class Device:
    """One device, as commands see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def ask(self, action: Any, *, urgent: bool, repeatable: bool = False) -> Any:
        async with self._connection.turn.beside(is_urgent=urgent):
            return await self._connection.do(action, may_renew=repeatable)


async def test_a_command_that_expires_in_the_pause_is_not_written(tmp_path: Path) -> None:
    """Whether it is wanted is asked behind the pause, and not when the turn has come."""
    looked_at: list[float] = []

    def is_wanted() -> None:
        looked_at.append(asyncio.get_running_loop().time())
        raise ExpiredError

    async with box(most=1, pause_s={SLEEPY: 0.5}) as (server, port):
        one = opened(tmp_path, port, framing="tcp", unit_pause_ms=500 + CLOCK_MS)[SLEEPY - 1]
        async with one.turn:
            await one.connect()
        assert await values(one) == [SLEEPY] * REQUESTS
        asked, answered_s = server.asked[SLEEPY], server.ended_s
        (plan,) = one._plans.values()
        point, course = plan.kept.points[0], Course()
        admitted = Admitted(point, cast("Any", None), 7, 7)  # no rule is asked for before
        with pytest.raises(ExpiredError):
            await write(cast("Any", Device(one)), admitted, course, is_wanted)
        await one.close()
        assert (server.asked[SLEEPY], course.is_sent) == (asked, False)
    assert looked_at[0] - answered_s >= 0.5


async def test_without_it_the_unit_does_not_hear_half_of_its_requests(tmp_path: Path) -> None:
    """The server of the test above is as strict as it says."""
    async with box(most=1, is_rtu=True, pause_s={SLEEPY: 0.6}) as (server, port):
        one = opened(tmp_path, port, pause_between_requests_ms=0)[SLEEPY - 1]
        async with one.turn:
            await one.connect()
        with suppress(Exception):
            await values(one)
        await one.close()
    assert server.unheard[SLEEPY]


Holds = list[int]
"""For how many rounds of the loop a turn is held; between two of them it is lent."""


class Counting:
    """Devices that follow a script; it is watched who has a turn."""

    def __init__(self, most: int) -> None:
        self.turns = Turns(Line(most), LinkLoad("plant link here", ("a", "b", "c")))
        self.most = most
        self.inside: list[int] = []

    async def follow(self, device: int, turn: Turn, holds: Holds) -> None:
        async with turn:
            for at, rounds in enumerate(holds):
                if at:
                    await turn.away(rounds / 2_000)
                await self._hold(device, rounds)

    async def _hold(self, device: int, rounds: int) -> None:
        assert device not in self.inside
        self.inside.append(device)
        assert len(self.inside) <= self.most
        try:
            for _ in range(rounds):
                await asyncio.sleep(0)
        finally:
            self.inside.remove(device)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 3),
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.lists(st.integers(0, 4), max_size=5)),
        max_size=8,
    ),
    st.dictionaries(st.integers(0, 7), st.integers(0, 6)),
)
def test_a_turn_that_is_lent_is_never_lost_nor_had_twice(
    most: int, scripts: list[tuple[int, bool, Holds]], cut_off: dict[int, int]
) -> None:
    async def played() -> None:
        counting = Counting(most)
        own = [counting.turns.of_one_device() for _ in range(4)]
        tasks = [
            asyncio.create_task(
                counting.follow(device, own[device].beside(is_urgent=urgent), holds)
            )
            for device, urgent, holds in scripts
        ]
        for at, rounds in cut_off.items():
            for _ in range(rounds):
                await asyncio.sleep(0.0003)
            if at < len(tasks):
                tasks[at].cancel()
        async with asyncio.timeout(60):
            for done in await asyncio.gather(*tasks, return_exceptions=True):
                assert done is None or isinstance(done, asyncio.CancelledError), done
            await all_turns_are_there(counting.turns, most)

    asyncio.run(played())


async def all_turns_are_there(turns: Turns, most: int) -> None:
    """And not one more."""
    for _ in range(most):
        await turns.begin(turns.of_one_device())
    further = asyncio.create_task(turns.begin(turns.of_one_device()))
    await soon()
    assert not further.done()
    further.cancel()


@pytest.mark.parametrize("is_granted", [False, True], ids=["away", "granted in that moment"])
async def test_who_is_cut_off_while_its_turn_is_lent_gives_it_back_once(is_granted: bool) -> None:
    turns = Turns(Line(), LinkLoad("plant link here", ("a", "b")))
    lent, other = turns.of_one_device(), turns.of_one_device()

    async def away() -> None:
        async with lent:
            await lent.away(0.0 if is_granted else 3_600.0)

    task = asyncio.create_task(away())
    await asyncio.sleep(0)
    await turns.begin(other)
    if is_granted:
        await until(lambda: lent in turns._waiting)
    turns.end(other)
    task.cancel()
    await asyncio.wait([task])
    await all_turns_are_there(turns, 1)
