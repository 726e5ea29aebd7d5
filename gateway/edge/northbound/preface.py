"""What goes in front of a frame: schemas that the city lacks, and what will not come."""

import asyncio
import logging
from collections.abc import Collection, Sequence

from edge_config.models.limits import SCHEMA_PART
from gateway.core.schema import Schema
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.northbound.queue import Message
from gateway.wire.body import schemas_in
from gateway.wire.columns import FrameError
from gateway.wire.frame import BodyEncoder, prepend
from gateway.wire.records import GivenUp, Record

_log = logging.getLogger(__name__)

PREFACE_BYTES = 64
"""Room in a message for what is given up."""

_ROOM = 0.9
"""Of what a schema leaves: together the two may compress less well than each alone."""

WANT_PAUSE_S = 1.0
"""A schema is not sent again for requests that come closer together than this."""


class Preface:
    """Puts in front of frames what the city has to know before it can take them.

    Args:
        outlet: has the schemas, and knows what was given up.

    Attributes:
        impossible: ids of schemas that no message to this broker can carry.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._wanted: set[str] = set()
        self._until_s = 0.0
        self._most = 0
        self.impossible: frozenset[int] = frozenset()

    def connected(self, max_bytes: int) -> None:
        """A session begins.

        Args:
            max_bytes: of the body of a message; if more than before, everything is tried again.
        """
        if max_bytes > self._most:
            self.impossible = frozenset()
        self._most = max_bytes

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

    def cannot_send(self, frame: StoredFrame) -> bool:
        """Whether a frame has values, or a schema, that no message can carry."""
        if not self.impossible:
            return False
        try:
            return not self.impossible.isdisjoint(schemas_in(frame.body))
        except FrameError:
            return False  # it is sent as it is

    async def before(self, frame: Message, upto: int, max_bytes: int) -> tuple[bytes, int]:
        """The body of a frame with what goes in front of it.

        Args:
            frame: what goes out next, one frame or several.
            upto: all frames up to and including this one are acknowledged.
            max_bytes: of the body; schemas that would make it larger are left out.

        Returns:
            The body, and to how many bytes the frame has to be cut for a schema to fit; 0: it
            need not be.
        """
        front: list[Record] = []
        gone = self._outlet.given_up()
        if upto < gone.held_from - 1:
            front.append(
                GivenUp(min(gone.awaited_from, frame.first), min(gone.held_from, frame.first))
            )
        body = _joined(front, frame) if front else frame.body
        if not self._wanted:
            return body, 0
        wanted = await asyncio.to_thread(self._outlet.schemas, tuple(self._wanted))
        schemas, smallest = self._possible(wanted, max_bytes)
        longer, fitting = _with_schemas(front, schemas, frame, max_bytes)
        self._wanted = {f"{one.id:016x}" for one in schemas[fitting:]}
        if fitting or not schemas:
            return longer or body, 0
        return body, int(_ROOM * (max_bytes - smallest)) - PREFACE_BYTES

    def _possible(self, wanted: Sequence[Schema], max_bytes: int) -> tuple[list[Schema], int]:
        """Those that a message can carry, smallest first, and the size of the smallest."""
        encoder = BodyEncoder()
        sizes = {one.id: len(encoder.encode([one])) for one in wanted}
        for one in wanted:
            if sizes[one.id] > SCHEMA_PART * max_bytes and one.id not in self.impossible:
                self.impossible |= {one.id}
                _log.error(
                    "device %s group %s: its description of %d tags takes %d bytes, and messages "
                    "of %d get through; its values are dropped: divide the group, or raise "
                    "'max_frame_bytes' and the broker's limit",
                    one.device,
                    one.group,
                    len(one.tags),
                    sizes[one.id],
                    max_bytes,
                )
        possible = [one for one in wanted if one.id not in self.impossible]
        # So that as many as possible fit, and one does if any can.
        possible.sort(key=lambda one: sizes[one.id])
        return possible, sizes[possible[0].id] if possible else 0


def _with_schemas(
    front: Sequence[Record], schemas: Sequence[Schema], frame: Message, max_bytes: int
) -> tuple[bytes, int]:
    """The body with as many of the schemas as fit, and how many these are; empty if none does."""
    fitting = len(schemas)  # mostly all of them
    while fitting:
        body = _joined([*front, *schemas[:fitting]], frame)
        if len(body) <= max_bytes:
            return body, fitting
        fitting //= 2
    return b"", 0


def _joined(more: Sequence[Record], frame: Message) -> bytes:
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
