"""A unit that fell silent is waited for as long as it used to take, and now and then in full."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.api import NoResponseError
from gateway.drivers.frames import FrameLog
from gateway.drivers.modbus.reach.patience import Patience
from tests.drivers.modbus.support import connected, points

TIMEOUT_MS = 1_200


@dataclass(slots=True)
class Unit:
    """Answers each request for one register, as long as it is told to."""

    port: int = 0
    answers: bool = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readexactly(12)
                if self.answers:
                    writer.write(request[:4] + bytes([0, 5, request[6], 3, 2, 0, 7]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@asynccontextmanager
async def unit() -> AsyncIterator[Unit]:
    made = Unit()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


async def test_a_silent_unit_costs_what_its_answers_used_to_take() -> None:
    async with unit() as one, connected(one.port, request_timeout_ms=TIMEOUT_MS) as driver:
        driver.record(FrameLog())
        plan = driver.plan(points("holding:0"))
        for _ in range(12):
            await driver.read(plan)
        assert driver.timeout_ms == TIMEOUT_MS
        one.answers, waited = False, []
        for _ in range(6):
            waited.append(driver.timeout_ms)
            with pytest.raises(NoResponseError, match=f"no answer within {waited[-1]} ms"):
                await driver.read(plan)
            await driver.connect()
        short = waited[1]
        assert short < TIMEOUT_MS
        assert waited == [TIMEOUT_MS, short, short, short, TIMEOUT_MS, short]
        one.answers = True
        await driver.read(plan)
        assert driver.timeout_ms == TIMEOUT_MS  # whoever answers has all of it


async def test_a_unit_that_was_never_heard_is_waited_for_in_full() -> None:
    async with unit() as one, connected(one.port, request_timeout_ms=300) as driver:
        driver.record(FrameLog())
        one.answers, plan = False, driver.plan(points("holding:0"))
        for _ in range(3):
            with pytest.raises(NoResponseError, match="within 300 ms"):
                await driver.read(plan)
            await driver.connect()


async def test_a_write_is_waited_for_in_full() -> None:
    async with unit() as one, connected(one.port, request_timeout_ms=TIMEOUT_MS) as driver:
        driver.record(FrameLog())
        (point,) = points("holding:0")
        plan = driver.plan([point])
        for _ in range(12):
            await driver.read(plan)
        one.answers = False
        with pytest.raises(NoResponseError):
            await driver.read(plan)
        await driver.connect()
        assert driver.timeout_ms < TIMEOUT_MS
        with pytest.raises(NoResponseError, match=f"not confirm within {TIMEOUT_MS} ms"):
            await driver.write(point, 1)


@given(st.floats(0.2, 30), st.lists(st.floats(0, 30), max_size=40), st.integers(1, 40))
def test_no_try_is_shorter_than_four_times_the_slowest_answer(
    timeout_s: float, took_s: list[float], tries: int
) -> None:
    patience = Patience(timeout_s)
    waits = [patience.silent(took_s) or timeout_s for _ in range(tries)]
    assert all(min(timeout_s, 4 * max(took_s, default=timeout_s)) <= wait for wait in waits)
    assert all(0 < wait <= timeout_s for wait in waits)
    assert all(wait == timeout_s for wait in waits[3::4])
    patience.heard()
    assert not patience.is_tried
