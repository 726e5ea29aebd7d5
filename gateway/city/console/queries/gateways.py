"""Gateways as the registry and the live view know them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from gateway.city.access.principal import Scope
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import GatewayRow, gateways
from gateway.city.console.remember import Remembered

STATES_S = 1.0
"""All viewers share the states of so long: at ten thousand gateways they take a moment to make."""
REGISTRY_S = 5.0
_WORST_FIRST = ("bad", "warn", "idle", "good")


@dataclass(frozen=True, slots=True)
class GatewayState:
    """One gateway for a page.

    Attributes:
        row: what the registry says.
        kind: ``good``, ``warn`` (some devices down, or none known), ``bad`` (silent),
            ``idle`` (never heard).
        text_key: catalogue key of its state.
        last_seen_ms: newest sign of life; None: never.
        devices_up: devices whose link is up.
        devices: devices it reports.
    """

    row: GatewayRow
    kind: str
    text_key: str
    last_seen_ms: int | None
    devices_up: int
    devices: int


@dataclass(frozen=True, slots=True)
class GatewayStates:
    """All gateways that are not revoked.

    Attributes:
        worst_first: silent ones, those with devices down, those never heard of, then good ones.
        counts: how many there are of each kind.
    """

    worst_first: tuple[GatewayState, ...]
    counts: Mapping[str, int]

    @property
    def online(self) -> int:
        """How many have been heard of lately."""
        return self.counts["good"] + self.counts["warn"]

    def of(self, *kinds: str) -> Iterable[GatewayState]:
        """Those of some kinds, the worst first."""
        return (state for state in self.worst_first if state.kind in kinds)


class Gateways:
    """The states of all gateways, made once for all who look."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._remembered = Remembered()

    async def states(self, scope: Scope) -> GatewayStates:
        """The states, a second old at most where that costs little."""
        make = partial(self._make, scope)
        return await self._remembered.get(("states", scope), STATES_S, make)

    async def rows(self, scope: Scope) -> list[GatewayRow]:
        """The registry, in order of the ids."""
        make = partial(self._context.database.read, gateways, scope)
        return await self._remembered.get(("rows", scope), REGISTRY_S, make)

    async def _make(self, scope: Scope) -> GatewayStates:
        rows = await self.rows(scope)
        states = [_state(self._context, row) for row in rows if not row.revoked]
        states.sort(key=lambda state: _WORST_FIRST.index(state.kind))
        return GatewayStates(tuple(states), Counter(state.kind for state in states))


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
    if not devices:  # each has some: its frames come, its signs of life do not
        return "warn", "gateway.no_signs"
    if up == devices:
        return "good", "gateway.online"
    return "warn", "gateway.partly" if up else "gateway.all_down"
