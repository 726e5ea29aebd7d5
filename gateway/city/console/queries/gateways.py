"""Gateways as the registry and the live view know them."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import GatewayRow, gateways


@dataclass(frozen=True, slots=True)
class GatewayState:
    """One gateway for a page.

    Attributes:
        row: what the registry says.
        kind: ``good``, ``warn`` (some devices down), ``bad`` (silent), ``idle`` (never heard).
        word: catalogue key of its state.
        last_seen_ms: newest sign of life; None: never.
        devices_up: devices whose link is up.
        devices: devices it reports.
    """

    row: GatewayRow
    kind: str
    word: str
    last_seen_ms: int | None
    devices_up: int
    devices: int


async def gateway_states(context: ConsoleContext) -> list[GatewayState]:
    """All gateways that are not revoked."""
    rows = await context.database.run(gateways)
    return [_state(context, row) for row in rows if not row.revoked]


def worst_first(states: Iterable[GatewayState]) -> list[GatewayState]:
    """Silent ones, those with devices down, those never heard of, then the good ones."""
    order = ("bad", "warn", "idle", "good")
    return sorted(states, key=lambda state: order.index(state.kind))


def _state(context: ConsoleContext, row: GatewayRow) -> GatewayState:
    live = context.live.gateways().get(row.id)
    seen = (live.last_seen_ms if live else None) or row.last_seen_ms
    devices = live.state.devices if live and live.state else {}
    up = sum(1 for device in devices.values() if device.link == "up")
    kind, word = _kind(live is not None and live.online, seen, up, len(devices))
    return GatewayState(row, kind, word, seen, up, len(devices))


def _kind(online: bool, seen: int | None, up: int, devices: int) -> tuple[str, str]:
    if seen is None:
        return "idle", "gateway.never"
    if not online:
        return "bad", "gateway.silent"
    if up == devices:
        return "good", "gateway.online"
    return "warn", "gateway.partly" if up else "gateway.all_down"
