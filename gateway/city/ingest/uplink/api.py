"""What ingest asks of an uplink: where frames come from and acknowledgements go."""

from collections.abc import Collection, Iterable
from typing import Protocol

from gateway.city.ingest.uplink.inbox import Inbox
from gateway.wire.messages import Ack


class Uplink(Protocol):
    """Where frames come from and acknowledgements go: MQTT today.

    Whatever stands behind it – a broker, the consumer group of a log – delivers at least once and
    keeps nothing for us: a frame is sent again until it is acknowledged.

    Attributes:
        frames: what waits to be stored.
        states: signs of life.
        connected_since_ms: since when we hear, UTC milliseconds; None while we do not.
        followed_ms: since when we hear these partitions, UTC milliseconds; 0: from the beginning.
    """

    frames: Inbox
    states: Inbox
    connected_since_ms: int | None
    followed_ms: int

    async def run(self) -> None:
        """Receive until cancelled."""

    async def follow(self, partitions: Collection[int]) -> None:
        """Hear these partitions and no others; what waits of others is dropped."""

    def hears(self, gateway_id: str) -> bool:
        """Whether a gateway's partition is one of this worker's; else another worker hears it."""

    def heard_lately(self) -> dict[str, int]:
        """When a frame of a gateway last came, of those of which one came since the last call."""

    def answer(self, acks: Iterable[tuple[str, Ack]]) -> None:
        """Send acknowledgements to gateways that are heard, at most once; an edge asks again."""
