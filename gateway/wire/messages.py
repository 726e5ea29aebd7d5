"""The small messages beside the frames: state (edge → city) and acknowledgement (city → edge).

JSON, so that a person with an MQTT client can read them.
"""

from typing import TypeVar

import msgspec


class DeviceState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Link state of one device as the edge sees it now.

    Attributes:
        link: ``up``, ``down`` or ``starting``.
        cause: reason code while down, else empty.
        since_ms: when the link came into this state, UTC milliseconds.
    """

    link: str
    cause: str = ""
    since_ms: int = 0


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Sign of life of a gateway; its last will is ``State(online=False)``.

    Attributes:
        online: False only in the last will and at an orderly stop.
        time_ms: the edge's clock, UTC milliseconds.
        epoch: the buffer's epoch, 16 hex digits.
        last_seq: newest sequence number that the buffer holds or held.
        backlog_frames: frames not yet acknowledged by the city.
        backlog_values: values in them.
        software: version of qulink on the edge.
        devices: link state by device id.
        steady_since_ms: since when, by its own clock, that clock has only run and nobody set it,
            UTC milliseconds; 0: that is not known.
        clock_doubt: whether nobody has confirmed its clock, so that its values are in doubt.
    """

    online: bool
    time_ms: int = 0
    epoch: str = ""
    last_seq: int = 0
    backlog_frames: int = 0
    backlog_values: int = 0
    software: str = ""
    devices: dict[str, DeviceState] = {}
    steady_since_ms: int = 0
    clock_doubt: bool = False


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the city has committed to its store.

    Attributes:
        epoch: the epoch the numbers belong to, 16 hex digits.
        upto: every frame up to and including this one is committed, or the edge itself has said
            that it will not come (``gateway.wire.records.GivenUp``).
        ranges: inclusive ranges above ``upto`` that are committed too; not always all.
        want: ids (16 hex digits) of schemas the city needs before it can go on.
        closed: every frame below this one that is not named here is not committed and never will
            be, because the edge has said that it gave it up.
        again: the city has only now begun to listen; what is on its way may be lost and is to be
            sent again.
        time_ms: the city's clock when it sends this, UTC milliseconds; 0: it does not say.
        newest: number of the newest frame that ever came of this epoch; 0: none did.
        chain: its ``Header.chain``. An edge whose own differs is an older copy of that buffer.
        answers: the question that this answers, as its ``Header.chain`` says; 0: none.
        known_ms: in an answer: up to when the city has what the gateway measured in its other
            epochs, or a gap, UTC milliseconds; 0: it never heard of it. A buffer that is new tells
            the gap from there to its own beginning.
        refused: why the city takes nothing of this gateway, in words; empty if it does.
        unstored: of which devices ("": any of the gateway's) values came and were quarantined: how
            often so far, and the newest time of these values, UTC milliseconds. Each
            acknowledgement repeats it, as the one before may be lost.
    """

    epoch: str
    upto: int
    ranges: list[tuple[int, int]] = []
    want: list[str] = []
    closed: int = 0
    again: bool = False
    time_ms: int = 0
    newest: int = 0
    chain: int = 0
    answers: int = 0
    known_ms: int = 0
    refused: str = ""
    unstored: dict[str, tuple[int, int]] = {}


_Message = TypeVar("_Message", State, Ack)

_encoder = msgspec.json.Encoder()
_state_decoder = msgspec.json.Decoder(State)
_ack_decoder = msgspec.json.Decoder(Ack)


def encode_message(message: State | Ack) -> bytes:
    """Serialise a state or an acknowledgement."""
    return _encoder.encode(message)


def decode_state(body: bytes) -> State:
    """Read a state message.

    Raises:
        msgspec.DecodeError: the body is no state message.
    """
    return _decode(_state_decoder, body)


def decode_ack(body: bytes) -> Ack:
    """Read an acknowledgement.

    Raises:
        msgspec.DecodeError: the body is no acknowledgement.
    """
    return _decode(_ack_decoder, body)


def _decode(decoder: msgspec.json.Decoder[_Message], body: bytes) -> _Message:
    try:
        return decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:  # which msgspec lets through
        raise msgspec.DecodeError(str(error)) from error
