"""What travels on the control socket: one JSON object a line, a request and then its answer.

::

    → {"version": 1, "command": "stop", "arguments": {"device": "press-1"}}
    ← {"version": 1, "result": {"id": "press-1", "state": "stopped", …}}
    ← {"version": 1, "error": "there is no device 'press-1'; known: door-1, door-2"}

A connection may carry several requests, one after another.
"""

from typing import Any, TypeVar

import msgspec

VERSION = 1

MAX_REQUEST_BYTES = 64 * 1024
"""A longer line is no request of ours."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The longest line that a client reads: thousands of devices have room in it."""


class ControlError(Exception):
    """A command was refused, or could not be given; the message says why."""


class NoGatewayError(ControlError):
    """No gateway runs there: a command may open the device by itself."""


class NoAnswerError(ControlError):
    """The gateway was given a command and has not answered: it may have been carried out."""


class Request(msgspec.Struct, frozen=True):
    """One command.

    Attributes:
        version: of the protocol.
        command: its name.
        arguments: by name; each command says which it takes.
    """

    version: int
    command: str
    arguments: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command.

    Attributes:
        version: of the protocol.
        result: what the command gives; meaningless if there is an error.
        error: why it was refused; empty if it was done.
    """

    version: int
    result: Any = None
    error: str = ""


_Line = TypeVar("_Line", Request, Answer)

_REQUEST = msgspec.json.Decoder(Request)
_ANSWER = msgspec.json.Decoder(Answer)


def decode_request(line: bytes) -> Request:
    """Read one line.

    Raises:
        ControlError: it is no request, or one of another version.
    """
    return _decoded(_REQUEST, line, "request", "client")


def decode_answer(line: bytes) -> Answer:
    """Read one line.

    Raises:
        ControlError: it is no answer, or one of another version.
    """
    return _decoded(_ANSWER, line, "answer of a gateway", "gateway")


def _decoded(decoder: "msgspec.json.Decoder[_Line]", line: bytes, what: str, other: str) -> _Line:
    try:
        found = decoder.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ControlError(f"this is no {what}: {error}") from error
    if found.version != VERSION:
        raise ControlError(
            f"the {other} speaks version {found.version} of the control protocol, this is version "
            f"{VERSION}; use the qulink that the gateway runs, or restart the gateway"
        )
    return found


def encode(message: Request | Answer) -> bytes:
    """One line."""
    return msgspec.json.encode(message) + b"\n"
