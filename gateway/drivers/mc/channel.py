"""One connection to a MELSEC port: one request under way at a time, to whichever station."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from gateway.core.status import Reason
from gateway.drivers.api import NotConnectedError
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.mc import codec
from gateway.drivers.mc.config import Route
from gateway.drivers.mc.ends import SILENT
from gateway.drivers.transport.opened import Opened


class Station(NamedTuple):
    """Whom a request is for, and how long is waited for its answer.

    Attributes:
        to: which CPU of which station.
        timer_ms: longest wait of the module for it.
        timeout_s: our longest wait.
        frames: what goes to it and comes from it.
    """

    to: Route
    timer_ms: int
    timeout_s: float
    frames: FrameLog


class Channel(Opened):
    """A connection until it is lost; then it is not used again.

    3E frames have no serial numbers: once an answer is given up, a late one would pass for the
    next, so the connection ends there. In 4E frames it is told by its number and dropped.

    Args:
        inbox: what takes answers apart.
        serials: numbers of requests in 4E frames, None in 3E frames; they go on from connection
            to connection, so that no datagram of an earlier one has the number of this one's.
    """

    peer = "the controller"

    def __init__(self, inbox: codec.Inbox, serials: Iterator[int] | None) -> None:
        super().__init__()
        self._inbox = inbox
        self._serials = serials
        self._serial: int | None = None
        self._frames = NOT_KEPT
        self._waiter: asyncio.Future[codec.Answer] | None = None

    async def ask(self, request: codec.Request, station: Station) -> bytes | int:
        """Send a request to a station and wait for its answer.

        Returns:
            Its data, or an end code; ``SILENT`` if none came in time over a connection that goes
            on being used.

        Raises:
            NotConnectedError: the connection is lost, or ends with this.
        """
        if self.loss:
            raise NotConnectedError(self.loss)
        self._frames = station.frames
        self._serial = next(self._serials) if self._serials else None
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        message = codec.framed(request, station.to, station.timer_ms, self._serial)
        self._frames.sent(message)
        self._write(message)
        try:
            async with asyncio.timeout(station.timeout_s):
                answer = await waiter
            return codec.outcome(answer, request, station.to)
        except TimeoutError:
            return self._silent(station.timeout_s)
        except codec.WrongAnswerError as error:
            self.abort(f"wrong answer: {error}")
            raise NotConnectedError(self.loss) from error
        finally:
            self._waiter = None
            self._end_if_late_would_pass(waiter)

    def _silent(self, timeout_s: float) -> int:
        if self._serials is not None:
            self._frames.note(f"no answer within {timeout_s * 1000:.0f} ms")
            return SILENT
        self.abort(f"no answer within {timeout_s * 1000:.0f} ms; closed, a late one has no number")
        raise NotConnectedError(self.loss, Reason.TIMEOUT)

    def _end_if_late_would_pass(self, waiter: "asyncio.Future[codec.Answer]") -> None:
        """Whoever waited was called off before the answer came."""
        if self._serials is None and (not waiter.done() or waiter.cancelled()):
            self.abort("an answer was given up")

    def data_received(self, data: bytes) -> None:
        """Hand over the answer that is waited for; late ones are dropped by their numbers."""
        self._frames.received(data)
        try:
            answers = self._inbox.receive(data)
        except codec.WrongAnswerError as error:
            self.abort(f"wrong answer: {error}")
            return
        for answer in answers:
            waiter = self._waiter
            if waiter is not None and not waiter.done() and answer.serial == self._serial:
                waiter.set_result(answer)
            elif self._serials is None:
                self.abort("wrong answer: one that nobody asked for")

    def _wake(self) -> None:
        self._frames.note(self.loss)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(NotConnectedError(self.loss))
