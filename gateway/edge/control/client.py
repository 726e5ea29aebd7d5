"""The other side of the control socket: what a command line uses."""

import socket
from pathlib import Path
from typing import Any

from gateway.edge.control.place import reachable
from gateway.edge.control.protocol import (
    MAX_ANSWER_BYTES,
    MAX_REQUEST_BYTES,
    VERSION,
    ControlError,
    NoAnswerError,
    NoGatewayError,
    Request,
    decode_answer,
    encode,
)

ANSWER_S = 130.0
"""Longest wait for an answer: closing a connection may take a device's own time-outs."""

_CHUNK = 1 << 16


def ask(path: Path, command: str, **arguments: Any) -> Any:
    """Give a running gateway a command and wait for what it gives.

    Args:
        path: its control socket.
        command: name of the command.
        arguments: of the command, by name.

    Raises:
        NoGatewayError: no gateway listens there.
        NoAnswerError: it has stopped, or takes too long; what it does meanwhile is not known.
        ControlError: it refuses, or cannot be asked this; the message says what to do.
    """
    request = _encoded(command, arguments)
    try:
        answer = decode_answer(_exchange(path, request))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NoGatewayError(
            f"no gateway runs: nobody listens at {path}; start it with `qulink run`"
        ) from error
    except PermissionError as error:
        raise ControlError(
            f"{path} is for the gateway's own user and root only: use sudo"
        ) from error
    except OSError as error:
        reason = error.strerror or f"no answer in {ANSWER_S:g} s"
        raise NoAnswerError(f"the gateway at {path} did not answer: {reason}") from error
    if answer.error:
        raise ControlError(answer.error)
    return answer.result


def _encoded(command: str, arguments: dict[str, Any]) -> bytes:
    try:
        request = encode(Request(VERSION, command, arguments))
    except UnicodeEncodeError as error:  # bytes of a terminal that speaks GBK, for one
        raise ControlError(f"{command}: {error.object!a} is no text in UTF-8") from error
    if len(request) > MAX_REQUEST_BYTES:
        raise ControlError(
            f"{command}: {len(request):,} bytes are more than the {MAX_REQUEST_BYTES:,} of a "
            "request; ask for less at once"
        )
    return request


def _exchange(path: Path, request: bytes) -> bytes:
    with reachable(path) as name, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(name)
        connection.sendall(request)
        return _line(connection)


def _line(connection: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = connection.recv(_CHUNK)
        line += chunk
        if not chunk or len(line) > MAX_ANSWER_BYTES:
            raise NoAnswerError("the gateway ended the connection before its answer was whole")
    return bytes(line)
