"""From configuration to what a runtime needs of each group: points, schema and rules."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from edge_config.loading.resolved import ResolvedDevice, ResolvedGroup, ResolvedTag
from edge_config.models.gateway import DeviceConfig, Identity, Mode
from edge_config.models.tag import TagConfig
from gateway.core.rules import GroupRules, TagRule, compile_rules, order_of
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.slots import Slots
from gateway.drivers.api import Point
from gateway.drivers.spec import DriverSpec
from gateway.edge.device.knowledge.prints import reads_of, unit_of


@dataclass(frozen=True, slots=True)
class GroupModel:
    """What the configuration says of one group of one device.

    Attributes:
        name: group name.
        mode: ``poll`` or ``subscribe``.
        interval_ms: period.
        phase_ms: offset of the ticks.
        points: what the driver reads, in column order.
        schema: the same tags as the city sees them.
        rules: how raw values become what is sent; shared by groups of one profile.
    """

    name: str
    mode: Mode
    interval_ms: int
    phase_ms: int
    points: tuple[Point, ...]
    schema: Schema
    rules: GroupRules


@dataclass(frozen=True, slots=True)
class DeviceModel:
    """What the configuration says of one device.

    Attributes:
        resolved: as it was loaded.
        spec: its driver's.
        endpoint: where it is reached, for people.
        groups: what is read of it.
    """

    resolved: ResolvedDevice
    spec: DriverSpec
    endpoint: str
    groups: tuple[GroupModel, ...] = ()

    @property
    def config(self) -> DeviceConfig:
        """What was written of it."""
        return self.resolved.config

    @property
    def id(self) -> str:
        """Device id."""
        return self.config.id


@dataclass(frozen=True, slots=True)
class _Layout:
    """What groups of the same profile share; a thousand tags are then in memory once."""

    order: tuple[int, ...]
    points: tuple[Point, ...]
    reads: bytes
    rules: GroupRules
    kinds: tuple[Kind, ...]


class ModelCompiler:
    """Compiles devices; groups that the loader shares are compiled once.

    Args:
        identity: the gateway.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._slots = Slots(identity.id)
        self._layouts: dict[tuple[int, str], _Layout] = {}
        self._tags: dict[tuple[int, tuple[int, ...]], tuple[Tag, ...]] = {}

    def compile(self, resolved: ResolvedDevice, spec: DriverSpec) -> DeviceModel:
        """Compile a device that its driver's ``spec`` describes."""
        intervals = [group.interval_ms for group in resolved.groups]
        phases = self._slots.place(resolved.config.id, _link(resolved, spec), intervals)
        return DeviceModel(
            resolved,
            spec,
            spec.endpoint(resolved.connection),
            tuple(
                self._group(resolved, group, spec, phases[group.interval_ms])
                for group in resolved.groups
            ),
        )

    def remove(self, device: str) -> None:
        """Free the place in time of a device that is taken out."""
        self._slots.remove(device)

    def _group(
        self, device: ResolvedDevice, group: ResolvedGroup, spec: DriverSpec, phase_ms: int
    ) -> GroupModel:
        layout = self._layout(group, spec)
        return GroupModel(
            group.name,
            group.mode,
            group.interval_ms,
            phase_ms,
            layout.points,
            self._schema(device, group, layout, unit_of(self._identity, spec, device.connection)),
            layout.rules,
        )

    def _layout(self, group: ResolvedGroup, spec: DriverSpec) -> _Layout:
        key = (id(group.tags), spec.name)
        if key not in self._layouts:
            self._layouts[key] = _layout(group, spec)
        return self._layouts[key]

    def _schema(
        self, device: ResolvedDevice, group: ResolvedGroup, layout: _Layout, unit: bytes
    ) -> Schema:
        own = device.config.asset_no
        owners = [group.tags[at].config.asset_no or own for at in layout.order]
        assets = list(dict.fromkeys([own, *owners]))
        equipment = tuple(
            Equipment(self._identity.enterprise_uscc, self._identity.site_no, asset)
            for asset in assets
        )
        place = {asset: at for at, asset in enumerate(assets)}
        return Schema(
            device.config.id,
            group.name,
            device.profile.name,
            device.profile.source,
            self._identity.synthetic,
            equipment,
            self._described(group, layout, tuple(place[owner] for owner in owners)),
            group.interval_ms,
            unit,
            layout.reads,
        )

    def _described(
        self, group: ResolvedGroup, layout: _Layout, owners: tuple[int, ...]
    ) -> tuple[Tag, ...]:
        key = (id(layout), owners)
        if key not in self._tags:
            self._tags[key] = tuple(
                _tag(group.tags[at].config, kind, owner)
                for at, kind, owner in zip(layout.order, layout.kinds, owners, strict=True)
            )
        return self._tags[key]


def momentary_group(model: DeviceModel, tags: Sequence[ResolvedTag]) -> GroupModel:
    """A group that is read once: of tags, or of addresses that no tag has.

    Its schema names no enterprise and never travels.
    """
    layout = _layout(ResolvedGroup("", 0, "poll", tuple(tags)), model.spec)
    described = tuple(
        _tag(tags[at].config, kind, 0) for at, kind in zip(layout.order, layout.kinds, strict=True)
    )
    profile = model.resolved.profile
    machine = Equipment("", "", model.config.asset_no)
    schema = Schema(model.id, "", profile.name, profile.source, True, (machine,), described, 0)
    return GroupModel("", "poll", 0, 0, layout.points, schema, layout.rules)


def _link(device: ResolvedDevice, spec: DriverSpec) -> Hashable:
    """What a device is reached by: itself, if its driver knows no links."""
    if spec.link is None:
        return device.config.id
    return spec.name, spec.link.key(device.connection)


def _layout(group: ResolvedGroup, spec: DriverSpec) -> _Layout:
    rules = [rule_of(tag, spec) for tag in group.tags]
    order = order_of(rules)
    ordered = [rules[at] for at in order]
    points = tuple(
        Point(group.tags[at].config.name, rules[at].raw, group.tags[at].address) for at in order
    )
    reads = reads_of(point.address for point in points)
    kinds = tuple(rule.kind for rule in ordered)
    return _Layout(order, points, reads, compile_rules(ordered), kinds)


def rule_of(tag: ResolvedTag, spec: DriverSpec) -> TagRule:
    """How raw values of a tag become what is sent."""
    config = tag.config
    return TagRule(
        spec.kind(tag.address),
        config.scale,
        config.offset,
        config.minimum,
        config.maximum,
        config.deadband,
        config.max_silence_ms,
        tag.no_value,
    )


def _tag(config: TagConfig, kind: Kind, equipment: int) -> Tag:
    return Tag(
        config.name,
        kind,
        config.unit,
        equipment,
        config.role,
        config.label_zh,
        config.label_en,
    )
