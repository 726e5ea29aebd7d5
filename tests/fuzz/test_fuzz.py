"""A short campaign of every decoder, arbitrary bytes, and decoders that are wrong on purpose."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import dlt645, mc, modbus, opcua, s7
from gateway.drivers.dlt645 import codec as dlt645_codec
from tests.fuzz.harness import MOST_BYTES, Target, campaign, judged
from tests.fuzz.targets import TARGETS

INPUTS = 400
BY_NAME = {target.name: target for target in TARGETS}


def is_enough(inputs: int, _: float) -> bool:
    return inputs >= INPUTS


@pytest.mark.parametrize("target", TARGETS, ids=BY_NAME)
def test_nothing_wrong_is_taken(target: Target) -> None:
    verdict = campaign(target, 12, is_enough)
    assert verdict.findings == []
    assert verdict.outcomes["taken"] >= INPUTS // 16


@given(st.sampled_from(TARGETS), st.integers(0), st.lists(st.binary(max_size=40), max_size=3))
def test_arbitrary_bytes_are_no_answer(target: Target, seed: int, parts: list[bytes]) -> None:
    assert judged(target, target.make(Random(seed)), parts)[1] == ""


def test_every_driver_has_its_decoders_in() -> None:
    drivers = {one.SPEC.name for one in (modbus, mc, s7, dlt645, opcua)}
    assert {name.partition("/")[0] for name in BY_NAME} == {*drivers, "handles"}
    assert len(BY_NAME) == len(TARGETS)


def test_an_input_is_known_by_its_number() -> None:
    one, again = (campaign(BY_NAME["mc/answers"], 3, is_enough) for _ in range(2))
    assert one.outcomes == again.outcomes


# -- the judge is awake -------------------------------------------------------------------------

Decode = Callable[[Sequence[bytes]], Any]


def found_with(name: str, wrong: Callable[[Decode], Decode]) -> list[str]:
    """What is found where a decoder is another."""
    target = BY_NAME[name]

    def make(dice: Random) -> Any:
        case = target.make(dice)
        return case._replace(decode=wrong(case.decode))

    return campaign(target._replace(make=make), 12, is_enough).findings


def test_a_decoder_that_takes_nothing_is_found() -> None:
    findings = found_with("s7/items", lambda _: lambda _: None)
    assert "the right answer was refused" in findings[0]


def test_a_decoder_that_takes_too_much_memory_is_found() -> None:
    def wasteful(decode: Decode) -> Decode:
        return lambda pieces: (bytearray(2 * MOST_BYTES), decode(pieces))[1]

    findings = found_with("mc/values", wasteful)
    assert findings
    assert all("bytes and" in finding for finding in findings)


def test_an_error_that_is_no_refusal_is_found() -> None:
    def careless(decode: Decode) -> Decode:
        return lambda pieces: (b"".join(pieces)[12], decode(pieces))[1]

    assert any("IndexError" in one for one in found_with("mc/answers", careless))


def test_a_decoder_that_ignores_a_checksum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(whole: bytes) -> dlt645_codec.Frame | None:
        if len(whole) != 12 + whole[9] or whole[-1] != 0x16:
            return None
        data = bytes((byte - 0x33) & 0xFF for byte in whole[10:-2])
        return dlt645_codec.Frame(whole[6:0:-1].hex().upper(), whole[8], data)

    monkeypatch.setattr(dlt645_codec, "_decoded", careless)
    findings = campaign(BY_NAME["dlt645/frames"], 12, is_enough).findings
    assert any("was taken of" in finding for finding in findings)
