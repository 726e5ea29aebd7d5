"""What people ask of a device runs in its turn; a lost session is the poller's, once."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.batch import Reading
from gateway.core.status import Reason
from gateway.drivers.api import Driver, DriverError, NoResponseError, NotConnectedError
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device.asking.requests import MOST_WAITING, CannotAskError
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until

Start = Callable[..., Runtime]
HOUR_MS = 3_600_000


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))

    def start_it(plant: Plant, **options: Any) -> Runtime:
        return Runtime(loaded(tmp_path, **options), plant, Clock(), buffer)

    yield start_it
    buffer.close()


async def look(driver: Driver) -> Reading:
    return await driver.read(2)


def failing(error: BaseException) -> Callable[[Driver], Any]:
    async def fail(_: Driver) -> None:
        raise error

    return fail


async def is_up(runtime: Runtime) -> None:
    await until(lambda: runtime.record.link == "up")


async def until_served(runtime: Runtime) -> None:
    """Wait for a session, whose first reading may be far away."""

    async def nothing(_: Driver) -> None:
        pass

    async with asyncio.timeout(30):
        while True:
            try:
                return await runtime.device.ask(nothing, urgent=False)
            except CannotAskError:
                await asyncio.sleep(0.01)


async def test_what_is_asked_runs_between_readings_of_the_same_driver(start: Start) -> None:
    plant = Plant()
    inside = 0

    async def alone(_: Driver) -> int:
        nonlocal inside
        inside += 1
        before = plant.reads
        for _ in range(50):
            await asyncio.sleep(0.001)
            assert inside == 1
        inside -= 1
        assert plant.reads == before, "it was read meanwhile"
        return before

    plant.reading_takes_s = 0.005
    async with start(plant) as runtime:
        await is_up(runtime)
        asked = (runtime.device.ask(alone, urgent=urgent) for urgent in (True, False, True))
        await asyncio.gather(*asked)
        before = plant.reads
        await until(lambda: plant.reads > before)
    assert (plant.connects, runtime.record.failures) == (1, 0)
    assert runtime.buffer.totals().balanced


async def test_a_device_that_pushes_is_asked_while_it_is_listened_to(start: Start) -> None:
    plant = Plant()
    async with start(plant, mode="subscribe", interval_ms=1_000) as runtime:
        await is_up(runtime)
        assert (await runtime.device.ask(look, urgent=False)).columns[0].tolist() == [1.0, 1.0]
        plant.connect_fault = NotConnectedError("server gone")
        with pytest.raises(NotConnectedError, match="cable cut"):
            await runtime.device.ask(failing(NotConnectedError("cable cut")), urgent=True)
        await until(lambda: runtime.record.detail == "server gone")
    assert runtime.buffer.totals().balanced


async def test_who_is_not_connected_is_not_asked_and_it_is_said_why(start: Start) -> None:
    plant = Plant()
    plant.open.clear()
    async with start(plant) as runtime:
        with pytest.raises(CannotAskError, match=r"device d at .* is being connected"):
            await runtime.device.ask(look, urgent=False)
        plant.connect_fault = NotConnectedError("no route to host")
        plant.open.set()
        await until(lambda: runtime.record.link == "down")
        with pytest.raises(CannotAskError, match=r"is down \(disconnected\): no route to host"):
            await runtime.device.ask(look, urgent=False)
        await runtime.edge.devices.stop("d")
        with pytest.raises(CannotAskError, match="is stopped: start it"):
            await runtime.device.ask(look, urgent=True)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (NotConnectedError("cable cut"), Reason.DISCONNECTED),
        (TimeoutError(), Reason.TIMEOUT),
    ],
)
async def test_a_session_that_a_request_finds_lost_is_lost_once(
    start: Start, fault: Exception, cause: Reason
) -> None:
    """At once, though the next reading is an hour away: a late answer must not reach it."""
    plant = Plant()
    async with start(plant, interval_ms=HOUR_MS) as runtime:
        await until_served(runtime)
        plant.open.clear()
        with pytest.raises(type(fault)):
            await runtime.device.ask(failing(fault), urgent=True)
        await until(lambda: runtime.record.link == "down")
        assert runtime.record.cause is cause
        assert plant.closes == 1
        plant.open.set()
        await until_served(runtime)
        assert plant.connects == 2
    assert runtime.record.failures == 1


async def test_a_request_has_the_time_of_the_device(start: Start) -> None:
    plant = Plant()

    async def hang(_: Driver) -> None:
        await asyncio.Event().wait()

    async with start(plant, timeout_ms=50) as runtime:
        await is_up(runtime)
        with pytest.raises(TimeoutError, match=r"within 50 ms \(timeout_ms\)"):
            await runtime.device.ask(hang, urgent=False)
        await until(lambda: plant.connects == 2)


@pytest.mark.parametrize("fault", [NoResponseError("unit 7 is silent"), DriverError("read only")])
async def test_a_refusal_or_silence_is_told_to_who_asked_and_the_session_stands(
    start: Start, fault: DriverError
) -> None:
    plant = Plant()
    async with start(plant) as runtime:
        await is_up(runtime)
        with pytest.raises(type(fault), match=str(fault)):
            await runtime.device.ask(failing(fault), urgent=True)
        before = plant.reads
        await until(lambda: plant.reads > before)
    assert (plant.connects, runtime.record.failures) == (1, 0)


async def test_a_session_that_ends_takes_what_was_asked_with_it(start: Start) -> None:
    plant = Plant()
    began = asyncio.Event()

    async def hang(_: Driver) -> None:
        began.set()
        await asyncio.Event().wait()

    async with start(plant, interval_ms=HOUR_MS, timeout_ms=60_000) as runtime:
        await until_served(runtime)
        asked = asyncio.create_task(runtime.device.ask(hang, urgent=True))
        waiting = asyncio.create_task(runtime.device.ask(look, urgent=False))
        await began.wait()
        await runtime.edge.devices.stop("d")
        for one in (asked, waiting):
            with pytest.raises(NotConnectedError, match="closed meanwhile"):
                await one
        assert plant.closes == 1


async def test_who_gives_up_leaves_no_answer_behind(start: Start) -> None:
    plant = Plant()
    began, may_end, has_ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(_: Driver) -> None:
        began.set()
        await may_end.wait()
        has_ended.set()

    async with start(plant, timeout_ms=60_000) as runtime:
        await is_up(runtime)
        asked = asyncio.create_task(runtime.device.ask(slow, urgent=True))
        await began.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        before = plant.reads
        may_end.set()
        await has_ended.wait()
        await until(lambda: plant.reads > before)
    assert (plant.connects, runtime.record.failures) == (1, 0)


async def test_a_device_that_ends_idle_connections_is_asked_over_a_new_one(start: Start) -> None:
    plant = Plant()
    plant.serves = 1
    async with start(plant, interval_ms=HOUR_MS) as runtime:
        await until_served(runtime)
        for _ in range(3):
            await runtime.device.ask(look, urgent=False, repeatable=True)
        with pytest.raises(NotConnectedError, match="closed the connection"):
            await runtime.device.ask(look, urgent=False)
    assert plant.connects >= 3


async def test_no_request_takes_the_connection_from_under_a_subscription(start: Start) -> None:
    plant = Plant()
    plant.serves = 0
    async with start(plant, mode="subscribe", interval_ms=1_000) as runtime:
        await until_served(runtime)
        with pytest.raises(NotConnectedError, match="closed the connection"):
            await runtime.device.ask(look, urgent=False, repeatable=True)
        await until(lambda: runtime.record.failures == 1)


async def test_what_waits_is_bounded(start: Start) -> None:
    plant = Plant()
    may_end = asyncio.Event()

    async def hold(_: Driver) -> None:
        await may_end.wait()

    async with start(plant, timeout_ms=60_000) as runtime:
        await is_up(runtime)
        asked = [
            asyncio.create_task(runtime.device.ask(hold, urgent=True)) for _ in range(MOST_WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(CannotAskError, match="wait already"):
            await runtime.device.ask(look, urgent=True)
        may_end.set()
        await asyncio.gather(*asked)
        await runtime.device.ask(look, urgent=True)
