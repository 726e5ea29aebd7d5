"""What goes in front of a frame: schemas that the city lacks, and what will not come."""

import asyncio
import logging
from collections.abc import Collection

from gateway.edge.buffer.outlet import Outlet
from gateway.edge.northbound.queue import Message
from gateway.wire.columns import FrameError
from gateway.wire.frame import prepend
from gateway.wire.records import GivenUp, Record

_log = logging.getLogger(__name__)

PREFACE_BYTES = 64
"""Room in a message for what is given up."""

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

    @property
    def wanting(self) -> bool:
        """Whether the city waits for schemas; the next frame should leave alone then."""
        return bool(self._wanted)

    async def before(self, frame: Message, upto: int, max_bytes: int) -> tuple[bytes, int]:
        """The body of a frame with what goes in front of it.

        Args:
            frame: what goes out next, one frame or several.
            upto: all frames up to and including this one are acknowledged.
            max_bytes: of the body; schemas that would make it larger are left out.

        Returns:
            The body, and how many bytes smaller it would have to be for the schemas to fit.
        """
        more: list[Record] = []
        gone = self._outlet.given_up()
        if upto < gone.below - 1:
            more.append(GivenUp(min(gone.settled, frame.first), min(gone.below, frame.first)))
        body = _joined(more, frame) if more else frame.body
        if not self._wanted:
            return body, 0
        schemas = await asyncio.to_thread(self._outlet.schemas, tuple(self._wanted))
        complete = _joined([*more, *schemas], frame)
        if len(complete) > max_bytes:
            return body, len(complete) - max_bytes
        self._wanted.clear()
        return complete, 0


def _joined(more: list[Record], frame: Message) -> bytes:
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
