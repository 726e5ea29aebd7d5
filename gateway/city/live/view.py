"""What is known right now, in memory: gateways, machines, their newest values.

Nothing here is durable and nothing is decided by it but what a page shows; evidence comes from
committed data alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.city.ingest.layout import series_of
from gateway.city.ingest.limits import MAX_INT64
from gateway.city.ledger.names import MachineName
from gateway.city.live.change_log import ChangeLog
from gateway.city.live.messages import GatewayNow
from gateway.city.live.newest import LiveValue, Newest
from gateway.city.stores.api import Point, Series
from gateway.core.batch import NEVER, Batch, Changes
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.schema import Equipment, Schema
from gateway.wire.messages import DeviceState, State


@dataclass(frozen=True, slots=True)
class GatewayLive:
    """A gateway as the city sees it.

    Attributes:
        id: gateway id.
        uscc: enterprise it is enrolled for.
        site_no: site it is enrolled for.
        online: heard of within the configured silence, and not signed off.
        last_seen_ms: when the last message came, the city's clock; None: never.
        state: its last state message.
    """

    id: str
    uscc: str
    site_no: str
    online: bool = False
    last_seen_ms: int | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class MachineLive:
    """A machine as the city sees it.

    Attributes:
        gateway: gateway that reports it.
        device: device of that gateway.
        profile: machine profile, the measurement in the store.
        link: ``up``, ``down``, ``starting`` or ``unknown``.
        cause: reason code while down, else empty.
        since_ms: since when the link is so, UTC milliseconds; 0 if unknown.
        last_ms: time of the newest value; None: none is known.
        values: newest values by tag name.
    """

    gateway: str
    device: str
    profile: str
    link: str
    cause: str
    since_ms: int
    last_ms: int | None
    values: Mapping[str, LiveValue] = field(default_factory=dict)


class Live:
    """The live view. Written by ingest and presence, read by the console."""

    def __init__(self) -> None:
        self._gateways: dict[str, GatewayLive] = {}
        self._columns: dict[tuple[str, int], Newest] = {}
        self._machines: dict[MachineName, dict[tuple[str, int], int]] = {}
        self._changes = ChangeLog()
        self._links_changed: dict[str, int] = {}

    def gateways(self) -> Mapping[str, GatewayLive]:
        """All enrolled gateways by id."""
        return dict(self._gateways)

    def gateway(self, gateway_id: str) -> GatewayLive | None:
        """One enrolled gateway."""
        return self._gateways.get(gateway_id)

    def machines(self) -> frozenset[MachineName]:
        """All machines that a schema has named since the beginning."""
        return frozenset(self._machines)

    def machine(self, uscc: str, site_no: str, asset_no: str) -> MachineLive | None:
        """One machine with its newest values; None if no gateway ever named it."""
        places = self._machines.get(MachineName(uscc, site_no, asset_no))
        if not places:
            return None
        values = self.values(MachineName(uscc, site_no, asset_no))
        last_ms = max((value.time_ms for value in values.values()), default=None)
        gateway, schema = self._home(places)
        link = self._link(gateway, schema.device)
        return MachineLive(
            gateway,
            schema.device,
            schema.profile,
            link.link,
            link.cause,
            link.since_ms,
            last_ms,
            values,
        )

    def values(self, machine: MachineName) -> dict[str, LiveValue]:
        """The newest value of every tag of a machine that one was heard of."""
        values: dict[str, LiveValue] = {}
        for key, equipment in self._machines.get(machine, {}).items():
            for name, value in self._columns[key].values(equipment):
                if name not in values or values[name].time_ms <= value.time_ms:
                    values[name] = value
        return values

    def changed_since(self, number: int) -> list[tuple[str, int]]:
        """Gateways that changed after change ``number``, each with its newest, oldest first."""
        return self._changes.since(number)

    def as_of(self, gateway_id: str, since: int) -> GatewayNow:
        """A gateway for a copy that has all changes up to ``since``."""
        gateway = self._gateways.get(gateway_id)
        if gateway is None:
            return GatewayNow(gateway_id, heard_here=False)
        is_new = self._links_changed.get(gateway_id, 0) > since
        devices = _devices(gateway) if is_new else None
        return GatewayNow(gateway_id, True, gateway.online, gateway.last_seen_ms, devices)

    def unheard(self, machine: MachineName) -> set[Series]:
        """Series of a machine of which the store knows more than this process has heard."""
        return {
            series_of(key[0], self._columns[key].schema, equipment)
            for key, equipment in self._machines.get(machine, {}).items()
            if not self._columns[key].heard(equipment)
        }

    def recall(self, series: Series, points: Mapping[str, Point], latest_ms: int) -> None:
        """Values of a machine from the store; none later than ``latest_ms``."""
        machine = MachineName(series.enterprise, series.site, series.equipment)
        for key, equipment in self._machines.get(machine, {}).items():
            columns = self._columns[key]
            if series_of(key[0], columns.schema, equipment) == series:
                columns.recall(equipment, points, latest_ms)

    def _home(self, places: Mapping[tuple[str, int], int]) -> tuple[str, Schema]:
        """The gateway and schema that spoke last for a machine."""
        key = max(places, key=lambda place: int(self._columns[place].times.max(initial=NEVER)))
        return key[0], self._columns[key].schema

    def _link(self, gateway_id: str, device: str) -> DeviceState:
        gateway = self._gateways.get(gateway_id)
        if gateway is None or gateway.state is None:
            return DeviceState("unknown")
        if not gateway.online:
            return DeviceState("down", "gateway_silent", gateway.last_seen_ms or 0)
        return gateway.state.devices.get(device, DeviceState("unknown"))

    def answering(self, now_ms: int, *, demonstration: bool) -> frozenset[MachineName]:
        """Machines whose gateway is online and whose link is up now.

        Args:
            now_ms: the present; a link that began later (a wrong clock) does not count.
            demonstration: synthetic machines answer too.
        """
        return frozenset(
            machine
            for machine, places in self._machines.items()
            if any(
                self._is_up(key, now_ms)
                for key in places
                if demonstration or not self._columns[key].schema.synthetic
            )
        )

    def _is_up(self, key: tuple[str, int], now_ms: int) -> bool:
        link = self._link(key[0], self._columns[key].schema.device)
        return link.link == "up" and link.since_ms <= now_ms + MAX_AHEAD_MS

    # --- written by ingest and housekeeping -------------------------------------------------

    def enrol(self, gateway: GatewayLive) -> None:
        """Add or replace a gateway as the registry knows it."""
        self._put(gateway)

    def forget(self, gateway_id: str) -> None:
        """Take a revoked gateway out of the view."""
        if self._gateways.pop(gateway_id, None) is not None:
            self._links_changed[gateway_id] = self._changes.note(gateway_id)
        for key in [key for key in self._columns if key[0] == gateway_id]:
            for machine in self._columns.pop(key).schema.equipment:
                self._machines[_name(machine)].pop(key, None)

    def heard(self, gateway_id: str, now_ms: int) -> None:
        """A message came."""
        gateway = self._gateways[gateway_id]
        self._put(replace(gateway, online=True, last_seen_ms=now_ms))

    def state(self, gateway_id: str, state: State, now_ms: int) -> None:
        """A state message came; one that says offline keeps the last device states."""
        gateway = self._gateways[gateway_id]
        known = state if state.online or gateway.state is None else gateway.state
        self._put(replace(gateway, online=state.online, last_seen_ms=now_ms, state=known))

    def silent(self, gateway_id: str) -> None:
        """A gateway has not been heard of for too long."""
        self._put(replace(self._gateways[gateway_id], online=False))

    def _put(self, gateway: GatewayLive) -> None:
        """Keep a gateway; a change that a copy would not see is no change."""
        known = self._gateways.get(gateway.id)
        self._gateways[gateway.id] = gateway
        if known == gateway:
            return
        number = self._changes.note(gateway.id)
        if known is None or _devices(known) != _devices(gateway):
            self._links_changed[gateway.id] = number

    def learn(self, gateway_id: str, schema: Schema) -> None:
        """A schema of a gateway: which machines it speaks of."""
        key = (gateway_id, schema.id)
        if key in self._columns or gateway_id not in self._gateways:
            return
        self._columns[key] = Newest(schema)
        for position, machine in enumerate(schema.equipment):
            self._machines.setdefault(_name(machine), {})[key] = position

    def take(self, gateway_id: str, values: Batch | Changes, latest_ms: int = MAX_INT64) -> None:
        """Committed values; those later than ``latest_ms`` are not shown.

        A gateway that was revoked while its values were committed is not known any more.
        """
        columns = self._columns.get((gateway_id, values.schema.id))
        if columns is None:
            return
        if isinstance(values, Changes):
            columns.update_changes(values, latest_ms)
        elif values.time_ms <= latest_ms:
            columns.update(values)


def _devices(gateway: GatewayLive) -> Mapping[str, DeviceState]:
    return gateway.state.devices if gateway.state else {}


def _name(machine: Equipment) -> MachineName:
    return MachineName(machine.uscc, machine.site_no, machine.asset_no)
