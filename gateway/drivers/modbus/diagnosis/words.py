"""A request, and why it may have had no answer, in words for people. Pure."""

from gateway.drivers.modbus import codec
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.toolkit.merge import Block


def request_words(block: Block) -> str:
    """A request as a trace of the wire would show it."""
    _, start, count = block.key
    function = block.request.pdu[0]
    return f"{block} (function {function}, address {start} on the wire, count {count})"


def hint(channel: Channel | None) -> str:
    """What came instead, or what to look at when a connection was never answered."""
    line = None if channel is None else channel.line
    if line is not None and line.stranger is not None:
        return f"; unit {line.stranger} answered instead: see unit, here and on the device"
    if line is not None and line.garbage:
        return f"; {line.garbage} bytes came that are no RTU frame: see framing and the baud rate"
    if channel is None or channel.has_answered:
        return ""
    if line is not None:
        return ", neither in Modbus TCP nor in RTU framing: see unit and wiring"
    return "; a serial server that only passes bytes on needs framing: rtu"


def said_to(block: Block, code: int, timeout_ms: int) -> str:
    """How a request was answered that gave no values.

    Args:
        block: what was asked for.
        code: of the answer, or of what came instead.
        timeout_ms: how long it was waited for.
    """
    how = {
        codec.SILENT: f"no answer within {timeout_ms} ms",
        codec.CLOSED: "the connection was ended instead of an answer",
        codec.WRONG: "a wrong answer",
        codec.NOT_SENT: "not asked, as others had no answer: asked next time",
    }.get(code, f"exception {code}")
    return f"{how} to {request_words(block)}"
