"""What a city's console asks the process that receives values, over a local socket.

A message is its length (4 bytes, big-endian) and a MessagePack body. The console asks, the other
side answers; one question at a time on a connection. Both are the same program of the same
version on one machine: the format may change with any version.
"""

import asyncio
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from gateway.city.live.newest import LiveValue
from gateway.city.stores.api import Series
from gateway.wire.messages import DeviceState

MAX_QUESTION_BYTES = 65_536
MAX_ANSWER_BYTES = 16 << 20
GATEWAYS_AN_ANSWER = 1_000
"""Long lists are cut here, so that the loop that receives values is never held up for long."""
_LENGTH_BYTES = 4

M = TypeVar("M")


class MessageTooLongError(Exception):
    """The other side announces a message longer than there can be."""


class GatewayNow(msgspec.Struct, frozen=True, array_like=True):
    """A gateway as the process that hears it sees it.

    Attributes:
        id: gateway id.
        heard_here: False: it was revoked or is another worker's; the rest means nothing then.
        online: heard of within the configured silence, and not signed off.
        last_seen_ms: when the last message came, the city's clock; None: never.
        devices: link state by device; None: not changed since.
    """

    id: str
    heard_here: bool
    online: bool = False
    last_seen_ms: int | None = None
    devices: Mapping[str, DeviceState] | None = None


class AskChanges(msgspec.Struct, frozen=True, tag="changes"):
    """Which gateways changed?

    Attributes:
        run: of the answer that ``since`` is from; empty at first.
        since: number of the newest change that is known.
    """

    run: str
    since: int


class AskValues(msgspec.Struct, frozen=True, tag="values"):
    """The newest values of one machine, by enterprise, site and asset number."""

    machine: tuple[str, str, str]


class AskHealth(msgspec.Struct, frozen=True, tag="health"):
    """How are the parts of the process?"""


class AskMetrics(msgspec.Struct, frozen=True, tag="metrics"):
    """The counters of the process."""


Question = AskChanges | AskValues | AskHealth | AskMetrics


class Changes(msgspec.Struct, frozen=True):
    """Gateways that changed, oldest change first.

    Attributes:
        run: changes whenever the numbers begin anew; all that was known before is void then.
        upto: number of the newest change in the answer.
        gateways: as they are now.
        more: there are further ones; ask again at once.
    """

    run: str
    upto: int
    gateways: list[GatewayNow]
    more: bool


class Values(msgspec.Struct, frozen=True):
    """The newest values of a machine that this process has heard.

    Attributes:
        values: by tag name.
        unheard: series of the machine of which the store may know more.
    """

    values: Mapping[str, LiveValue]
    unheard: list[Series]


Health = dict[str, str]
"""By part ``ok``, or what is wrong."""

encode = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(Question).decode


async def receive(reader: asyncio.StreamReader, longest: int) -> bytes:
    """The body of the next message.

    Raises:
        asyncio.IncompleteReadError: the other side closed the connection.
        MessageTooLongError: it is longer than ``longest`` bytes; the connection is of no use now.
    """
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    if length > longest:
        raise MessageTooLongError(f"a message of {length} bytes, where {longest} are allowed")
    return await reader.readexactly(length)


async def send(writer: asyncio.StreamWriter, body: bytes) -> None:
    """Send one message and wait until the other side has room for the next."""
    writer.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    await writer.drain()
