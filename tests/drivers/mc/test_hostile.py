"""Whatever a controller answers, no wrong value is GOOD."""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest

from gateway.core.status import Reason, bad
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
    RefusedError,
)
from gateway.drivers.mc import SPEC
from tests.drivers import trial
from tests.drivers.mc.odd_plc import Asked, Script, odd_plc
from tests.drivers.trial import values

points = partial(trial.points, SPEC)


def connected(script: Script, **more: object) -> AbstractAsyncContextManager[Any]:
    """A driver, connected to a controller that answers by a script."""
    return trial.connected(SPEC, odd_plc(script), **more)


@pytest.mark.parametrize("frame", ["3e", "4e"])
async def test_an_answer_may_come_in_single_bytes(frame: str) -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        return (bytes([one]) for one in asked.answer(asked.words))

    async with connected(script, frame=frame) as driver:
        assert await values(driver, points("D100", "D900", "W1F")) == [100, 900, 0x1F]


async def test_a_late_answer_without_number_ends_the_connection() -> None:
    kept: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        kept.append(asked.answer(asked.words))
        return kept[:-1] if len(kept) > 1 else ()

    async with connected(script, request_timeout_ms=50) as driver:
        with pytest.raises(NotConnectedError, match="no answer within 50 ms") as caught:
            await values(driver, points("D100"))
        assert caught.value.reason is Reason.TIMEOUT
        with pytest.raises(NotConnectedError):  # D100's answer would be sent now
            await values(driver, points("D200"))


async def test_a_late_answer_with_number_is_dropped() -> None:
    """4E: the connection goes on; an answer counts for the request of its number only."""
    late: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        answer = asked.answer(asked.words)
        if late:
            return late.pop(), answer
        late.append(answer)
        return ()

    async with connected(script, frame="4e", request_timeout_ms=100) as driver:
        with pytest.raises(NoResponseError, match="D100"):
            await values(driver, points("D100"))
        assert await values(driver, points("D200")) == [200]


async def test_a_cancelled_reading_ends_a_connection_without_numbers() -> None:
    """Nothing is sent over it any more: the late answer would come first."""
    heard = asyncio.Event()
    kept: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        kept.append(asked.answer(asked.words))
        heard.set()
        return kept[:-1]

    async with connected(script) as driver:
        reading = asyncio.create_task(values(driver, points("D100")))
        await heard.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        with pytest.raises(NotConnectedError):
            await values(driver, points("D200"))
    assert len(kept) == 1


@pytest.mark.parametrize("frame", ["3e", "4e"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: answer[:7] + b"\x02" + answer[8:],  # another length (3E: short)
        lambda answer: answer + answer,  # 3E: twice
        lambda answer: answer[:-6] + b"\x09" + answer[-5:],  # another station
        lambda answer: b"\0" + answer,
        lambda answer: answer[:-1],  # cut short
    ],
)
async def test_a_spoilt_answer_is_never_a_value(frame: str, spoil: object) -> None:
    assert callable(spoil)

    def script(asked: Asked) -> Iterable[bytes]:
        return (spoil(asked.answer(asked.words)),)

    async with connected(script, frame=frame, request_timeout_ms=100) as driver:
        for number in (100, 200, 300):
            try:
                assert await values(driver, points(f"D{number}")) == [number]
            except DriverError:
                await driver.connect()


async def test_only_the_answer_of_this_number_counts() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        mine = int.from_bytes(asked.begin[2:4], "little")
        return (
            asked.answer(b"\x07\0", serial=(mine + 1) % 0x10000),
            asked.answer(b"\x08\0", serial=(mine - 1) % 0x10000),
            asked.answer(asked.words),
        )

    async with connected(script, frame="4e") as driver:
        for number in range(5):
            assert await values(driver, points(f"D{number}")) == [number]


async def test_random_reads_that_are_not_known_become_single_ones() -> None:
    commands: list[int] = []

    def script(asked: Asked) -> Iterable[bytes]:
        commands.append(asked.command)
        end = 0xC059 if asked.command == 0x0403 else 0
        return (asked.answer(b"" if end else asked.words, end),)

    async with connected(script) as driver:
        plan = driver.plan(points("D100", "D900"))
        for _ in range(4):
            reading = await driver.read(plan)
            assert reading.columns[0].tolist() == [100, 900]
            assert not reading.status.any()
    assert commands.count(0x0403) == 1


async def test_one_bad_device_of_a_random_read_is_bad_alone() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        is_bad = bytes.fromhex("102700a8") in asked.data  # D10000
        return (asked.answer(b"" if is_bad else asked.words, 0x4031 if is_bad else 0),)

    async with connected(script) as driver:
        plan = driver.plan(points("D100", "D10000", "D900"))
        for _ in range(4):
            reading = await driver.read(plan)
            assert reading.status.tolist() == [0, bad(Reason.ILLEGAL_ADDRESS), 0]
            assert reading.columns[0].tolist()[::2] == [100, 900]
        fault = driver.tag_faults()["D10000:int16"]
        assert fault.reason is Reason.ILLEGAL_ADDRESS
        assert "4031H" in fault.words and "D10000" in fault.words


async def test_a_refusal_of_the_whole_is_not_asked_again_one_by_one() -> None:
    commands: list[int] = []

    def script(asked: Asked) -> Iterable[bytes]:
        commands.append(asked.command)
        return (asked.answer(b"", 0xCF71),)

    async with connected(script) as driver:
        plan = driver.plan(points(*(f"D{number}" for number in range(0, 10_000, 500))))
        for _ in range(3):
            reading = await driver.read(plan)
            assert (reading.status == bad(Reason.GATEWAY_TARGET)).all()
    assert len(commands) <= 5


async def test_a_remote_password_is_a_refusal() -> None:
    async with connected(lambda asked: (asked.answer(b"", 0xC201),)) as driver:
        with pytest.raises(RefusedError, match="remote password"):
            await values(driver, points("D100"))


async def test_a_write_that_is_not_confirmed_may_have_been_done() -> None:
    async with connected(lambda _asked: (), frame="4e", request_timeout_ms=50) as driver:
        with pytest.raises(NoResponseError, match="it may have"):
            await driver.write(points("D100")[0], 1)


async def test_a_refused_write_says_why() -> None:
    async with connected(lambda asked: (asked.answer(b"", 0x0055),)) as driver:
        with pytest.raises(DriverError, match="online change"):
            await driver.write(points("D100")[0], 1)
