"""A Modbus device that treats one of its registers in its own way, in either framing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from struct import pack, unpack

from gateway.drivers.modbus.framing.rtu import crc

ODD = 500
"""Its odd register."""

Fault = Callable[[bytes], bytes | None]
"""From the PDU of a request to that of its answer; None: the connection is closed."""


def right(pdu: bytes) -> bytes:
    """Each register holds its own address."""
    _, start, count = unpack(">BHH", pdu)
    return bytes((3, 2 * count)) + pack(f">{count}H", *range(start, start + count))


def has_odd(pdu: bytes) -> bool:
    _, start, count = unpack(">BHH", pdu)
    return ODD in range(start, start + count)


class Device:
    """A device in one of the framings.

    Args:
        framing: ``tcp`` or ``rtu``.
        odd: answers requests that hold the odd register; empty bytes are silence.

    Attributes:
        accepted: how many connections it was given.
        asked: PDUs of all requests.
        lasts: answers after which it closes a connection.
        rest_s: requests that come sooner after an answer are ignored.
        ignored: how many were.
    """

    def __init__(self, framing: str, odd: Fault) -> None:
        self.is_rtu = framing == "rtu"
        self.odd = odd
        self.accepted = 0
        self.lasts = 1 << 62
        self.rest_s = 0.0
        self.ignored = 0
        self.asked: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        try:
            answers, answered_s, clock = 0, 0.0, asyncio.get_running_loop().time
            while answers < self.lasts:
                request = await reader.readexactly(8 if self.is_rtu else 12)
                if self.is_rtu and crc(request[:-2]) != request[-2:]:
                    continue  # no frame of its own
                pdu = request[1:6] if self.is_rtu else request[7:]
                self.asked.append(pdu)
                if clock() - answered_s < self.rest_s:
                    self.ignored += 1
                    continue
                answers += 1
                answer = self.odd(pdu) if has_odd(pdu) else right(pdu)
                if answer is None:
                    break
                if answer:
                    writer.write(self._wrapped(request, answer))
                    await writer.drain()
                    answered_s = clock()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _wrapped(self, request: bytes, pdu: bytes) -> bytes:
        if self.is_rtu:
            body = request[:1] + pdu
            return body + crc(body)
        return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


@asynccontextmanager
async def device(framing: str, odd: Fault = right) -> AsyncIterator[tuple[Device, int]]:
    one = Device(framing, odd)
    async with await asyncio.start_server(one.serve, "127.0.0.1", 0) as listener:
        yield one, listener.sockets[0].getsockname()[1]
