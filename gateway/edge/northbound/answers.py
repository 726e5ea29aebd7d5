"""Acknowledgements of the city, and whether they are of this buffer."""

import logging

import msgspec

from gateway.edge.buffer.outlet import Outlet
from gateway.wire.messages import Ack, decode_ack

_log = logging.getLogger(__name__)


class Answers:
    """Reads acknowledgements.

    Args:
        outlet: what they are of.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._epoch = f"{outlet.epoch:016x}"
        self._is_suspected = False

    def read(self, payload: bytes) -> Ack | None:
        """An acknowledgement of this buffer; None if it is malformed or of another one."""
        try:
            ack = decode_ack(payload)
        except msgspec.DecodeError:
            return None
        if ack.epoch != self._epoch:
            return None
        last = self._outlet.last_seq
        newest = max(ack.upto, ack.closed - 1, *(high for _, high in ack.ranges))
        if newest > last:
            self._suspect(newest, last)
            return None
        lowest = min(ack.upto, ack.closed, *(low for low, _ in ack.ranges))
        return ack if lowest >= 0 else None

    def _suspect(self, acknowledged: int, last: int) -> None:
        """Say once that the buffer has been set back: its next numbers are used already."""
        if not self._is_suspected:
            self._is_suspected = True
            _log.error(
                "the city holds frame %d of this buffer, whose last is %d: the buffer is an older "
                "copy, and new values may be taken for old ones; stop the gateway, remove the "
                "buffer's files, and start it again",
                acknowledged,
                last,
            )
