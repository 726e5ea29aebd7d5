"""Whatever a controller answers, no wrong value is GOOD."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import pytest

from gateway.core.status import Reason, bad
from gateway.drivers.api import DriverError, NotConnectedError, RefusedError
from gateway.drivers.s7 import SPEC
from tests.drivers import trial
from tests.drivers.s7.odd_plc import Asked, Script, odd_plc
from tests.drivers.trial import values

points = partial(trial.points, SPEC)


def connected(script: Script, pdu: int = 240, **more: object) -> AbstractAsyncContextManager[Any]:
    """A driver, connected to a controller that answers by a script."""
    return trial.connected(SPEC, odd_plc(script, pdu), **more)


async def test_an_answer_may_come_in_single_bytes() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        return (bytes([one]) for one in asked.answer(asked.data))

    async with connected(script) as driver:
        assert await values(driver, points("DB1.DBB7", "DB1.DBB200", "DB2.DBW0")) == [7, 200, 1]


async def test_parts_are_asked_for_together() -> None:
    asked_for: list[int] = []

    def script(asked: Asked) -> Iterable[bytes]:
        asked_for.append(len(asked.parts))
        return (asked.answer(asked.data),)

    async with connected(script, 480) as driver:
        plan = driver.plan(points(*(f"DB1.DBB{at}" for at in range(0, 1000, 50))))
        for _ in range(2):
            reading = await driver.read(plan)
            assert reading.columns[0].tolist() == [at % 256 for at in range(0, 1000, 50)]
    assert asked_for[-1] == 20


@pytest.mark.parametrize("code", [0x03, 0x05, 0x0A])
async def test_one_bad_part_is_bad_alone(code: int) -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        data, at = b"", 0
        for db, _, length in asked.parts:
            size = 4 + length + length % 2
            data += bytes((code, 0, 0, 0)) if db == 9 else asked.data[at : at + size]
            at += size
        return (asked.answer(data),)

    async with connected(script) as driver:
        plan = driver.plan(points("DB1.DBB7", "DB9.DBB0", "DB1.DBB200"))
        for _ in range(4):
            reading = await driver.read(plan)
            is_refused = code == 0x03
            reason = Reason.REFUSED if is_refused else Reason.ILLEGAL_ADDRESS
            assert reading.status.tolist() == [0, bad(reason), 0]
            assert reading.columns[0].tolist()[::2] == [7, 200]
        fault = driver.tag_faults()["DB9.DBB0:uint8"]
        assert f"{code:#04x}" in fault.words and "DB9 byte 0" in fault.words


async def test_no_put_get_says_what_to_tick() -> None:
    async with connected(lambda asked: (asked.answer(b"", error=0x8104),)) as driver:
        with pytest.raises(RefusedError, match="Permit access with PUT/GET") as caught:
            await values(driver, points("DB1.DBB7"))
        assert caught.value.reason is Reason.REFUSED


async def test_timers_that_do_not_exist_cost_no_others() -> None:
    """An S7-1200 has none, and may say so as if PUT/GET were not permitted."""

    def script(asked: Asked) -> Iterable[bytes]:
        is_timer = asked.message[20] == 0x1D
        return (asked.answer(b"" if is_timer else asked.data, error=0x8104 if is_timer else 0),)

    async with connected(script) as driver:
        plan = driver.plan(points("T5", "DB1.DBB7"))
        for _ in range(3):
            reading = await driver.read(plan)
            assert reading.status.tolist() == [bad(Reason.REFUSED), 0]
            assert reading.columns[1].tolist() == [7]


async def test_a_head_that_refuses_many_parts_has_each_asked_alone() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        is_alone = len(asked.parts) == 1
        return (asked.answer(asked.data if is_alone else b"", error=0 if is_alone else 0x8500),)

    async with connected(script) as driver:
        plan = driver.plan(points("DB1.DBB7", "DB1.DBB200"))
        for _ in range(3):
            reading = await driver.read(plan)
            assert reading.columns[0].tolist() == [7, 200]
            assert not reading.status.any()


async def test_a_late_answer_is_never_the_next() -> None:
    kept: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        kept.append(asked.answer(asked.data))
        return kept[:-1] if len(kept) > 1 else ()

    async with connected(script, request_timeout_ms=50) as driver:
        with pytest.raises(NotConnectedError, match="no answer within 50 ms") as caught:
            await values(driver, points("DB1.DBB7"))
        assert caught.value.reason is Reason.TIMEOUT
        with pytest.raises(NotConnectedError):
            await values(driver, points("DB1.DBB8"))


async def test_a_cancelled_reading_ends_the_connection() -> None:
    """Nothing is sent over it any more: the late answer would come first."""
    heard = asyncio.Event()
    kept: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        kept.append(asked.answer(asked.data))
        heard.set()
        return kept[:-1]

    async with connected(script) as driver:
        reading = asyncio.create_task(values(driver, points("DB1.DBB7")))
        await heard.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        with pytest.raises(NotConnectedError):
            await values(driver, points("DB1.DBB8"))
    assert len(kept) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked: asked.answer(asked.data, shift=1),  # another number
        lambda asked: asked.answer(asked.data, shift=-1),
        lambda asked: asked.answer(asked.data, count=2),  # another count of parts
        lambda asked: asked.answer(asked.data[:-2]),
        lambda asked: asked.answer(asked.data + b"\0\0"),
        lambda asked: asked.answer(b""),
        lambda asked: asked.answer(asked.data)[:-1],  # cut short
        lambda asked: b"\x04" + asked.answer(asked.data)[1:],  # no ISO
        lambda asked: asked.answer(asked.data)[:8] + b"\x01" + asked.answer(asked.data)[9:],
        lambda asked: asked.answer(asked.data).replace(b"\x04\x01\xff", b"\x05\x01\xff"),
        lambda asked: asked.answer(asked.data) * 2,  # twice: the second is the next one's
    ],
)
async def test_a_spoilt_answer_is_never_a_value(spoil: Callable[[Asked], bytes]) -> None:
    async with connected(lambda asked: (spoil(asked),), request_timeout_ms=100) as driver:
        for at in (7, 8, 9):
            try:
                assert await values(driver, points(f"DB1.DBW{at}")) == [256 * at + at + 1]
            except DriverError:
                await driver.connect()


async def test_a_text_longer_than_a_message_is_bad_and_says_so() -> None:
    async with connected(lambda asked: (asked.answer(asked.data),)) as driver:
        plan = driver.plan(points("DB1.DBB0:string[254]", "DB1.DBB7"))
        for _ in range(2):
            reading = await driver.read(plan)
            assert reading.status.tolist() == [bad(Reason.OVERFLOW), 0]
        assert "shorter text" in driver.tag_faults()["DB1.DBB0:string[254]"].words


async def test_a_bit_is_written_without_its_byte() -> None:
    heard: list[bytes] = []

    def script(asked: Asked) -> Iterable[bytes]:
        heard.append(asked.message)
        return (asked.answer(b"\xff"),)

    async with connected(script) as driver:
        await driver.write(points("DB10.DBX3.5")[0], True)
    # S7-Any pointer to one bit: unit 01, DB 10, area 84, bit 8·3 + 5; then one bit of data
    assert heard[0][10:] == bytes.fromhex("0501 120a 10 01 0001 000a 84 00001d 0003 0001 01")


async def test_a_text_whose_declared_length_cannot_be_read_says_why() -> None:
    def script(asked: Asked) -> Iterable[bytes]:
        assert asked.function == 0x04, "nothing is written"
        return (asked.answer(b"\x0a\0\0\0"),)

    async with connected(script) as driver:
        with pytest.raises(DriverError, match="there is no such block") as caught:
            await driver.write(points("DB1.DBB0:string[8]")[0], "axle")
        assert not isinstance(caught.value, NotConnectedError)


async def test_a_refused_write_says_why() -> None:
    async with connected(lambda asked: (asked.answer(b"\x05"),)) as driver:
        with pytest.raises(DriverError, match="beyond the end") as caught:
            await driver.write(points("DB1.DBW0:int")[0], 1)
        assert not isinstance(caught.value, NotConnectedError)
