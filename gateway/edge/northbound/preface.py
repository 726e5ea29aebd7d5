"""What goes in front of a frame: schemas that the city lacks, and what will not come."""

import asyncio
import logging
from collections.abc import Collection

from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.buffer.outlet import Outlet
from gateway.wire.columns import FrameError
from gateway.wire.frame import prepend
from gateway.wire.records import GivenUp, Record

_log = logging.getLogger(__name__)

WANT_PAUSE_S = 1.0
"""A schema is not sent again for requests that come closer together than this."""


class Preface:
    """Puts in front of frames what the city has to know before it can take them.

    Args:
        outlet: has the schemas, and knows what was given up.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._wanted: set[str] = set()
        self._until_s = 0.0

    def want(self, schemas: Collection[str], now_s: float) -> bool:
        """The city asks for schemas; whether they will go out with the next frame."""
        if not schemas or now_s < self._until_s:
            return False
        self._until_s = now_s + WANT_PAUSE_S
        self._wanted.update(schemas)
        return True

    async def before(self, frame: StoredFrame, upto: int, max_bytes: int) -> bytes:
        """The body of a frame with what goes in front of it.

        Args:
            frame: what goes out next.
            upto: all frames up to and including this one are acknowledged.
            max_bytes: of the body; schemas that would make it larger wait for a smaller frame.
        """
        more: list[Record] = []
        gone = self._outlet.given_up()
        if upto < gone.below - 1:
            more.append(GivenUp(min(gone.settled, frame.seq), min(gone.below, frame.seq)))
        body = _joined(more, frame) if more else frame.body
        if self._wanted:
            schemas = await asyncio.to_thread(self._outlet.schemas, tuple(self._wanted))
            complete = _joined([*more, *schemas], frame)
            if len(complete) <= max_bytes:
                self._wanted.clear()
                return complete
        return body


def _joined(more: list[Record], frame: StoredFrame) -> bytes:
    try:
        return prepend(frame.body, more)
    except FrameError as error:
        _log.error(
            "frame %d is damaged in the buffer (%s); it is sent as it is, for the city to "
            "quarantine and count its %d values",
            frame.seq,
            error,
            frame.values,
        )
        return frame.body
