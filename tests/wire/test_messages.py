"""State and acknowledgement: round trips, and one error for whatever is not one."""

import contextlib

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.wire.messages import (
    Ack,
    DeviceState,
    State,
    decode_ack,
    decode_state,
    encode_message,
)
from gateway.wire.topics import (
    PARTITIONS,
    ack_topic,
    command_topic,
    frame_topic,
    parse_uplink,
    reply_topic,
    state_topic,
)

NUMBERS = st.integers(0, 2**63 - 1)
LINKS = st.builds(DeviceState, st.sampled_from(["up", "down"]), st.text(max_size=5), NUMBERS)
STATES = st.builds(
    State,
    st.booleans(),
    NUMBERS,
    st.text(max_size=16),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.text(max_size=5),
    st.dictionaries(st.text(max_size=5), LINKS, max_size=3),
)
ACKS = st.builds(
    Ack,
    st.text(max_size=16),
    NUMBERS,
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3),
    st.lists(st.text(max_size=16), max_size=3),
    unstored=st.dictionaries(st.text(max_size=16), st.tuples(NUMBERS, NUMBERS), max_size=3),
)


@given(STATES)
def test_states_come_back(state: State) -> None:
    assert decode_state(encode_message(state)) == state


@given(ACKS)
def test_acknowledgements_come_back(ack: Ack) -> None:
    assert decode_ack(encode_message(ack)) == ack


@given(st.binary(max_size=100))
@example(b'{"epoch":"\xff\xfe","upto":1}')
@example(b'{"x":' + b"[" * 100_000)
@example(b'{"epoch":"0","upto":1e400}')
def test_arbitrary_bytes_are_a_decode_error(body: bytes) -> None:
    for decode in (decode_ack, decode_state):
        with contextlib.suppress(msgspec.DecodeError):
            decode(body)


GATEWAYS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)


@given(GATEWAYS)
def test_topics_are_read_as_they_are_made(gateway: str) -> None:
    for make, channel in ((frame_topic, "frame"), (state_topic, "state")):
        uplink = parse_uplink(make(gateway))
        assert (uplink.gateway, uplink.channel) == (gateway, channel)
        assert 0 <= uplink.partition < PARTITIONS
    assert gateway in ack_topic(gateway)
    assert command_topic(gateway) == ack_topic(gateway).removesuffix("ack") + "command"
    with pytest.raises(ValueError, match="no uplink topic"):
        parse_uplink(reply_topic(gateway))  # reserved: nobody answers commands yet


@given(st.text(max_size=60))
@example("qulink/2/up/1023/gw/frame")
@example("qulink/2/up/1/gw/other")
@example("qulink/1/up/1/gw/frame")
def test_other_topics_are_a_value_error(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        parse_uplink(topic)
