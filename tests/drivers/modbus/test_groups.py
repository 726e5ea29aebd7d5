"""Several plans of one unit, as its groups are: what one of them asks for costs no other."""

from collections.abc import Callable

import pytest

from gateway.core.status import Reason
from gateway.drivers.api import NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.codec import Function
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.driver import ModbusDriver, UnitPlan
from tests.drivers.modbus.support import connected, points, reasons
from tests.drivers.modbus.test_hostile import exception, hostile, right

GOOD = points("holding:0")
OTHER = points("input:5", "input:300")


def only_holding(request: bytes) -> list[bytes]:
    return [right(request)] if request[7] == Function.READ_HOLDING_REGISTERS else []


def no_target(request: bytes) -> list[bytes]:
    return only_holding(request) or [exception(request, 11)]


def wrong(request: bytes) -> list[bytes]:
    return only_holding(request) or [b"HTTP/1.1 400 Bad Request"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (only_holding, Reason.TIMEOUT),
        (no_target, Reason.GATEWAY_TARGET),
        (wrong, Reason.PROTOCOL),
    ],
)
async def test_a_group_of_which_nothing_is_answered_costs_the_others_nothing(
    answer: Callable[[bytes], list[bytes]], reason: Reason
) -> None:
    async with (
        hostile(answer) as server,
        connected(server.port, request_timeout_ms=80, framing=Framing.TCP) as driver,
    ):
        fast, slow = driver.plan(GOOD), driver.plan(OTHER)
        for _ in range(20):
            assert values_of(GOOD, await driver.read(fast)) == [2]
            assert reasons(await driver.read(slow)) == [reason, reason]
        assert "input 5" in driver.tag_faults()["t0"].words
        asked = sum(request[7] == Function.READ_INPUT_REGISTERS for request in server.requests)
        assert asked < 20  # it rests for longer and longer
        server.answer = lambda request: [right(request)]
        for _ in range(70):
            reading = await driver.read(slow)
        assert values_of(OTHER, reading) == [2, 2]


async def test_the_silent_group_may_be_read_first() -> None:
    """Each attempt on a lost unit begins with it, and costs no more than one time-out."""
    async with (
        hostile(only_holding) as server,
        connected(server.port, request_timeout_ms=80, framing=Framing.TCP) as driver,
    ):
        slow, fast = driver.plan(OTHER), driver.plan(GOOD)
        with pytest.raises(NoResponseError):
            await driver.read(slow)
        assert reasons(await driver.read(slow)) == [Reason.TIMEOUT, Reason.TIMEOUT]
        assert values_of(GOOD, await driver.read(fast)) == [2]


async def test_a_unit_that_dies_is_lost_with_all_its_groups() -> None:
    async with (
        hostile(lambda request: [right(request)]) as server,
        connected(server.port, request_timeout_ms=80, framing=Framing.TCP) as driver,
    ):
        plans = driver.plan(OTHER), driver.plan(GOOD)
        for plan in plans:
            await driver.read(plan)
        server.answer = lambda _: []
        for plan in plans:
            with pytest.raises((NoResponseError, NotConnectedError)):
                await driver.read(plan)


async def plans_of_which_one_rests(driver: ModbusDriver) -> tuple[UnitPlan, UnitPlan]:
    fast, slow = driver.plan(GOOD), driver.plan(OTHER)
    for _ in range(6):
        await driver.read(fast)
        await driver.read(slow)
    return fast, slow


async def test_a_group_that_rests_does_not_pass_for_a_sign_of_life() -> None:
    """A reading without a request is one of a unit that answers; of a dead one it would be news."""
    async with (
        hostile(only_holding) as server,
        connected(server.port, request_timeout_ms=80, framing=Framing.TCP) as driver,
    ):
        fast, slow = await plans_of_which_one_rests(driver)
        server.answer = lambda _: []
        for plan in (fast, slow, slow):
            with pytest.raises((NoResponseError, NotConnectedError)):
                await driver.read(plan)


async def test_a_group_that_rests_is_asked_over_a_new_session() -> None:
    async with (
        hostile(only_holding) as server,
        connected(server.port, request_timeout_ms=80, framing=Framing.TCP) as driver,
    ):
        _, slow = await plans_of_which_one_rests(driver)
        server.answer = lambda _: []
        await driver.connect()
        with pytest.raises(NoResponseError):
            await driver.read(slow)
