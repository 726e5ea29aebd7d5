"""How large messages may be: what the broker says, and what its behaviour shows."""

import logging

from edge_config.models.gateway import QulinkNorthbound
from gateway.edge.northbound.limit import LEAST_BYTES, PACKET_BYTES, MessageLimit
from gateway.edge.northbound.preface import PREFACE_BYTES
from gateway.edge.northbound.unanswered import Unanswered
from gateway.mqtt.client import is_too_large
from gateway.wire.frame import HEADER_BYTES
from gateway.wire.topics import frame_topic

_log = logging.getLogger(__name__)


class Sizes:
    """Sizes of messages to one broker.

    Args:
        config: the broker.
        gateway: gateway id.

    Attributes:
        limit: the largest message that gets through.
        unanswered: what the broker has confirmed and the city has not.
    """

    def __init__(self, config: QulinkNorthbound, gateway: str) -> None:
        self._url = config.url
        self.limit = MessageLimit(config.max_frame_bytes)
        self.unanswered = Unanswered()
        self._overhead = len(frame_topic(gateway)) + PACKET_BYTES

    @property
    def body_bytes(self) -> int:
        """The largest body of a frame that can be sent now."""
        return max(self.limit.bytes - HEADER_BYTES - PREFACE_BYTES, 1)

    @property
    def merged_bytes(self) -> int:
        """How large frames may become together."""
        doubt = self.unanswered.in_doubt
        return min(self.body_bytes, LEAST_BYTES) if doubt else self.body_bytes

    def connected(self, max_packet_bytes: int | None) -> None:
        """A session begins; the broker says the largest packet that it takes, or nothing."""
        most = None if max_packet_bytes is None else max_packet_bytes - self._overhead
        self.limit.connected(most)
        self.unanswered.connected()

    def lost(self, group: BaseExceptionGroup[Exception]) -> None:
        """Look whether the size of a message has ended the session."""
        before = self.limit.bytes
        if is_too_large(group):
            self.limit.refused()
        else:
            self.limit.hung_up()
        self._say_if_below(before)

    def overdue(self) -> None:
        """Look whether the broker has thrown away for its size what the city lacks."""
        before = self.limit.bytes
        if size := self.unanswered.overdue():
            self.limit.swallowed(size)
            self._say_if_below(before)

    def _say_if_below(self, before: int) -> None:
        if self.limit.bytes < before:
            _log.warning(
                "broker %s takes no message of %d bytes; messages are cut to %d from now on",
                self._url,
                before,
                self.limit.bytes,
            )
