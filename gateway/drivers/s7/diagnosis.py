"""What a CPU agreed to, and whether it lets itself be read; for people who look for a fault."""

from collections.abc import AsyncIterator

from gateway.drivers.api import NotConnectedError
from gateway.drivers.extras import Finding
from gateway.drivers.s7 import codec
from gateway.drivers.s7.address import Area
from gateway.drivers.s7.channel import Channel
from gateway.drivers.s7.config import Connection, tsap

_PROBED = (
    ("MB0", codec.Item(Area.MEMORY, 0, 0, 1)),
    ("QB0", codec.Item(Area.OUTPUT, 0, 0, 1)),
)
"""Bytes that every CPU has; a data block need not be there."""


async def examine(channel: Channel, connection: Connection) -> AsyncIterator[Finding]:
    """Say what was agreed on, and read what every CPU has; one request a finding.

    Args:
        channel: connected.
        connection: as it is configured.

    Raises:
        NotConnectedError: the connection is lost.
    """
    cpu = f"rack {connection.rack}, slot {connection.slot} (TSAP {tsap(connection):04X}H)"
    agreed = f"answered, messages of up to {channel.pdu} bytes"
    yield Finding("station", True, f"{cpu}, setup of communication", agreed)
    for name, item in _PROBED:
        finding = await _access(channel, name, item)
        yield finding
        if finding.is_ok is False:
            break
    # Last: who does not answer this may end the connection.
    yield await _model(channel)


async def _model(channel: Channel) -> Finding:
    tried = "order number of the CPU (SZL 0011)"
    try:
        found = await channel.order_number()
    except codec.RefusedAnswerError:
        found = ""
    except NotConnectedError as error:
        return Finding("model", None, tried, str(error))
    return Finding("model", True if found else None, tried, found or "not told")


async def _access(channel: Channel, name: str, item: codec.Item) -> Finding:
    tried = f"PUT/GET: read {name}"
    try:
        (answer,) = await channel.read([item])
    except codec.RefusedAnswerError as error:
        answer = error.code
    if isinstance(answer, bytes):
        return Finding("function", True, tried, "allowed")
    words = codec.words_for(answer)
    if answer in codec.NO_ACCESS:
        return Finding("function", False, tried, words, "refused")
    return Finding("function", None, tried, words)
