"""Meters on one line: late answers, torn frames, noise, refusals, blocks, and what is said."""

import asyncio
from typing import Any

import pytest

from gateway.core.status import Reason, bad
from gateway.drivers.api import DriverError, NoResponseError, Point
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.dlt645.codec import ANYBODY, Frame, Hearing, encode
from gateway.drivers.dlt645.codec import read as codec_read
from gateway.drivers.dlt645.line import Line
from gateway.drivers.frames import FrameLog
from gateway.drivers.kit.conformance import FaultProxy, values_of
from gateway.drivers.transport.tcp import TcpWay
from simulators.hostile.frames import FRAMINGS
from simulators.hostile.plant import HostilePlant
from simulators.hostile.script import Rule, Script
from simulators.servers.dlt645 import Meter, MeterLine, number
from tests.drivers.dlt645.peers import ONE, OTHER, line, meter, reading
from tests.drivers.dlt645.test_foreign import points, values

BLOCK = ["0201FF00[1]", "0201FF00[2]", "0201FF00[3]"]


async def test_a_block_is_asked_for_once() -> None:
    one = meter()
    async with MeterLine(one) as line, reading(line.port) as driver:
        assert await values(driver, *BLOCK) == [229.0, 230.1, 227.9]
        assert one.asked == 1


async def test_an_answer_of_several_frames_is_put_together() -> None:
    """500 bytes: three frames, the second and third asked for by their numbers (7.2)."""
    one = meter()
    async with MeterLine(one) as line, reading(line.port) as driver:
        places = (1, 49, 50, 51, 64)
        wanted = [{"item": "0600FF01", "place": at, "format": "XXXXXXXX"} for at in places]
        assert await values(driver, *wanted) == [at - 1 for at in places]
        assert one.asked == 3


@pytest.mark.parametrize("wrong", [0, 2, 9])
async def test_a_frame_with_a_wrong_number_is_not_put_to_the_others(wrong: int) -> None:
    def alter(data: bytes) -> bytes:
        frame = next(iter(Hearing().receive(data)), None)
        if frame is None or frame.control & 0x1F != 0x12:
            return data
        return encode(frame._replace(data=frame.data[:-1] + bytes((wrong,))))

    async with MeterLine(meter()) as line, FaultProxy(line.port) as proxy:
        proxy.alter = alter
        async with reading(proxy.port) as driver:
            (point,) = points({"item": "0600FF01", "place": 60, "format": "XXXXXXXX"})
            plan = driver.plan([point])
            found = await driver.read(plan)
            assert found.status.tolist() == [bad(Reason.PROTOCOL)]
            assert "do not go together" in driver.tag_faults()[point.name].words


async def test_what_a_meter_does_not_have_costs_only_its_own_tag() -> None:
    async with MeterLine(meter()) as line, reading(line.port) as driver:
        wanted = points("02010100", "02070100", "0201FF00[4]", "02010A00", "02010B00", "02800002")
        plan = driver.plan(wanted)
        for _ in range(3):
            found = await driver.read(plan)
            assert found.status.tolist() == [
                0,
                bad(Reason.ILLEGAL_ADDRESS),
                bad(Reason.ILLEGAL_ADDRESS),
                bad(Reason.TYPE),
                bad(Reason.TYPE),
                0,
            ]
            assert values_of(wanted, found)[::5] == [229.0, 49.98]
        assert "no such data" in driver.tag_faults()["02070100"].words


async def test_a_silent_meter_is_named_and_who_answers_instead() -> None:
    async with MeterLine(meter()) as line:
        at = {"request_timeout_ms": 100}
        async with reading(line.port, OTHER, **at) as driver:
            with pytest.raises(NoResponseError, match=f"meter {OTHER} at 127.0.0.1:.*100 ms to 02"):
                await driver.read(driver.plan(points("02010100")))
        async with FaultProxy(line.port) as proxy, reading(proxy.port, ONE, **at) as driver:
            proxy.alter = lambda _: encode(Frame(OTHER, 0x91, bytes(6)))
            with pytest.raises(NoResponseError, match=f"meter {OTHER} answered instead"):
                await driver.read(driver.plan(points("02010100")))


async def test_nothing_is_written() -> None:
    async with MeterLine(meter()) as line, reading(line.port) as driver:
        (point,) = points("02010100")
        with pytest.raises(DriverError, match="meters are only read"):
            await driver.write(point, 1.0)


