"""Waits that a link turns out to need, and what of a link is known after a restart."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.drivers.api import DriverError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.pauses import HASTY_S, LONGEST_WARM_UP_S, Lessons, Pauses
from tests.drivers.modbus.support import connection, points
from tests.drivers.modbus.test_hostile import HostileServer, hostile, right

P, Q = (1, b"\3\0\0\0\1"), (2, b"\3\0\0\0\1")
WANTED = points("holding:0", "holding:1")


def late(pauses: Pauses, age_s: float) -> None:
    """A connection whose first request was answered when repeated at this age."""
    lessons = Lessons(pauses)
    lessons.unanswered(P, is_hasty=False)
    lessons.answered(P, age_s, None)
    assert not lessons.is_new


def prompt(pauses: Pauses) -> None:
    """A connection whose first request was answered."""
    Lessons(pauses).answered(P, pauses.after_connect_s, None)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def pauses(said: list[str]) -> Pauses:
    return Pauses(tell=said.append)


def test_two_late_connections_in_a_row_make_all_wait(pauses: Pauses, said: list[str]) -> None:
    late(pauses, 2.31)
    assert pauses.after_connect_s == 0
    late(pauses, 1.62)
    assert pauses.after_connect_s == 1.7  # what was seen to do, to the next tenth
    assert said == [pauses.words()["warm-up"]]
    assert "the first 1,700 ms of a connection" in said[0]


def test_one_late_connection_between_others_is_chance(pauses: Pauses) -> None:
    for _ in range(9):
        late(pauses, 1.0)
        prompt(pauses)
    assert pauses.after_connect_s == 0
    assert not pauses.words()


def test_a_dead_unit_that_is_asked_first_teaches_nothing(pauses: Pauses) -> None:
    for _ in range(9):
        lessons = Lessons(pauses)
        lessons.unanswered(Q, is_hasty=False)
        lessons.answered(P, 1.0, None)
        lessons.unanswered(Q, is_hasty=False)
    assert pauses.after_connect_s == 0


def test_the_first_request_may_be_repeated_after_others(pauses: Pauses) -> None:
    for _ in range(2):
        lessons = Lessons(pauses)
        lessons.unanswered(P, is_hasty=False)
        lessons.answered(Q, 0.9, None)
        lessons.answered(P, 1.5, None)
    assert pauses.after_connect_s == 1.5


def test_what_comes_after_very_long_is_another_silence(pauses: Pauses) -> None:
    for _ in range(9):
        late(pauses, LONGEST_WARM_UP_S + 0.1)
    assert pauses.after_connect_s == 0


def test_a_wait_that_does_not_help_is_given_up_for_good(pauses: Pauses) -> None:
    """A device that never answers its first request, however late it comes."""
    pauses.set(500, None)
    for _ in range(2):
        late(pauses, 1.5)
    assert pauses.after_connect_s == 1.5
    for _ in range(6):
        late(pauses, 3.0)
    assert pauses.after_connect_s == 0.5
    assert not pauses.words()


def test_a_changed_setting_lets_all_be_found_out_anew(pauses: Pauses) -> None:
    for _ in range(4):
        late(pauses, 1.5)
    pauses.need_between()
    pauses.set(None, 20)
    assert (pauses.after_connect_s, pauses.between_s, pauses.words()) == (0, 0.02, {})
    for _ in range(2):
        late(pauses, 1.5)
    assert pauses.after_connect_s == 1.5


def test_a_restart_goes_on_with_what_was_found_and_with_what_was_begun(pauses: Pauses) -> None:
    late(pauses, 1.5)
    pauses.need_between()
    after = Pauses()
    after.recall(pauses.found)
    assert after.between_s == HASTY_S
    assert not after.may_need
    late(after, 1.5)  # the second in a row
    assert after.after_connect_s == 1.5
    third = Pauses()
    third.recall(after.found)
    assert third.after_connect_s == 1.5
    third.recall(pauses.found)  # of another unit of the link, as it was before
    assert third.found == after.found


def of(port: int, **settings: Any) -> tuple[ModbusLink, ModbusDriver]:
    one: Connection = connection(port, request_timeout_ms=600, **settings)
    link = ModbusLink([one])
    return link, link.driver(one)


async def tried(driver: ModbusDriver) -> bool:
    """Whether a reading brought its values."""
    try:
        reading = await driver.read(driver.plan(WANTED))
    except DriverError:
        return False
    return values_of(WANTED, reading) == [4, 4]


class Dongle:
    """Answers nothing in the first moments of a connection."""

    def __init__(self, deaf_s: float) -> None:
        self.deaf_s = deaf_s
        self.opened_s = 0.0

    def __call__(self, request: bytes) -> Sequence[bytes]:
        age_s = asyncio.get_running_loop().time() - self.opened_s
        return [] if age_s < self.deaf_s else [right(request)]


async def connects(driver: ModbusDriver, server: HostileServer, dongle: Dongle) -> int:
    """Connect anew and read until there are values; how many requests were not answered."""
    server.requests.clear()
    await driver.connect()
    dongle.opened_s = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while not await tried(driver):
            pass
    return len(server.requests) - 1


async def test_a_dongle_that_is_deaf_at_first_is_waited_for_also_after_a_restart() -> None:
    dongle = Dongle(1.0)
    async with hostile(dongle) as server:
        _, driver = of(server.port, framing="tcp")
        assert await connects(driver, server, dongle) > 0
        assert await connects(driver, server, dongle) > 0
        assert await connects(driver, server, dongle) == 0
        assert any("the first one waits" in remark for remark in driver.remarks())
        (notice,) = driver.notices()
        assert not notice.is_loss
        known = driver.knowledge
        await driver.close()
        _, next_run = of(server.port, framing="tcp")
        next_run.recall(known)
        assert await connects(next_run, server, dongle) == 0
        await next_run.close()
        _, other = of(server.port, framing="tcp", pause_between_requests_ms=10)
        other.recall(known)  # under other settings: it is forgotten
        assert other.knowledge is None
        assert await connects(other, server, dongle) > 0
        await other.close()


async def test_rtu_framing_that_was_found_is_known_after_a_restart() -> None:
    link, driver = of(1)
    assert driver.knowledge is None
    driver.recall({"settings": list(link._settings), "is_rtu": True})
    assert driver.knowledge["is_rtu"]
    assert [one.key for one in driver.notices()] == ["framing"]


def is_tcp(request: bytes) -> bool:
    return request[2:6] == b"\0\0\0\6"


async def test_a_device_that_speaks_modbus_tcp_now_is_found_though_rtu_was_known() -> None:
    async with hostile(lambda request: [right(request)] if is_tcp(request) else []) as one:
        link, driver = of(one.port)
        driver.recall({"settings": list(link._settings), "is_rtu": True})
        await driver.connect()
        async with asyncio.timeout(60):
            while not await tried(driver):  # noqa: ASYNC110 - each is a reading
                await asyncio.sleep(0.01)
        assert driver.knowledge is None
        await driver.close()


async def test_one_answer_a_connection_is_known_after_a_restart() -> None:
    link, driver = of(1)
    driver.recall({"settings": list(link._settings), "is_one_answer_each": True})
    assert link.is_one_answer_each
    assert driver.knowledge["is_one_answer_each"]


@pytest.mark.parametrize(
    "junk",
    [
        7,
        {},
        {"settings": 1},
        {"settings": [], "pauses": {"late": "x"}},
        {"settings": [], "pauses": {"after_connect_ms": 10**9}},
        {"settings": [], "pauses": {"between_ms": -1}},
    ],
)
def test_what_is_no_knowledge_is_refused(junk: object) -> None:
    _, driver = of(1)
    with pytest.raises(ValueError):
        driver.recall(junk)
    assert driver.knowledge is None
