"""HTTP/1.1 as uvicorn speaks it, with an end to waiting for the other side."""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

REQUEST_S = 15.0
"""How long a whole request may take to come: a few hundred bytes, or a form."""
STALL_S = 30.0
"""How long the other side may take nothing of an answer."""


class BoundedProtocol(H11Protocol):
    """One connection. uvicorn itself waits for ever for the rest of a request.

    Attributes:
        at_end: called once it has ended.
    """

    at_end: Callable[[], None] | None = None

    def __init__(self, config: uvicorn.Config, state: ServerState, app_state: dict[str, Any]):
        super().__init__(config, state, app_state)
        self._request = _Deadline(self.loop, REQUEST_S)
        self._answer = _Deadline(self.loop, STALL_S)

    @property
    def is_waiting(self) -> bool:
        """Whether there is no whole request that we could be working at."""
        return self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._request.begin(transport.abort)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of the request, if it is not all."""
        super().data_received(data)
        if self.is_waiting:
            self._request.begin(self.transport.abort)
        else:
            self._request.end()

    def pause_writing(self) -> None:
        """The other side takes nothing for now."""
        super().pause_writing()
        self._answer.begin(self.transport.abort)

    def resume_writing(self) -> None:
        """It goes on."""
        super().resume_writing()
        self._answer.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        super().connection_lost(exc)
        self._request.end()
        self._answer.end()
        if self.at_end is not None:
            self.at_end()


class _Deadline:
    """Calls for an end if something has begun and does not end in time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop, self._seconds = loop, seconds
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, give_up: Callable[[], None]) -> None:
        if self._timer is None:  # what has begun keeps its time
            self._timer = self._loop.call_later(self._seconds, give_up)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
