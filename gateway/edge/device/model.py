"""From configuration to what the poller runs: points, schema and processor of each group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edge_config.loading.resolved import ResolvedDevice, ResolvedGroup, ResolvedTag
from edge_config.models.gateway import DeviceConfig, Identity, TagConfig
from gateway.core.process import NEVER, Processor
from gateway.core.rules import GroupRules, TagRule, compile_rules, order_of
from gateway.core.schedule import last_tick_ms, next_tick_ms, phase_ms
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.drivers.api import DriverSpec, Mode, Point
from gateway.edge.buffer.commit import Progress


@dataclass(slots=True)
class Group:
    """One group of one device at work.

    Attributes:
        name: group name.
        mode: ``poll`` or ``subscribe``.
        interval_ms: period.
        phase_ms: offset of the ticks.
        points: what the driver reads, in column order.
        processor: rules and what was sent last.
        last_tick_ms: newest nominal tick in the books.
        plan: what the driver made of the points in the current session.
        bad_items: subscribed tags that are BAD while the session is up.
        reading_ms: the tick that is being read now.
        repeat_ms: while the clock repeats time: newest repeated tick that is in the books.
        left_ms: newest tick in the books that is ahead of a clock that went back far.
        offset_ms: clock minus a clock that never steps, at the last reading.
    """

    name: str
    mode: Mode
    interval_ms: int
    phase_ms: int
    points: tuple[Point, ...]
    processor: Processor
    last_tick_ms: int = NEVER
    plan: Any = None
    bad_items: int = 0
    reading_ms: int | None = None
    repeat_ms: int | None = None
    left_ms: int | None = None
    offset_ms: float = 0.0

    @property
    def size(self) -> int:
        """How many tags."""
        return len(self.points)

    def next_tick(self) -> int:
        """The first tick that is not in the books."""
        return next_tick_ms(self.last_tick_ms, self.interval_ms, self.phase_ms)

    def tick_at(self, now_ms: int) -> int:
        """The newest tick that has come."""
        return last_tick_ms(now_ms, self.interval_ms, self.phase_ms)

    def progress(self, tick_ms: int) -> Progress:
        """How far the group has come with this tick, to be committed with its values."""
        return Progress(tick_ms, max(tick_ms, self.processor.newest_ms))


@dataclass(slots=True)
class Device:
    """One device at work."""

    config: DeviceConfig
    endpoint: str
    profile: str
    groups: list[Group] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Device id."""
        return self.config.id


@dataclass(frozen=True, slots=True)
class _Layout:
    """What groups of the same profile share; a thousand tags are then in memory once."""

    order: tuple[int, ...]
    points: tuple[Point, ...]
    rules: GroupRules
    kinds: tuple[Kind, ...]


class DeviceBuilder:
    """Compiles devices; groups that the loader shares are compiled once.

    Args:
        identity: the gateway.
        progress: how far groups had come in an earlier run, by (device, group).
    """

    def __init__(self, identity: Identity, progress: Mapping[tuple[str, str], Progress]) -> None:
        self._identity = identity
        self._progress = progress
        self._layouts: dict[tuple[int, str], _Layout] = {}
        self._tags: dict[tuple[int, tuple[int, ...]], tuple[Tag, ...]] = {}

    def build(self, resolved: ResolvedDevice, spec: DriverSpec) -> Device:
        """Compile a device that its driver's ``spec`` describes."""
        config = resolved.config
        device = Device(config, spec.endpoint(resolved.connection), resolved.profile.name)
        device.groups += [self._group(resolved, group, spec) for group in resolved.groups]
        return device

    def _group(self, device: ResolvedDevice, group: ResolvedGroup, spec: DriverSpec) -> Group:
        known = self._progress.get((device.config.id, group.name), Progress(NEVER, NEVER))
        layout = self._layout(group, spec)
        schema = self._schema(device, group, layout)
        key = f"{self._identity.id}/{device.config.id}/{group.name}"
        return Group(
            group.name,
            group.mode,
            group.interval_ms,
            phase_ms(key, group.interval_ms),
            layout.points,
            Processor(schema, layout.rules, known.newest_ms),
            known.tick_ms,
        )

    def _layout(self, group: ResolvedGroup, spec: DriverSpec) -> _Layout:
        key = (id(group.tags), spec.name)
        if key not in self._layouts:
            self._layouts[key] = _layout(group, spec)
        return self._layouts[key]

    def _schema(self, device: ResolvedDevice, group: ResolvedGroup, layout: _Layout) -> Schema:
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


def _layout(group: ResolvedGroup, spec: DriverSpec) -> _Layout:
    rules = [_rule(tag, spec) for tag in group.tags]
    order = order_of(rules)
    ordered = [rules[at] for at in order]
    points = tuple(
        Point(group.tags[at].config.name, rules[at].raw, group.tags[at].address) for at in order
    )
    return _Layout(order, points, compile_rules(ordered), tuple(rule.kind for rule in ordered))


def _rule(tag: ResolvedTag, spec: DriverSpec) -> TagRule:
    config = tag.config
    return TagRule(
        spec.kind(tag.address),
        config.scale,
        config.offset,
        config.minimum,
        config.maximum,
        config.deadband,
        config.max_silence_ms,
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
