"""One device through good times and bad: the books balance, gaps have causes, logs are few."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.batch import Batch, Gap
from gateway.core.schema import Schema
from gateway.core.status import Reason, bad
from gateway.drivers.api import Arrivals, NoResponseError, NotConnectedError, RefusedError
from gateway.drivers.extras import Notice
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device import connection as connection_module
from gateway.edge.device import runtime as runtime_module
from gateway.edge.device.standing import reports
from gateway.edge.device.standing.faults import Loss
from gateway.edge.live.view import DeviceLive
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.gaps_told import gaps
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until

Start = Callable[..., Runtime]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    buffers: list[Buffer] = []

    def start_it(plant: Plant, clock: Clock | None = None, **options: object) -> Runtime:
        for buffer in buffers:
            buffer.close()
        plan = loaded(tmp_path, **options)  # type: ignore[arg-type]
        buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
        buffers.append(buffer)
        return Runtime(plan, plant, clock or Clock(), buffer)

    yield start_it
    for buffer in buffers:
        buffer.close()


def open_gaps(buffer: Buffer) -> list[Gap]:
    """What the buffer remembers as open; see :func:`gaps` about late ticks."""
    return [gap for gap in buffer.gaps() if gap.cause is not Reason.LATE]


async def failing(runtime: Runtime, ticks: int = 3) -> None:
    """Wait until so many more ticks have failed and are committed."""
    goal = runtime.buffer.totals().failed + ticks * runtime.group.size
    await until(lambda: runtime.buffer.totals().failed >= goal)


async def test_good_times(start: Start) -> None:
    plant = Plant()
    async with start(plant) as runtime:
        await until(lambda: plant.reads >= 5)
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.ok == plant.reads * 2
    assert totals.due == ((runtime.group.ticks.counted_ms - first_due(runtime)) // 20 + 1) * 2
    device = only_device(runtime)
    assert device.link == "up"
    assert [tag.value for tag in device.tags] == [float(plant.reads)] * 2


def only_device(runtime: Runtime) -> DeviceLive:
    """The device of the run with its tags."""
    (record,) = runtime.live.records()
    device = runtime.live.device(record.id)
    assert device is not None
    return device


def first_due(runtime: Runtime) -> int:
    """The first tick that was read or, on a busy machine, missed."""
    times = _times(runtime.buffer)
    return min([*times, *(gap.from_ms for gap in gaps(runtime.buffer, late=True))])


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (NotConnectedError("cable cut"), Reason.DISCONNECTED),
        (RefusedError("no session left"), Reason.REFUSED),
        (TimeoutError(), Reason.TIMEOUT),
        (ZeroDivisionError("a bug"), Reason.DRIVER_BUG),
    ],
)
async def test_a_loss_is_one_gap_with_its_cause_one_warning_and_one_word_of_its_end(
    start: Start,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    cause: Reason,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(reports, "SOUND_S", 0.0)
    plant = Plant()
    async with start(plant, retry_max_ms=1_000) as runtime:
        await until(lambda: plant.reads >= 3)
        plant.read_fault = plant.connect_fault = fault
        await failing(runtime, 8)
        device = only_device(runtime)
        assert (device.link, device.cause) == ("down", cause)
        assert all(tag.value is None and tag.reason is cause for tag in device.tags)
        plant.read_fault = plant.connect_fault = None
        before = plant.reads
        await until(lambda: plant.reads >= before + 3)
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.ok == plant.reads * 2
    whole = [gap for gap in gaps(runtime.buffer) if gap.cause is cause]
    assert len(whole) == 1
    assert (whole[0].device, whole[0].group, whole[0].tags) == ("d", "", ())
    assert whole[0].to_ms is not None
    assert (whole[0].to_ms - whole[0].from_ms) // 20 * 2 == totals.failed
    assert sum("is lost" in line for line in caplog.messages) == 1
    assert sum("is back after" in line for line in caplog.messages) == 1
    assert sum("has a bug" in line for line in caplog.messages) == (cause is Reason.DRIVER_BUG)
    assert plant.closes == plant.connects or plant.closes == plant.connects - 1


async def test_a_silent_device_is_closed_after_the_timeout(start: Start) -> None:
    plant = Plant()
    plant.silent = True
    async with start(plant, timeout_ms=50) as runtime:
        await until(lambda: plant.closes >= 2)
        assert runtime.live.records()[0].cause is Reason.TIMEOUT
    assert runtime.buffer.totals().ok == 0


async def test_a_driver_that_does_not_close_is_left_behind_and_told_once(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "CLOSE_TIMEOUT_S", 0.05)
    plant = Plant()
    plant.closing_hangs = True
    plant.read_fault = NotConnectedError("cable cut")
    async with start(plant):
        await until(lambda: plant.connects >= 3)
    assert sum("did not close in time" in line for line in caplog.messages) == 1


async def test_a_device_that_ends_idle_connections_is_read_at_every_tick(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    plant = Plant()
    plant.serves = 1
    async with start(plant) as runtime:
        await until(lambda: plant.reads >= 5)
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert (totals.ok, totals.failed) == (plant.reads * 2, 0)
    assert plant.connects == plant.closes == plant.reads
    (record,) = runtime.live.records()
    assert record.renewals == plant.connects - 1
    assert not gaps(runtime.buffer)
    assert not caplog.records


async def test_a_device_that_is_silent_keeps_its_session(start: Start) -> None:
    plant = Plant()
    async with start(plant) as runtime:
        await until(lambda: plant.reads >= 2)
        plant.read_fault = NoResponseError("unit 7: exception 11", Reason.GATEWAY_TARGET)
        await failing(runtime)
        plant.read_fault = None
        await until(lambda: runtime.live.records()[0].link == "up")
        reads = plant.reads
        await until(lambda: plant.reads > reads)
    assert (plant.connects, plant.closes) == (1, 1)
    (gap,) = gaps(runtime.buffer)
    assert (gap.group, gap.cause) == ("", Reason.GATEWAY_TARGET)
    assert gap.to_ms is not None
    assert runtime.buffer.totals().balanced


@pytest.mark.parametrize("cause", [Reason.TIMEOUT, Reason.GATEWAY_TARGET, Reason.DISCONNECTED])
async def test_devices_that_were_lost_together_do_not_come_back_in_step(
    start: Start, cause: Reason
) -> None:
    """Thirty dead units of a line would else be asked in one row for ever."""
    device = start(Plant()).device
    for _ in range(20):
        device._standing.lost(Loss(cause, "no answer"))
    longest = device.model.config.retry_max_ms
    pauses = {device._standing.pause_ms(cause) for _ in range(200)}
    assert min(pauses) >= longest * 3 // 4
    assert max(pauses) <= longest
    assert len(pauses) > 20


async def test_slow_reads_skip_ticks_and_count_them_as_late(start: Start) -> None:
    plant = Plant()
    plant.reading_takes_s = 0.07
    async with start(plant) as runtime:
        await until(lambda: plant.reads >= 5)
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.failed == 0
    assert totals.skipped >= 4 * 2 * 2  # four reads, each over at least two more ticks
    (gap,) = gaps(runtime.buffer, late=True)
    assert (gap.group, gap.cause) == ("g", Reason.LATE)
    assert gap.to_ms is not None, "an orderly stop ends it"
    assert runtime.buffer.gaps() == []


async def test_bad_tags_are_a_gap_of_their_own(start: Start) -> None:
    plant = Plant()
    async with start(plant, tags=3) as runtime:
        await until(lambda: plant.reads >= 2)
        plant.status = np.array([0, bad(Reason.ILLEGAL_ADDRESS), bad(Reason.ILLEGAL_ADDRESS)], "u1")
        await until(lambda: plant.reads >= 5)
        plant.status = np.array([0, 0, bad(Reason.ILLEGAL_ADDRESS)], "u1")
        await until(lambda: plant.reads >= 8)
    found = gaps(runtime.buffer)
    assert [(gap.group, gap.tags, gap.cause) for gap in found] == [
        ("g", ("t1", "t2"), Reason.ILLEGAL_ADDRESS),
        ("g", ("t2",), Reason.ILLEGAL_ADDRESS),
    ]
    assert found[0].to_ms == found[1].from_ms
    assert found[1].to_ms is None
    assert open_gaps(runtime.buffer) == [found[1]]


async def test_ticks_between_two_runs_are_skipped_because_the_gateway_was_down(
    start: Start,
) -> None:
    plant, clock = Plant(), Clock()
    async with start(plant, clock) as first:
        await until(lambda: plant.reads >= 3)
    stopped = first.group.ticks.counted_ms
    clock.passed_ms = 10_000
    async with start(plant, clock) as second:
        before = plant.reads
        await until(lambda: plant.reads >= before + 3)
    totals = second.buffer.totals()
    assert totals.balanced
    assert totals.skipped >= 500 * 2
    assert totals.ok == plant.reads * 2
    down = [gap.from_ms for gap in gaps(second.buffer) if gap.cause is Reason.GATEWAY_DOWN]
    assert down == [stopped + 20]


async def test_nothing_is_due_before_the_first_attempt_of_a_fresh_gateway_has_ended(
    start: Start,
) -> None:
    plant = Plant()
    plant.open.clear()
    async with start(plant) as runtime:
        began = runtime.clock.now_ms()
        await until(lambda: runtime.clock.now_ms() > began + 100)
        assert runtime.buffer.totals().due == 0
        opened = runtime.clock.now_ms()
        plant.open.set()
        await until(lambda: plant.reads >= 3)
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.failed == 0
    assert totals.due == ((runtime.group.ticks.counted_ms - first_due(runtime)) // 20 + 1) * 2
    assert first_due(runtime) > opened
    assert gaps(runtime.buffer) == []


def _times(buffer: Buffer) -> list[int]:
    """The times of all batches that the buffer holds, in order."""
    schemas: dict = {}
    times = []
    for one in buffer.city.read(0, 1 << 40):
        frame = decode_frame(seal(one.body, Header(1, one.seq, one.values)), schemas)
        schemas |= {record.id: record for record in frame.records if isinstance(record, Schema)}
        times += [record.time_ms for record in frame.records if isinstance(record, Batch)]
    return times


async def test_a_failed_first_attempt_begins_the_books(start: Start) -> None:
    plant = Plant()
    plant.open.clear()
    plant.connect_fault = NotConnectedError("off")
    async with start(plant) as runtime:
        began = runtime.clock.now_ms()
        await until(lambda: runtime.clock.now_ms() > began + 100)
        opened = runtime.clock.now_ms()
        plant.open.set()
        await failing(runtime, 4)
    (gap,) = gaps(runtime.buffer)
    totals = runtime.buffer.totals()
    assert (gap.group, gap.cause, gap.to_ms) == ("", Reason.DISCONNECTED, None)
    assert gap.from_ms > opened
    assert totals.due == totals.failed
    assert totals.failed == ((runtime.group.ticks.counted_ms - gap.from_ms) // 20 + 1) * 2


async def test_after_a_restart_ticks_are_the_gateways_until_the_first_attempt_has_ended(
    start: Start,
) -> None:
    plant, clock = Plant(), Clock()
    async with start(plant, clock) as first:
        await until(lambda: plant.reads >= 3)
    stopped, before = first.group.ticks.counted_ms, first.buffer.totals()
    plant.open.clear()
    async with start(plant, clock):
        began = clock.now_ms()
        await until(lambda: clock.now_ms() > began + 100)
    async with start(plant, clock) as second:
        await until(lambda: clock.now_ms() > began + 200)
        assert second.buffer.totals() == before
        (opened,) = open_gaps(second.buffer)
        plant.open.set()
        reads = plant.reads
        await until(lambda: plant.reads >= reads + 3)
    totals = second.buffer.totals()
    assert totals.balanced
    assert totals.failed == 0
    (gap,) = gaps(second.buffer)
    assert (gap.device, gap.cause, gap.from_ms) == ("", Reason.GATEWAY_DOWN, stopped + 20)
    assert opened.from_ms == gap.from_ms
    assert gap.to_ms is not None
    assert totals.skipped >= ((gap.to_ms - 1 - stopped) // 20) * 2
    assert totals.due == before.due + (second.group.ticks.counted_ms - stopped) // 20 * 2


async def test_an_open_gap_goes_on_after_a_restart_and_ends(start: Start) -> None:
    plant, clock = Plant(), Clock()
    plant.connect_fault = NotConnectedError("off")
    async with start(plant, clock) as first:
        await failing(first)
    (opened,) = open_gaps(first.buffer)
    async with start(plant, clock) as second:
        await failing(second)
        assert opened in second.buffer.gaps()
        plant.connect_fault = None
        await until(lambda: plant.reads >= 2)
    assert open_gaps(second.buffer) == []
    (gap,) = [gap for gap in gaps(second.buffer) if gap.cause is Reason.DISCONNECTED]
    assert gap.from_ms == opened.from_ms
    assert gap.to_ms is not None


# -- subscriptions -------------------------------------------------------------------------


def arrival(clock: Clock, tag: int, value: float, status: int = 0) -> list[Arrivals]:
    times = np.array([clock.now_ms()], np.int64)
    values = (np.array([value]),)
    return [Arrivals("g", np.array([tag], "u4"), times, values, np.array([status], "u1"))]


@pytest.fixture
def receive() -> Callable[[Plant, Runtime, list[Arrivals]], Awaitable[None]]:
    async def receive_it(plant: Plant, runtime: Runtime, delivery: list[Arrivals]) -> None:
        before = runtime.record.polls
        plant.deliveries.put_nowait(delivery)
        await until(lambda: runtime.record.polls > before)

    return receive_it


async def test_subscribed_values_are_due_when_they_come(start: Start, receive) -> None:  # type: ignore[no-untyped-def]
    plant, clock = Plant(), Clock()
    async with start(plant, clock, mode="subscribe", interval_ms=10_000) as runtime:
        for value in range(4):
            await receive(plant, runtime, arrival(clock, value % 2, float(value)))
    totals = runtime.buffer.totals()
    assert (totals.due, totals.ok, totals.buffered, totals.failed) == (4, 4, 4, 0)


async def test_what_loses_values_while_a_device_is_up_is_logged_with_the_next_delivery(
    start: Start,
    receive,  # type: ignore[no-untyped-def]
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server can revise its queues when items are asked for again, without a new connection."""
    caplog.set_level(logging.INFO)
    plant, clock = Plant(), Clock()
    async with start(plant, clock, mode="subscribe", interval_ms=1_000) as runtime:
        await receive(plant, runtime, arrival(clock, 0, 1.0))
        plant.notices = [Notice("queue g", "the server keeps 1 value", is_loss=True)]
        await receive(plant, runtime, arrival(clock, 0, 2.0))
        await until(lambda: any("keeps 1 value" in line for line in caplog.messages))
        plant.notices = []
        await receive(plant, runtime, arrival(clock, 0, 3.0))
        await until(lambda: any("no longer: the server" in line for line in caplog.messages))


