"""What the parts of one northbound share."""

from dataclasses import dataclass
from typing import Any

from edge_config.models.gateway import QulinkNorthbound
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.device.clock import Clock
from gateway.edge.live.records import NorthboundLive
from gateway.edge.live.view import Live
from gateway.edge.northbound.acks.unstored import Unstored


@dataclass(frozen=True, slots=True)
class Shared:
    """What the parts of one northbound share.

    Attributes:
        config: the broker.
        gateway: gateway id.
        outlet: what is to be sent.
        live: the connection is noted in it; read for signs of life.
        clock: the gateway's; the city confirms it.
        unstored: told what the city could not store.
    """

    config: QulinkNorthbound
    gateway: str
    outlet: Outlet
    live: Live
    clock: Clock
    unstored: Unstored

    @property
    def status(self) -> NorthboundLive:
        """The connection as it was noted."""
        return self.live.northbound(self.config.name)

    def note(self, **changes: Any) -> None:
        """Note what has changed of the connection: fields of :class:`NorthboundLive`."""
        self.live.note_northbound(self.config.name, **changes)
