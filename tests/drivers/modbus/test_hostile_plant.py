"""The driver in a plant that does everything that plants do: what is GOOD was so at that moment."""

import asyncio
import math
from collections.abc import Sequence

import pytest

from gateway.drivers.api import Point, Value
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.codec import NOT_SENT, SILENT, WRONG, Table
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.series import ProtocolError
from simulators.hostile.clockwork import Clockwork, code
from simulators.hostile.frames import FRAMINGS
from simulators.hostile.plant import HostilePlant
from simulators.hostile.script import Rule, Script
from tests.drivers.modbus.hostile_campaign import (
    SETTINGS,
    Setting,
    Verdict,
    campaign,
    campaigns,
)
from tests.drivers.modbus.support import connected, points

pytestmark = pytest.mark.long

WHOLE_S = 120.0


async def test_no_value_is_wrong_and_good_whatever_the_plant_does() -> None:
    """Values of another unit, address or time; ``make hostile`` looks for longer."""
    verdict = await campaigns(seed=1, rounds=8, chance=0.04)
    assert verdict.wrong == []
    assert verdict.good > 100, "the campaign proves nothing if all is BAD"
    assert len(verdict.faults) > 15


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: f"{one.framing}-{one.window}")
@pytest.mark.parametrize("kind", ["late", "twice", "coalesce", "truncate", "wrong_tid", "split"])
async def test_one_kind_of_fault_alone(setting: Setting, kind: str) -> None:
    """Each of these once made, or would make, a value of another request pass for this one's."""
    # Late, and under the number of the next request, an answer cannot be told from the right one.
    given = {"by": (64.0, 64.0)} if kind == "wrong_tid" else {}
    script = Script((Rule(kind, given, chance=0.3),), seed=3)
    verdict = Verdict()
    async with asyncio.timeout(WHOLE_S):
        while verdict.faults[kind] <= 3:  # on a busy machine few requests are answered in time
            verdict += await campaign(setting, script, rounds=6)
    assert verdict.wrong == []


async def read_through(script: Script, wanted: Sequence[Point], count: int) -> list[list[Value]]:
    """What so many readings of unit 1 give, through a plant that follows a script."""
    framing = FRAMINGS["tcp"]
    async with (
        Clockwork(1, framing) as device,
        HostilePlant(script, framing, ("127.0.0.1", device.port)) as plant,
        connected(plant.port) as driver,
        asyncio.timeout(WHOLE_S),
    ):
        plan = driver.plan(wanted)
        readings = [await driver.read(plan) for _ in range(count)]
    assert not any(reading.status.any() for reading in readings)
    return [values_of(wanted, reading) for reading in readings]


async def test_a_device_that_moved_its_registers_is_read_as_it_is_now() -> None:
    """A firmware update: no driver can know, but it mixes nothing of before and after."""
    wanted = points("holding:104", "holding:105", "holding:106")
    script = Script((Rule("moved_registers", {"by": (10.0, 10.0)}, first=3),))
    before, after = ([code(1, at - moved) for at in (104, 105, 106)] for moved in (0, 10))
    assert await read_through(script, wanted, 4) == [before, before, after, after]


@pytest.mark.parametrize("value", [0x7FFF, 0xFFFF, 0x8000])
async def test_no_value_codes_arrive_as_the_device_holds_them(value: int) -> None:
    """What they mean is said by the tag; the driver alters no number."""
    script = Script((Rule("sentinel", {"value": (float(value),) * 2}),))
    assert await read_through(script, points("holding:4", "holding:5"), 1) == [[value, value]]


async def test_nan_arrives_as_nan() -> None:
    script = Script((Rule("sentinel", {"value": (math.nan, math.nan)}),))
    ((value,),) = await read_through(script, points("holding:4:float32"), 1)
    assert isinstance(value, float)
    assert math.isnan(value)


async def test_counters_that_wrap_arrive_as_they_are() -> None:
    script = Script((Rule("wrap", {"below": (100.0, 100.0)}),))
    assert await read_through(script, points("holding:4"), 1) == [[code(1, 4) % 100]]


# -- what the plant has found -------------------------------------------------------------


REQUESTS = [codec.read(Table.HOLDING, 100 * at, 1) for at in range(3)]


def answer_to(request: bytes, value: int, *, tid: int = 0) -> bytes:
    """A right answer with one register, perhaps under the id of a request so much later."""
    key = (int.from_bytes(request[:2], "big") + tid).to_bytes(2, "big")
    return key + b"\0\0\0\5" + request[6:8] + b"\2" + value.to_bytes(2, "big")


def pipelined() -> tuple[Transactions, list[bytes]]:
    """Three requests under way at once."""
    series = Transactions()
    sent = series.begin(1, REQUESTS, window=3)
    return series, [sent[at : at + 12] for at in range(0, len(sent), 12)]


def test_an_answer_that_took_bytes_of_the_next_one_is_not_believed() -> None:
    """A frame that was cut short ends with the first byte of the one behind it."""
    series, (one, two, _) = pipelined()
    with pytest.raises(ProtocolError):
        series.receive(answer_to(one, 5)[:-1] + answer_to(two, 6))
    series.give_up(WRONG)
    assert [answer for answer in series.answers if isinstance(answer, bytes)] == []


def test_it_is_not_believed_either_where_nothing_more_comes() -> None:
    series, (one, two, _) = pipelined()
    series.receive(answer_to(one, 5)[:-1] + answer_to(two, 6)[:9])
    series.give_up(SILENT)
    assert series.answers == [NOT_SENT, SILENT, NOT_SENT]


def test_an_answer_under_the_id_of_a_later_request_is_not_believed() -> None:
    """As of gateways that keep the newest id only."""
    series, (one, two, _) = pipelined()
    series.receive(answer_to(one, 5, tid=2))
    series.receive(answer_to(two, 6, tid=1))
    assert series.repeated
    series.give_up(WRONG)
    assert [answer for answer in series.answers if isinstance(answer, bytes)] == []


def test_nor_where_the_others_are_lost() -> None:
    series, (one, *_) = pipelined()
    series.receive(answer_to(one, 5, tid=2))
    series.give_up(SILENT)
    assert series.answers == [SILENT, NOT_SENT, NOT_SENT]


def test_what_was_answered_in_order_before_a_silence_is_kept() -> None:
    series, (one, *_) = pipelined()
    series.receive(answer_to(one, 5))
    series.give_up(SILENT)
    assert series.answers == [b"\0\5", SILENT, NOT_SENT]


def test_two_answers_to_one_request_that_differ_are_none() -> None:
    """The first one was late, under the newest id: the other one comes right behind it."""
    series = Transactions()
    request = series.begin(1, [REQUESTS[0]])
    with pytest.raises(ProtocolError, match="two answers to transaction 0001, which differ"):
        series.receive(answer_to(request, 5) + answer_to(request, 6))
    series.give_up(WRONG)
    assert series.answers == [WRONG]


def test_an_answer_that_is_repeated_as_it_was_is_passed_over() -> None:
    series = Transactions()
    request = series.begin(1, [REQUESTS[0]])
    series.receive(answer_to(request, 5) * 2)
    assert series.answers == [b"\0\5"]