class HeldClock(Clock):
    """Never comes to the end of a slot."""

    def now_ms(self) -> int:
        return 1_800_000_000_001


async def test_what_came_before_a_stop_is_kept(start: Start) -> None:
    plant, clock = Plant(), HeldClock()
    async with start(plant, clock, mode="subscribe", interval_ms=1_000) as runtime:
        plant.deliveries.put_nowait(arrival(clock, 0, 1.0))
        await until(plant.deliveries.empty)
        assert runtime.record.polls == 0, "it waits for company"
        await runtime.edge.devices.stop("d")
    assert runtime.buffer.totals().buffered == 1


async def test_a_device_stops_though_its_last_arrivals_are_malformed(start: Start) -> None:
    plant, clock = Plant(), HeldClock()
    async with start(plant, clock, mode="subscribe", interval_ms=1_000) as runtime:
        (sound,) = arrival(clock, 0, 1.0)
        plant.deliveries.put_nowait([replace(sound, columns=())])
        await until(plant.deliveries.empty)
        async with asyncio.timeout(20):
            await runtime.edge.devices.stop("d")
    assert runtime.record.driver_bugs == 1
    totals = runtime.buffer.totals()
    assert (totals.ok, totals.buffered) == (0, 0)


@pytest.mark.parametrize(
    "fault", [NoResponseError("cancelled"), NotConnectedError("cancelled"), RuntimeError("bug")]
)
async def test_a_device_stops_though_its_driver_makes_a_fault_of_that(
    start: Start, fault: Exception
) -> None:
    plant = Plant()
    plant.silent, plant.cancelled_fault = True, fault
    async with start(plant) as runtime:
        await until(lambda: runtime.group.ticks.reading_ms is not None)
        async with asyncio.timeout(20):
            await runtime.edge.devices.stop("d")
    assert [gap.cause for gap in open_gaps(runtime.buffer)] == [Reason.STOPPED]


