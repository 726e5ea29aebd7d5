"""From configuration to what the poller runs: points, schema and processor of each group."""

from dataclasses import dataclass, field
from typing import Any

from edge_config.gateway import DeviceConfig, Identity, TagConfig
from edge_config.resolved import ResolvedDevice, ResolvedGroup, ResolvedTag
from gateway.core.columns import TagRule, order_of
from gateway.core.process import NEVER, Processor
from gateway.core.schedule import last_tick_ms, next_tick_ms, phase_ms
from gateway.core.schema import Equipment, Schema, Tag
from gateway.drivers.api import DriverSpec, Mode, Point
from gateway.edge.commit import Progress


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
        plan: what the driver made of the points in this session.
        down: True until the first success after a loss; ticks count as failed.
        bad_items: subscribed tags that are BAD while the session is up.
        reading_ms: the tick that is being read now.
        repeat_ms: while the clock repeats time: newest repeated tick that is in the books.
    """

    name: str
    mode: Mode
    interval_ms: int
    phase_ms: int
    points: tuple[Point, ...]
    processor: Processor
    last_tick_ms: int = NEVER
    plan: Any = None
    down: bool = True
    bad_items: int = 0
    reading_ms: int | None = None
    repeat_ms: int | None = None

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

    def progress(self) -> Progress:
        """How far the group has come, to be committed with its values."""
        return Progress(self.last_tick_ms, max(self.last_tick_ms, self.processor.newest_ms))


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


def build_device(
    identity: Identity,
    resolved: ResolvedDevice,
    spec: DriverSpec,
    progress: dict[tuple[str, str], Progress],
) -> Device:
    """Compile a device.

    Args:
        identity: the gateway.
        resolved: the device with its validated connection, profile and tags.
        spec: its driver.
        progress: how far groups had come in an earlier run, by (device, group).
    """
    config = resolved.config
    device = Device(config, spec.endpoint(resolved.connection), resolved.profile.name)
    for group in resolved.groups:
        known = progress.get((config.id, group.name))
        device.groups.append(_build_group(identity, resolved, group, spec, known))
    return device


def _build_group(
    identity: Identity,
    device: ResolvedDevice,
    group: ResolvedGroup,
    spec: DriverSpec,
    known: Progress | None,
) -> Group:
    rules = [_rule(tag, spec) for tag in group.tags]
    order = order_of(rules)
    tags = [group.tags[at] for at in order]
    rules = [rules[at] for at in order]
    schema = _schema(identity, device, group, tags, rules)
    points = tuple(
        Point(tag.config.name, rule.raw, tag.address) for tag, rule in zip(tags, rules, strict=True)
    )
    phase = phase_ms(f"{identity.id}/{device.config.id}/{group.name}", group.interval_ms)
    floor = known.newest_ms if known else NEVER
    tick = known.tick_ms if known else NEVER
    processor = Processor(schema, rules, floor)
    return Group(group.name, group.mode, group.interval_ms, phase, points, processor, tick)


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


def _schema(
    identity: Identity,
    device: ResolvedDevice,
    group: ResolvedGroup,
    tags: list[ResolvedTag],
    rules: list[TagRule],
) -> Schema:
    own = device.config.asset_no
    assets = list(dict.fromkeys([own, *(tag.config.asset_no or own for tag in tags)]))
    equipment = tuple(
        Equipment(identity.enterprise_uscc, identity.site_no, asset) for asset in assets
    )
    return Schema(
        device.config.id,
        group.name,
        device.profile.name,
        device.profile.source,
        identity.synthetic,
        equipment,
        tuple(
            _tag(tag.config, rule, assets.index(tag.config.asset_no or own))
            for tag, rule in zip(tags, rules, strict=True)
        ),
        group.interval_ms,
    )


def _tag(config: TagConfig, rule: TagRule, equipment: int) -> Tag:
    return Tag(
        config.name,
        rule.kind,
        config.unit,
        equipment,
        config.role,
        config.label_zh,
        config.label_en,
    )
