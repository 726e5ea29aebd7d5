"""Whether a controller answers, in which frames, who it is and what it refuses; for people."""

from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.core.status import Reason
from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.extras import Finding
from gateway.drivers.mc import codec, ends
from gateway.drivers.mc.config import Connection, Frame, route
from gateway.drivers.toolkit.reading import Answer

Ask = Callable[[codec.Request, Frame], Awaitable[Answer]]
"""Sends a request in such frames; raises as ``McDriver`` does."""

_ROUTING = frozenset({0xC035, 0xCF70, 0xCF71})
_OTHER = {Frame.E3: Frame.E4, Frame.E4: Frame.E3}
_WORD = codec.Words("D", 0, 1)


async def examine(ask: Ask, connection: Connection) -> AsyncIterator[Finding]:
    """Ask a controller one thing after the other; one request a finding.

    Args:
        ask: asks it, over the connection that stands or, in other frames, over one of its own.
        connection: as it is configured.
    """
    frame, reading = connection.frame, codec.read(_WORD, connection.series)
    first = await _first(ask, reading, frame)
    yield first
    if first.is_ok is False:
        if first.step == "frame":
            yield await _in_other_frames(ask, reading, _OTHER[frame])
        return
    to = route(connection)
    tried = f"network {to.network}, station {to.pc}, module {to.io:03X}H, multidrop {to.station}"
    name = await ask(codec.read_model(), frame)
    found = codec.model_name(name) if isinstance(name, bytes) else ends.words_for(name)
    is_found = None if isinstance(name, int) else True
    yield Finding("model", is_found, f"{tried}: model of the CPU (0101)", found)
    random = await ask(codec.read_random([_WORD], connection.series), frame)
    found = ends.words_for(random) if isinstance(random, int) else "answered"
    is_found = None if isinstance(random, int) else True
    yield Finding("function", is_found, "read scattered words (0403)", found)


async def _first(ask: Ask, reading: codec.Request, frame: Frame) -> Finding:
    tried = f"{_frames(frame)}, binary code: read D0 (0401)"
    try:
        answer = await ask(reading, frame)
    except RefusedError as error:
        return Finding("function", False, tried, str(error), "refused")
    except NotConnectedError as error:
        fault = "silent" if error.reason is Reason.TIMEOUT else "wrong_answer"
        return Finding("frame", False, tried, str(error), fault)
    if isinstance(answer, bytes):
        return Finding("frame", True, tried, "answered")
    words = ends.words_for(answer)
    if answer == ends.SILENT:
        return Finding("frame", False, tried, words, "silent")
    if answer in _ROUTING:
        return Finding("station", False, tried, words, "behind_gateway")
    return Finding("frame", True, tried, f"answered by {words}")


async def _in_other_frames(ask: Ask, reading: codec.Request, other: Frame) -> Finding:
    tried = f"the same in {_frames(other)}"
    try:
        answer = await ask(reading, other)
    except (NotConnectedError, RefusedError) as error:
        return Finding("frame", None, tried, f"{error}; is the port set to binary code?")
    if answer == ends.SILENT:
        return Finding("frame", None, tried, "no answer; is the port set to binary code?")
    return Finding("frame", False, tried, f"answered: write frame: {other}", "wrong_answer")


def _frames(frame: Frame) -> str:
    return f"{frame.upper()} frames"
