"""What is known right now, in memory: gateways, machines, their newest values.

Nothing here is durable and nothing is decided by it but what a page shows; evidence comes from
committed data alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from gateway.city.ingest.layout import series_of
from gateway.city.ingest.limits import MAX_INT64
from gateway.city.ledger.names import MachineName
from gateway.city.live.change_log import ChangeLog
from gateway.city.live.messages import GatewayNow
from gateway.city.live.newest import LiveValue, Newest
from gateway.city.stores.api import Series
from gateway.core.batch import Batch, Changes
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


class Live:
    """The live view. Written by ingest and presence, read by the console.

    A machine is found however its name is written (:attr:`MachineName.key`).
    """

    def __init__(self) -> None:
        self._gateways: dict[str, GatewayLive] = {}
        self._newest: dict[str, dict[int, Newest]] = {}  # by gateway and schema
        self._machines: dict[MachineName, dict[tuple[str, int], int]] = {}
        """Where in which schema of which gateway a machine is named."""
        self._changes = ChangeLog()
        self._links_changed: dict[str, int] = {}

    def gateways(self) -> Mapping[str, GatewayLive]:
        """All enrolled gateways by id."""
        return dict(self._gateways)

    def gateway(self, gateway_id: str) -> GatewayLive | None:
        """One enrolled gateway."""
        return self._gateways.get(gateway_id)

    def values(self, machine: MachineName) -> dict[str, LiveValue]:
        """The newest value of every tag of a machine that one was heard of."""
        values: dict[str, LiveValue] = {}
        for (gateway_id, schema_id), equipment in self._machines.get(machine.key, {}).items():
            for name, value in self._newest[gateway_id][schema_id].values(equipment):
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
            series_of(gateway_id, newest.schema, equipment)
            for (gateway_id, schema_id), equipment in self._machines.get(machine.key, {}).items()
            if not (newest := self._newest[gateway_id][schema_id]).heard(equipment)
        }

    # --- written by ingest and housekeeping -------------------------------------------------

    def enrol(self, gateway: GatewayLive) -> None:
        """Add or replace a gateway as the registry knows it."""
        self._put(gateway)

    def forget(self, gateway_id: str) -> None:
        """Take a revoked gateway out of the view."""
        if self._gateways.pop(gateway_id, None) is not None:
            self._links_changed[gateway_id] = self._changes.note(gateway_id)
        self.keep_schemas(gateway_id, ())
        self._newest.pop(gateway_id, None)

    def keep_schemas(self, gateway_id: str, schema_ids: Collection[int]) -> None:
        """Forget the schemas of a gateway but these, with their values."""
        mine = self._newest.get(gateway_id, {})
        for gone in [schema_id for schema_id in mine if schema_id not in schema_ids]:
            for key in map(_key, mine.pop(gone).schema.equipment):
                # two machines of a schema may be one, written in two ways
                named = self._machines.get(key, {})
                named.pop((gateway_id, gone), None)
                if not named:
                    self._machines.pop(key, None)

    def heard(self, gateway_id: str, now_ms: int) -> None:
        """A message came."""
        gateway = self._gateways[gateway_id]
        self._put(replace(gateway, online=True, last_seen_ms=now_ms))

    def state(self, gateway_id: str, state: State, now_ms: int) -> None:
        """A state message came; one that says offline keeps the last device states."""
        gateway = self._gateways[gateway_id]
        # a last will was written when the connection began, and knows of no device
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
        if gateway_id not in self._gateways:
            return
        mine = self._newest.setdefault(gateway_id, {})
        if schema.id in mine:
            return
        mine[schema.id] = Newest(schema)
        for position, machine in enumerate(schema.equipment):
            self._machines.setdefault(_key(machine), {})[gateway_id, schema.id] = position

    def keep_newest(
        self, gateway_id: str, values: Batch | Changes, latest_ms: int = MAX_INT64
    ) -> None:
        """Show committed values where they are newer; none later than ``latest_ms``.

        A gateway that was revoked while its values were committed is not known any more.
        """
        newest = self._newest.get(gateway_id, {}).get(values.schema.id)
        if newest is None:
            return
        if isinstance(values, Changes):
            newest.update_changes(values, latest_ms)
        elif values.time_ms <= latest_ms:
            newest.update(values)


def _devices(gateway: GatewayLive) -> Mapping[str, DeviceState]:
    return gateway.state.devices if gateway.state else {}


def _key(machine: Equipment) -> MachineName:
    return MachineName(machine.uscc, machine.site_no, machine.asset_no).key
