"""Commands and answers as they travel: bytes that later versions must read, too."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.commands import (
    MAX_COMMAND_BYTES,
    Command,
    CommandAnswer,
    CommandState,
    decode_answer,
    decode_command,
    encode_answer,
    encode_command,
)

COMMAND = Command("c-1", "press-1", "speed", "12.5", 1_795_000_000_000, 1_795_000_010_000, "官员")
COMMAND_BYTES = (
    '{"id":"c-1","device":"press-1","tag":"speed","value":"12.5","issued_ms":1795000000000,'
    '"expires_ms":1795000010000,"who":"官员"}'
).encode()
ANSWER = CommandAnswer("c-1", CommandState.VERIFIED, "", 10.0, 12.5, 1_795_000_000_180)
ANSWER_BYTES = b'{"id":"c-1","state":"verified","before":10.0,"shows":12.5,"time_ms":1795000000180}'


def test_golden_vectors() -> None:
    assert encode_command(COMMAND) == COMMAND_BYTES
    assert decode_command(COMMAND_BYTES) == COMMAND
    assert encode_answer(ANSWER) == ANSWER_BYTES
    assert decode_answer(ANSWER_BYTES) == ANSWER


@pytest.mark.parametrize("value", [True, 5, -(2**63), 2**64 - 1, 12.5, "轴承", ""])
def test_each_kind_of_value_travels_as_itself(value: bool | float | str) -> None:
    sent = Command("c", "d", "t", value)
    found = decode_command(encode_command(sent))
    assert found == sent and type(found.value) is type(value)


def test_what_a_later_version_says_more_is_no_fault() -> None:
    assert decode_command(COMMAND_BYTES[:-1] + b',"more":1}') == COMMAND


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for decode in (decode_command, decode_answer):
        with contextlib.suppress(msgspec.DecodeError):
            decode(body)


def test_what_is_too_long_is_no_command() -> None:
    long = encode_command(Command("c", "d", "t", "x" * MAX_COMMAND_BYTES))
    with pytest.raises(msgspec.DecodeError, match="longer than"):
        decode_command(long)


@pytest.mark.parametrize("field", ["id", "device", "tag", "who"])
@pytest.mark.parametrize("text", ["a\nverified: b", "\x1b[2J", "a\u2028b", "x" * 129, "a\x85"])
def test_no_name_makes_a_line_of_its_own(field: str, text: str) -> None:
    forged = msgspec.structs.replace(COMMAND, **{field: text})
    with pytest.raises(msgspec.DecodeError, match=rf"\$\.{field}"):
        decode_command(encode_command(forged))
