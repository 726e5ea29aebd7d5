"""An open line: a serial port or a serial server with meters behind it, one asked at a time."""

import asyncio

from gateway.drivers.api import NotConnectedError
from gateway.drivers.dlt645.codec import WAKE_UP, Frame, Hearing, Request, encode
from gateway.drivers.frames import FrameLog
from gateway.drivers.transport.opened import Opened


class Line(Opened):
    """A way that is open, until it is lost; then it is not used again.

    Attributes:
        silences: requests in a row without an answer, whoever was asked.
        stranger: meter that answered last in place of the one that was asked, or behind the first
            where all were; empty: none.
    """

    def __init__(self) -> None:
        super().__init__()
        self._hearing = Hearing()
        self._request: Request | None = None
        self._waiter: asyncio.Future[Frame | None] | None = None
        self._frames: FrameLog | None = None
        self.stranger = ""
        self.silences = 0

    async def ask(
        self, request: Request, wake_up: int, timeout_s: float, frames: FrameLog
    ) -> Frame | None:
        """Send a request and wait for its answer; None: none came.

        Args:
            request: to one meter.
            wake_up: how many bytes go before it.
            timeout_s: longest wait until an answer begins, and as long again until it is whole.
            frames: what goes to the meter and comes from it.

        Raises:
            NotConnectedError: the line is lost.
        """
        if self.loss:
            raise NotConnectedError(self.loss)
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        self._request, self._frames, self.stranger = request, frames, ""
        self._hearing.forget()
        data = WAKE_UP[:1] * wake_up + encode(request.frame)
        frames.sent(data)
        self._write(data)
        self.silences += 1
        try:
            answer = await self._answer(waiter, timeout_s)
        finally:
            self._waiter = self._request = self._frames = None
        if answer is not None:
            self.silences = 0
        return answer

    async def _answer(self, waiter: asyncio.Future[Frame | None], timeout_s: float) -> Frame | None:
        """Wait; once more where half a frame has come by then."""
        for _ in range(2):
            done, _ = await asyncio.wait([waiter], timeout=timeout_s)
            if self.loss:
                raise NotConnectedError(self.loss)
            if done:
                return waiter.result()
            if not self._hearing.has_begun:
                break
        return None

    def data_received(self, data: bytes) -> None:
        """Look for the answer; whatever else comes is passed over."""
        request, waiter = self._request, self._waiter
        if request is None or waiter is None or waiter.done():
            return
        if self._frames is not None:
            self._frames.received(data)
        whose = request.frame.meter
        for frame in self._hearing.receive(data):
            if not waiter.done() and request.is_answered_by(frame):
                waiter.set_result(frame)
                whose = frame.meter
            elif frame.meter != whose:
                self.stranger = frame.meter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