@pytest.mark.parametrize("count", [1, 2], ids=["only-one", "two"])
async def test_a_late_answer_of_before_is_not_the_value_of_now(count: int) -> None:
    """It repeats the same identifier: only that the meter answers something else shows it."""
    live = {"volts": 229.0}
    held = {"02010100": lambda: number(live["volts"], 2, 1), "02800002": number(50.0, 2, 2)}
    wanted = points(*list(held)[:count])
    script = Script((Rule("delay", {"ms": (400.0, 400.0)}, at=frozenset({1})),))
    async with MeterLine(Meter(ONE, held)) as line:
        plant = HostilePlant(script, FRAMINGS["dlt645"], ("127.0.0.1", line.port))
        async with plant, reading(plant.port, ONE, request_timeout_ms=150) as driver:
            plan = driver.plan(wanted)
            with pytest.raises(NoResponseError):
                await driver.read(plan)
            live["volts"] = 10.0
            now = [await _first_of(driver, plan, wanted) for _ in range(6)]
        assert set(now) <= {10.0, None}
        assert now[-1] == 10.0
    assert plant.struck["delay"] == 1


async def test_half_an_answer_is_not_ended_by_the_begin_of_the_next() -> None:
    came: list[bytes] = []

    def alter(data: bytes) -> bytes:
        came.append(data)
        return data[:-1] if len(came) == 1 else b"\x16" + data

    now, asked = {"volts": 229.0}, codec_read(ONE, 0x02010100)
    one = Meter(ONE, {"02010100": lambda: number(now["volts"], 2, 1)})
    async with MeterLine(one) as server, FaultProxy(server.port) as proxy:
        proxy.alter = alter
        line = Line()
        await TcpWay("127.0.0.1", proxy.port).open(lambda: line)
        assert await line.ask(asked, 0, 0.2, FrameLog()) is None
        now["volts"] = 10.0
        answer = await line.ask(asked, 0, 5.0, FrameLog())
        line.abort("closed")
    assert answer is not None
    assert answer.data[4:] == number(10.0, 2, 1)


async def test_a_late_refusal_is_not_the_neighbours() -> None:
    """It does not say which identifier it refuses; a neighbour would rest for what it has."""
    late: list[bytes] = []

    def alter(data: bytes) -> bytes:
        late.append(data)
        return b"" if len(late) == 1 else late[0] + data if len(late) == 2 else data

    async with MeterLine(meter()) as line, FaultProxy(line.port) as proxy:
        proxy.alter = alter
        async with reading(proxy.port, request_timeout_ms=150) as driver:
            with pytest.raises(NoResponseError):
                await driver.read(driver.plan(points("02070100")))
            wanted = points("02010100")
            found = await driver.read(driver.plan(wanted))
            assert values_of(wanted, found) == [229.0]
            assert driver.tag_faults() == {}


async def _first_of(driver: Any, plan: Any, wanted: list[Point]) -> Any:
    """The first value, if it is GOOD."""
    try:
        async with asyncio.timeout(60):
            found = await driver.read(plan)
    except NoResponseError:
        return None
    return None if found.status[0] else values_of(wanted, found)[0]


async def test_what_was_cut_off_is_asked_for_after_something_else() -> None:
    one = meter()
    async with (
        MeterLine(one) as line,
        FaultProxy(line.port) as proxy,
        reading(proxy.port) as driver,
    ):
        frames = FrameLog()
        driver.record(frames)
        plan = driver.plan(points("02010100"))
        await proxy.stall()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await driver.read(plan)
        await proxy.resume()
        assert values_of(points("02010100"), await driver.read(plan)) == [229.0]
    sent = [SPEC.explain(each) for _, each in frames.since() if each.direction == "sent"]
    assert [words.rpartition("read ")[2][:8] for words in sent] == [
        "02010100",
        "04000401",
        "02010100",
    ]


async def test_two_meters_that_answer_to_anybody_are_refused() -> None:
    """Whichever came first would be taken, now of one meter and now of the other."""
    both = line(meter(ONE), meter(OTHER, 231.0))
    async with both as (_, proxy), reading(proxy.port, ANYBODY) as driver:
        for _ in range(2):
            with pytest.raises(NoResponseError, match=f"meters {ONE}, {OTHER} answer"):
                await values(driver, "02010100")


async def test_the_only_meter_is_asked_by_its_number_once_it_is_known() -> None:
    """A second one, connected later, has no part in its values."""
    async with line(meter(ONE)) as (server, proxy), reading(proxy.port, ANYBODY) as driver:
        assert await values(driver, "02010100") == [229.0]
        server.meters = {OTHER: meter(OTHER, 231.0), **server.meters}
        assert await values(driver, "02010100", "02010200") == [229.0, 230.1]


async def test_an_only_meter_that_is_exchanged_is_found_again() -> None:
    quick = {"request_timeout_ms": 100}
    async with line(meter(ONE)) as (server, proxy), reading(proxy.port, ANYBODY, **quick) as driver:
        assert await values(driver, "02010100") == [229.0]
        server.meters = {OTHER: meter(OTHER, 231.0)}
        with pytest.raises(NoResponseError):
            await values(driver, "02010100")
        assert await values(driver, "02010100") == [231.0]
