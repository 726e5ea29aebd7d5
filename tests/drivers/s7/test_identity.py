"""The order number of a CPU: out of lists as controllers give them, and never made up."""

import pytest

from gateway.drivers.s7 import SPEC
from gateway.drivers.s7.codec import RefusedAnswerError, WrongAnswerError
from gateway.drivers.s7.identity import order_number
from tests.drivers import trial
from tests.drivers.s7.odd_plc import Asked, framed, odd_plc

NUMBER = b"\x12\x34"
REQUEST = b"\x32\x07\0\0" + NUMBER + bytes.fromhex("0008 0008 0001120411440100 ff090004 0011 0000")


def record(index: int, text: bytes) -> bytes:
    return index.to_bytes(2, "big") + text.ljust(20) + bytes.fromhex("0000 0e00 0000")


def answer(*records: bytes, error: int = 0, code: int = 0xFF, number: bytes = NUMBER) -> bytes:
    listed = bytes.fromhex("0011 0000 001c") + len(records).to_bytes(2, "big") + b"".join(records)
    data = bytes((code, 9)) + len(listed).to_bytes(2, "big") + listed
    parameters = bytes.fromhex("0001120812840100 0000") + error.to_bytes(2, "big")
    lengths = len(parameters).to_bytes(2, "big") + len(data).to_bytes(2, "big")
    return b"\x32\x07\0\0" + number + lengths + parameters + data


def test_the_number_of_the_module_is_told() -> None:
    records = record(1, b"6ES7 516-3AN01-0AB0 "), record(7, b"6ES7 516-3AN01-0AB0 ")
    assert order_number(answer(*records), REQUEST) == "6ES7 516-3AN01-0AB0"
    assert order_number(answer(record(1, b"Boot Loader")), REQUEST) == ""
    assert order_number(answer(), REQUEST) == ""


@pytest.mark.parametrize("refused", [answer(error=0xD401), answer(code=0x0A)])
def test_a_refusal_is_told_apart(refused: bytes) -> None:
    with pytest.raises(RefusedAnswerError):
        order_number(refused, REQUEST)


def test_what_is_no_such_answer_is_refused() -> None:
    right = answer(record(1, b"6ES7 516-3AN01-0AB0 "))
    for wrong in (
        answer(number=b"\x12\x35"),
        right[:1] + b"\x03" + right[2:],
        right + b"\0",
        *(right[:stop] for stop in range(len(right))),
    ):
        with pytest.raises(WrongAnswerError):
            order_number(wrong, REQUEST)


async def test_a_cpu_that_does_not_tell_can_still_be_read() -> None:
    """One that is silent may lose the connection by it, so that it is asked last."""

    def script(asked: Asked) -> list[bytes]:
        if asked.message[1] == 0x07:
            reply = answer(error=0xD401, number=asked.message[4:6])
            return [framed(reply)]
        return [asked.answer(asked.data)]

    async with trial.connected(SPEC, odd_plc(script)) as driver:
        steps = [finding async for finding in driver.diagnose()]
        assert [(one.step, one.is_ok) for one in steps[-2:]] == [
            ("function", True),
            ("model", None),
        ]
        assert await trial.values(driver, trial.points(SPEC, "DB1.DBB7")) == [7]
