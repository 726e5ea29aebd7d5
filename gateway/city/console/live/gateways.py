"""Gateways of all workers in one view: live where a worker is heard, else from the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from gateway.city.db.tables import gateway
from gateway.city.live.messages import Changes, GatewayNow
from gateway.wire.messages import DeviceState, decode_state

SAVED_LATE_MS = 63_000
"""A worker writes the time of a gateway's last message so much later at most."""


@dataclass(frozen=True, slots=True)
class GatewayView:
    """What is known of a gateway now.

    Attributes:
        online: heard of within the configured silence, and not signed off.
        last_seen_ms: newest sign of life, the city's clock; None: never.
        devices: link state by device.
        devices_up: how many of them are up.
    """

    online: bool
    last_seen_ms: int | None
    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    devices_up: int = 0


def view_of(
    online: bool, last_seen_ms: int | None, devices: Mapping[str, DeviceState]
) -> GatewayView:
    """A gateway with its devices counted."""
    up = sum(1 for device in devices.values() if device.link == "up")
    return GatewayView(online, last_seen_ms, devices, up)


class Copy:
    """The gateways of one worker, kept true by what changed."""

    def __init__(self) -> None:
        self.run, self.upto = "", 0
        self.gateways: dict[str, GatewayView] = {}

    def learn(self, changes: Changes) -> None:
        """Take over what a worker said."""
        if changes.run != self.run:
            self.gateways = {}
        self.run, self.upto = changes.run, changes.upto
        for now in changes.gateways:
            self._learn(now)

    def _learn(self, now: GatewayNow) -> None:
        if not now.heard_here:
            self.gateways.pop(now.id, None)
            return
        known = self.gateways.get(now.id)
        if now.devices is None and known is not None:
            self.gateways[now.id] = GatewayView(
                now.online, now.last_seen_ms, known.devices, known.devices_up
            )
        else:
            self.gateways[now.id] = view_of(now.online, now.last_seen_ms, now.devices or {})


def saved_gateways(connection: Connection, now_ms: int, silence_ms: int) -> dict[str, GatewayView]:
    """All gateways as the workers last saved them."""
    rows = connection.execute(select(gateway).where(gateway.c.revoked_ms.is_(None)))
    earliest_ms = now_ms - silence_ms - SAVED_LATE_MS
    views = {}
    for row in rows:
        state = decode_state(row.state.encode()) if row.state else None
        online = bool(state and state.online) and (row.last_seen_ms or 0) >= earliest_ms
        views[row.id] = view_of(online, row.last_seen_ms, state.devices if state else {})
    return views
