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
    now = context.live.gateway(row.id)
    if now is None:
        return GatewayState(row, *_kind(False, row.last_seen_ms, 0, 0), row.last_seen_ms, 0, 0)
    seen, up, devices = now.last_seen_ms or row.last_seen_ms, now.devices_up, len(now.devices)
    return GatewayState(row, *_kind(now.online, seen, up, devices), seen, up, devices)


def _kind(online: bool, seen: int | None, up: int, devices: int) -> tuple[str, str]:
    if seen is None:
        return "idle", "gateway.never"
    if not online:
        return "bad", "gateway.silent"
    if up == devices:
        return "good", "gateway.online"
    return "warn", "gateway.partly" if up else "gateway.all_down"
