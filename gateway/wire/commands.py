"""Commands of the city to a gateway, and what the gateway answers.

JSON, so that a person with an MQTT client can read them. A command has an id of its own: whoever
gets no answer sends the same command again, and the gateway answers with what became of it – it
never carries one out twice.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

MAX_COMMAND_BYTES = 32_768
"""A longer message is no command: the longest text of a tag has room in it."""


_NO_CONTROL = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
Name = Annotated[str, msgspec.Meta(max_length=128, pattern=_NO_CONTROL)]
"""A text that stands in logs and records: none is without end, or begins a line of its own."""


class CommandState(StrEnum):
    """How far a command has come. All but ``accepted`` are final."""

    ACCEPTED = "accepted"
    """Allowed, and about to be carried out."""
    VERIFIED = "verified"
    """Written, and read back as exactly that."""
    WRITTEN = "written"
    """The device confirmed it, but does not show it; the words say what it shows."""
    REFUSED = "refused"
    """Nothing was written; the words say why."""
    UNKNOWN = "unknown"
    """It may have been written; nobody can know without looking."""


class Command(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value to write.

    Attributes:
        id: 1–64 letters, digits, dots, hyphens and underscores; the sender's own.
        device: device id within the gateway.
        tag: name of the tag.
        value: as it is to be shown afterwards: scaled, in the tag's unit. Numbers may be written
            as text, so that no decimal is lost on the way.
        issued_ms: when it was given, UTC milliseconds by the sender's clock.
        expires_ms: when nobody wants it any more, UTC milliseconds.
        who: person or program that gave it.
    """

    id: Name
    device: Name
    tag: Name
    value: int | float | bool | str
    issued_ms: int = 0
    expires_ms: int = 0
    who: Name = ""


class CommandAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command.

    Attributes:
        id: of the command.
        state: how far it has come.
        words: why, where that needs words; a sentence.
        before: what the device showed before it was written.
        shows: what the device showed when it was read back.
        time_ms: when it is said, UTC milliseconds by the gateway's clock.
    """

    id: str
    state: CommandState
    words: str = ""
    before: int | float | bool | str | None = None
    shows: int | float | bool | str | None = None
    time_ms: int = 0


_encode = msgspec.json.Encoder().encode
_command_decoder = msgspec.json.Decoder(Command)
_answer_decoder = msgspec.json.Decoder(CommandAnswer)


def encode_command(command: Command) -> bytes:
    """Serialise a command."""
    return _encode(command)


def encode_answer(answer: CommandAnswer) -> bytes:
    """Serialise an answer."""
    return _encode(answer)


def decode_command(body: bytes) -> Command:
    """Read a command.

    Raises:
        msgspec.DecodeError: the body is none.
    """
    if len(body) > MAX_COMMAND_BYTES:
        raise msgspec.DecodeError(f"longer than {MAX_COMMAND_BYTES} bytes")
    try:
        return _command_decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:  # which msgspec lets through
        raise msgspec.DecodeError(str(error)) from error


def decode_answer(body: bytes) -> CommandAnswer:
    """Read an answer.

    Raises:
        msgspec.DecodeError: the body is none.
    """
    try:
        return _answer_decoder.decode(body)
    except (UnicodeDecodeError, RecursionError) as error:  # as above
        raise msgspec.DecodeError(str(error)) from error
