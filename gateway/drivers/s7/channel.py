"""One connection to a SIMATIC controller by python-snap7: one message under way at a time.

Of the library are ISO on TCP and requests. Its client is not used: it reads parts one by one, and
leaves a connection open that was given up.
"""

import asyncio
import logging
import struct
from collections.abc import Sequence

from snap7.async_client import AsyncISOTCPConnection
from snap7.datatypes import S7Area, S7WordLen
from snap7.error import S7Error, S7TimeoutError
from snap7.s7protocol import S7Protocol

from gateway.core.status import Reason
from gateway.drivers.api import NotConnectedError
from gateway.drivers.frames import FrameLog
from gateway.drivers.s7 import codec
from gateway.drivers.s7.address import Area
from gateway.drivers.s7.codec import LEAST_PDU, Item, RefusedAnswerError, WrongAnswerError
from gateway.drivers.s7.config import Connection, tsap
from gateway.drivers.s7.identity import MODULE, order_number
from gateway.drivers.s7.plan import Write

logging.getLogger("snap7").setLevel(logging.CRITICAL + 1)

_AREAS = {
    Area.DB: S7Area.DB,
    Area.MEMORY: S7Area.MK,
    Area.INPUT: S7Area.PE,
    Area.OUTPUT: S7Area.PA,
    Area.TIMER: S7Area.TM,
    Area.COUNTER: S7Area.CT,
}
_WORDS = {Area.TIMER: S7WordLen.TIMER, Area.COUNTER: S7WordLen.COUNTER}
_FAULTS = (S7Error, WrongAnswerError, OSError, struct.error, UnicodeError)
"""What the library and our checks make of whatever comes; UnicodeError: no possible host name."""


class _Iso(AsyncISOTCPConnection):
    """ISO on TCP that can be dropped at once; the library waits until all is sent."""

    def abort(self) -> None:
        """Close the socket now."""
        self.connected = False
        if self._writer is not None:
            self._writer.transport.abort()


class Channel:
    """A connection until it is lost; then it is not used again.

    An answer that was given up ends it: numbers of messages would tell a late one, but what has
    come of it by then is lost to the library.

    Args:
        connection: where to.
        timeout_s: longest wait for an answer.
        frames: what goes over it, once it is connected.

    Attributes:
        loss: why it cannot be used; empty while it can.
        pdu: longest message, bytes.
    """

    def __init__(self, connection: Connection, timeout_s: float, frames: FrameLog) -> None:
        self._iso = _Iso(connection.host, connection.port, connection.local_tsap, tsap(connection))
        self._protocol = S7Protocol()
        self._timeout_s = timeout_s
        self._frames = frames
        self._most = connection.max_pdu
        self.loss = "not connected"
        self.pdu = LEAST_PDU

    async def open(self) -> None:
        """Connect and agree on the length of messages.

        Raises:
            NotConnectedError: nobody answers, or not as an S7 does.
        """
        self.loss = ""
        try:
            await self._iso.connect(self._timeout_s)
            asked = self._protocol.build_setup_communication_request(1, 1, self._most)
            agreed = codec.agreed_length(await self._exchange(asked))
        except (*_FAULTS, RefusedAnswerError) as error:
            raise self._lost(error) from error
        finally:
            if not self._iso.connected:
                self.abort("not connected")
        self.pdu = min(self._most, agreed)
        if self.pdu < LEAST_PDU // 2:
            raise self._lost(WrongAnswerError(f"it allows messages of {agreed} bytes"))

    async def read(self, items: Sequence[Item]) -> list[bytes | int]:
        """Read parts that fit one message.

        Returns:
            Data of each, or the code with which it was refused.

        Raises:
            RefusedAnswerError: all of it was refused.
            NotConnectedError: the connection is lost, or ends with this.
        """
        answer = await self._ask(self._read_request(items))
        try:
            return codec.parts(answer, items)
        except WrongAnswerError as error:
            raise self._lost(error) from error

    def _read_request(self, items: Sequence[Item]) -> bytes:
        area, _, start, length = items[0]
        if area.is_element:
            return self._protocol.build_read_request(_AREAS[area], 0, start, _WORDS[area], length)
        wanted = [(int(_AREAS[one.area]), one.db, one.start, one.length) for one in items]
        return self._protocol.build_multi_read_request(wanted)

    async def write(self, write: Write) -> int:
        """Write one value.

        Returns:
            How it was answered: ``codec.DONE``, or a code.

        Raises:
            RefusedAnswerError, NotConnectedError: as :meth:`read`.
        """
        area, db, start, _ = write.item
        at = start if write.bit is None else 8 * start + write.bit
        unit = S7WordLen.BYTE if write.bit is None else S7WordLen.BIT
        asked = self._protocol.build_write_request(_AREAS[area], db, at, unit, write.data)
        answer = await self._ask(asked)
        try:
            return codec.confirmation(answer)
        except WrongAnswerError as error:
            raise self._lost(error) from error

    async def order_number(self) -> str:
        """The CPU's order number; empty: none is told.

        Raises:
            RefusedAnswerError, NotConnectedError: as :meth:`read`.
        """
        request = self._protocol.build_read_szl_request(MODULE, 0)
        if self.loss:
            raise NotConnectedError(self.loss)
        try:
            return order_number(await self._message(request), request)
        except _FAULTS as error:
            raise self._lost(error) from error

    async def _ask(self, request: bytes) -> codec.Body:
        if self.loss:
            raise NotConnectedError(self.loss)
        try:
            return await self._exchange(request)
        except _FAULTS as error:
            raise self._lost(error) from error

    async def _exchange(self, request: bytes) -> codec.Body:
        return codec.body(await self._message(request), request)

    async def _message(self, request: bytes) -> bytes:
        """Send and receive; whatever is not answered ends the connection."""
        is_answered = False
        try:
            self._frames.sent(codec.framed(request))
            async with asyncio.timeout(self._timeout_s):
                await self._iso.send_data(request)
                answer: bytes = await self._iso.receive_data()
            self._frames.received(codec.framed(answer))
            is_answered = True
        finally:
            if not is_answered:
                self._iso.abort()
        return answer

    def _lost(self, error: Exception) -> NotConnectedError:
        """The connection has ended by this, if it had not before."""
        is_silent = isinstance(error, TimeoutError | S7TimeoutError)
        is_wrong = isinstance(error, WrongAnswerError)
        within = f"no answer within {self._timeout_s * 1000:.0f} ms"
        self.abort(within if is_silent else f"wrong answer: {error}" if is_wrong else str(error))
        reasons = {is_silent: Reason.TIMEOUT, is_wrong: Reason.PROTOCOL}
        return NotConnectedError(self.loss, reasons.get(True))

    def abort(self, why: str) -> None:
        """Drop the connection at once: later calls say why."""
        if not self.loss:
            self._frames.note(why)
        self.loss = self.loss or why
        self._iso.abort()