async def test_a_device_stops_though_a_library_loses_the_cancellation(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "CANCEL_AGAIN_S", 0.05)
    plant = Plant()
    plant.silent = plant.loses_cancellation = True
    async with start(plant) as runtime:
        await until(lambda: runtime.group.ticks.reading_ms is not None)
        async with asyncio.timeout(20):
            await runtime.edge.devices.stop("d")
    assert not plant.loses_cancellation


async def test_items_that_are_down_fail_once_an_interval(start: Start, receive) -> None:  # type: ignore[no-untyped-def]
    plant, clock = Plant(), Clock()
    plant.item_status = np.array([0, bad(Reason.NODE_UNKNOWN)], "u1")
    async with start(plant, clock, mode="subscribe") as runtime:
        await receive(plant, runtime, arrival(clock, 0, 1.0))
        await until(lambda: runtime.buffer.totals().failed >= 5)
        await receive(plant, runtime, arrival(clock, 1, 1.0))
        await until(lambda: not runtime.buffer.gaps())
        failed = runtime.buffer.totals().failed
        await receive(plant, runtime, arrival(clock, 1, 2.0))
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.failed == failed
    assert totals.ok == 3
    (gap,) = gaps(runtime.buffer)
    assert (gap.tags, gap.cause) == (("t1",), Reason.NODE_UNKNOWN)


async def test_a_lost_session_fails_every_tag_once_an_interval(start: Start, receive) -> None:  # type: ignore[no-untyped-def]
    plant, clock = Plant(), Clock()
    async with start(plant, clock, mode="subscribe") as runtime:
        await receive(plant, runtime, arrival(clock, 0, 1.0))
        plant.connect_fault = NotConnectedError("server gone")
        plant.deliveries.put_nowait(NotConnectedError("server gone"))
        await failing(runtime, 5)
        plant.connect_fault = None
        await until(lambda: runtime.live.records()[0].link == "up")
        await receive(plant, runtime, arrival(clock, 0, 1.0))
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.failed % 2 == 0
    assert totals.ok == totals.buffered == 2  # the same value again, because it was lost between
    (gap,) = gaps(runtime.buffer)
    assert (gap.group, gap.cause) == ("", Reason.DISCONNECTED)


async def test_cancelling_passes_through(start: Start) -> None:
    plant = Plant()
    plant.silent = True
    async with start(plant):
        await until(lambda: plant.connects == 1)
        await asyncio.sleep(0)
    assert plant.closes == 1
