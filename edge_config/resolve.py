"""Join devices with drivers, profiles, point tables; find what does not fit together."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_config.base import StrictModel
from edge_config.document import Document, Location
from edge_config.gateway import DeviceConfig, GroupConfig, ProfileConfig, TagConfig
from edge_config.paths import anchored
from edge_config.problems import Problem, hint
from edge_config.resolved import ResolvedDevice, ResolvedGroup, ResolvedTag
from edge_config.validate import validate_value

TableReader = Callable[[Path, type[StrictModel]], tuple[list[ResolvedTag], list[Problem]]]


@dataclass(frozen=True, slots=True)
class ProfileSource:
    """A profile and where it stands."""

    profile: ProfileConfig
    document: Document
    at: Location


@dataclass(slots=True)
class Resolver:
    """Resolves the devices of one gateway; gathers every problem on the way.

    Attributes:
        specs: drivers by name.
        profiles: profiles by name.
        read_table: reads a point table.
        problems: what was found so far.
    """

    specs: Mapping[str, Any]
    profiles: Mapping[str, ProfileSource]
    read_table: TableReader
    problems: list[Problem] = field(default_factory=list)
    _groups: dict[str, tuple[ResolvedGroup, ...]] = field(default_factory=dict)

    def devices(
        self, configs: Sequence[DeviceConfig], document: Document
    ) -> Iterator[ResolvedDevice | None]:
        """Each device resolved, or None where something is wrong."""
        seen: dict[str, int] = {}
        for index, config in enumerate(configs):
            at = ("devices", index)
            if config.id in seen:
                message = f"device {config.id!r} is there twice, first as devices.{seen[config.id]}"
                self.problems.append(document.problem((*at, "id"), message))
            seen.setdefault(config.id, index)
            yield self._device(config, document, at)

    def _device(
        self, config: DeviceConfig, document: Document, at: Location
    ) -> ResolvedDevice | None:
        spec = self._spec(config.driver, document, (*at, "driver"))
        source = self._profile(config, document, at)
        if spec is None:
            return None
        connection, problems = validate_value(
            spec.connection, config.connection, document, (*at, "connection")
        )
        self.problems += problems
        if source is None or connection is None:
            return None
        connection = anchored(connection, document.file.resolve().parent)
        groups = self._resolved_groups(source, spec)
        return ResolvedDevice(config, connection, source.profile, groups)

    def _spec(self, name: str, document: Document, at: Location) -> Any:
        if name in self.specs:
            return self.specs[name]
        self.problems.append(document.problem(at, unknown_driver(name, self.specs)))
        return None

    def _profile(
        self, config: DeviceConfig, document: Document, at: Location
    ) -> ProfileSource | None:
        source = self.profiles.get(config.profile)
        if source is None:
            message = f"there is no profile {config.profile!r}{hint(config.profile, self.profiles)}"
            self.problems.append(document.problem((*at, "profile"), message))
        elif source.profile.driver != config.driver:
            message = (
                f"profile {config.profile!r} is for driver {source.profile.driver!r}, "
                f"but the device uses {config.driver!r}"
            )
            self.problems.append(document.problem((*at, "profile"), message))
            return None
        return source

    def _resolved_groups(self, source: ProfileSource, spec: Any) -> tuple[ResolvedGroup, ...]:
        name = source.profile.name
        if name not in self._groups:
            groups = enumerate(source.profile.groups)
            self._groups[name] = tuple(
                self._group(group, source, (*source.at, "groups", index), spec)
                for index, group in groups
            )
            self._check_names(source)
        return self._groups[name]

    def _group(
        self, group: GroupConfig, source: ProfileSource, at: Location, spec: Any
    ) -> ResolvedGroup:
        tags = list(self._tags(group.tags, source.document, (*at, "tags"), spec))
        if group.tags_file is not None:
            listed, problems = self.read_table(group.tags_file, spec.address)
            tags += listed
            self.problems += problems
        elif not group.tags:
            self.problems.append(source.document.problem(at, "the group has no tags"))
        mode = group.mode or spec.modes[0]
        if mode not in spec.modes:
            message = f"driver {source.profile.driver!r} can only {' or '.join(spec.modes)}"
            self.problems.append(source.document.problem((*at, "mode"), message))
        return ResolvedGroup(group.name, group.interval_ms, mode, tuple(tags))

    def _tags(
        self, tags: Iterable[TagConfig], document: Document, at: Location, spec: Any
    ) -> Iterator[ResolvedTag]:
        for index, tag in enumerate(tags):
            where = (*at, index)
            address, problems = validate_value(
                spec.address, tag.address, document, (*where, "address")
            )
            self.problems += problems
            if address is None:
                continue
            message = unfit(tag, spec.kind(address).name)
            if message:
                self.problems.append(document.problem(where, message))
            yield ResolvedTag(tag, address)

    def _check_names(self, source: ProfileSource) -> None:
        groups: set[str] = set()
        tags: set[tuple[str | None, str]] = set()
        for number, group in enumerate(source.profile.groups):
            at = (*source.at, "groups", number)
            if group.name in groups:
                message = f"group {group.name!r} is there twice"
                self.problems.append(source.document.problem((*at, "name"), message))
            groups.add(group.name)
            for tag in self._groups[source.profile.name][number].tags:
                key = (tag.config.asset_no, tag.config.name)
                if key in tags:
                    message = f"tag {tag.config.name!r} is there twice for one machine"
                    self.problems.append(source.document.problem(at, message))
                tags.add(key)


def unfit(tag: TagConfig, kind: str) -> str | None:
    """Why a tag's processing does not fit the kind of its address; None if it does."""
    if kind not in ("STRING", "BOOL"):
        return None
    numeric = [
        name
        for name, given in (
            ("scale", tag.scale is not None),
            ("offset", bool(tag.offset)),
            ("minimum", tag.minimum is not None),
            ("maximum", tag.maximum is not None),
            ("deadband", bool(tag.deadband)),
        )
        if given
    ]
    if not numeric:
        return None
    return f"{', '.join(numeric)} of tag {tag.name!r} is for numbers, but it is a {kind.lower()}"


def unknown_driver(name: str, specs: Mapping[str, Any]) -> str:
    """The message for a driver that is not installed."""
    return f"driver {name!r} is not installed; there are {', '.join(specs)}{hint(name, specs)}"
