"""One machine profile on its way from the file to resolved groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from edge_config.files.paths import Folder, anchored
from edge_config.files.point_columns import words_for
from edge_config.files.point_table import PointTable, TagRow, read_point_table
from edge_config.loading.arrays import element, wrong_names
from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.no_value import impossible, raw_codes
from edge_config.loading.parameters import filled, placeholders
from edge_config.loading.resolved import ResolvedGroup, ResolvedTag
from edge_config.loading.specs import DriverModels, RawType
from edge_config.mistakes import checks
from edge_config.mistakes.doubts import Doubts
from edge_config.mistakes.explain import validate
from edge_config.mistakes.overlaps import Overlaps, Read
from edge_config.mistakes.problems import ConfigError, Loc, Place, Problem, in_words, under
from edge_config.models.gateway import GroupConfig, Mode, ProfileConfig
from edge_config.models.settings import Settings
from edge_config.models.tag import Codes, TagConfig
from edge_config.models.validation import valid_or_none


@dataclass(frozen=True, slots=True)
class TagSource:
    """A tag as written; ``config`` is None if it has mistakes of its own."""

    data: dict[str, Any]
    place: Place
    config: TagConfig | None


@dataclass(frozen=True, slots=True)
class GroupSource:
    """A group with the tags of its point table; ``config`` is None if it has mistakes."""

    config: GroupConfig | None
    tags: tuple[TagSource, ...]


@dataclass(slots=True)
class Profile:
    """One profile as far as it could be understood.

    Attributes:
        name: as written; None if it is no text.
        driver: as written.
        place: where the profile stands.
        folder: of the file it is written in.
        config: None if it has mistakes of its own.
        spec: its driver; None if that is not installed.
        sources: its groups, not yet resolved.
        problems: of the whole configuration; grows while groups are resolved.
        doubts: addresses that may be meant otherwise, that came before or lie over others; codes
            for no value that a type cannot hold.
    """

    name: str | None
    driver: object
    place: Place
    folder: Folder
    config: ProfileConfig | None
    spec: DriverModels | None
    problems: list[Problem]
    sources: list[GroupSource] = field(default_factory=list)
    doubts: Doubts = field(default_factory=Doubts)
    _types: dict[str, RawType | None] = field(default_factory=dict)
    _overlaps: Overlaps = field(init=False)
    _resolved: dict[tuple[tuple[str, str], ...], tuple[ResolvedGroup, ...]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self._overlaps = Overlaps(self.doubts)

    def wanted(self) -> set[str]:
        """Names of the parameters that its addresses mention."""
        tags = (tag for group in self.sources for tag in group.tags)
        return {name for tag in tags for name in placeholders(tag.data.get("address"))}

    def groups(self, parameters: Mapping[str, str]) -> tuple[ResolvedGroup, ...]:
        """Its groups for a device; devices with equal parameters share them."""
        key = tuple(sorted(parameters.items()))
        if key not in self._resolved:
            built = [self._group(source, parameters) for source in self.sources]
            self._resolved[key] = tuple(group for group in built if group is not None)
            if self.spec is not None:
                self._overlaps.judge(self.spec)
        return self._resolved[key]

    def _group(self, source: GroupSource, parameters: Mapping[str, str]) -> ResolvedGroup | None:
        tags = [tag for written in source.tags for tag in self._tags(written, parameters)]
        if source.config is None or self.spec is None:
            return None
        mode = cast("Mode", source.config.mode or self.spec.modes[0])
        return ResolvedGroup(source.config.name, source.config.interval_ms, mode, tuple(tags))

    def _tags(self, source: TagSource, parameters: Mapping[str, str]) -> Sequence[ResolvedTag]:
        """The tag as written, or one for each value of an array; none where it has mistakes."""
        if self.spec is None or "address" not in source.data:
            return ()
        address = self._address(self.spec, source, filled(source.data["address"], parameters))
        if source.config is None or address is None:
            return ()
        self._check_kind(self.spec, source.config, address, source.place)
        wrong = self.spec.read_only(address) if source.config.access == "read-write" else ""
        self.doubts.note("read-only", "access", source.place, wrong)
        what = (address, source.config.scale, source.config.offset, parameters)
        self._overlaps.note_same(source.place, source.config.name, what)
        addresses = self.spec.elements(anchored(address, self.folder.path))
        for one in addresses:
            self._overlaps.note(Read(source.place, source.config, one))
        codes = self._no_value(source, source.config.no_value, self.spec.raw_type(addresses[0]))
        if len(addresses) == 1:
            return (ResolvedTag(source.config, addresses[0], codes),)
        others = (tag.config for group in self.sources for tag in group.tags if tag.config)
        wrong = wrong_names(source.config, len(addresses), others)
        if wrong:
            self.problems.append(source.place(("name",), wrong))
        notation = self.config.notation if self.config else None
        texts = [self.spec.noted(one, notation) for one in addresses]
        tags = [element(source.config, at, text) for at, text in enumerate(texts)]
        return [ResolvedTag(tag, one, codes) for tag, one in zip(tags, addresses, strict=True)]

    def _no_value(self, source: TagSource, written: Codes | None, raw: RawType | None) -> Codes:
        by_type = self.config.no_value if self.config else {}
        name = raw.name if raw else ""
        self._types[name] = raw
        wrong = next(impossible(written or (), raw), "")
        self.doubts.note("never", "no_value", source.place, wrong)
        return raw_codes(written, by_type, raw)

    def _address(self, spec: DriverModels, source: TagSource, data: Any) -> Settings | None:
        at = under(source.place, "address")
        notation = self.config.notation if self.config else None
        if notation is None:
            address = validate(spec.address, data, at, self.problems)
            if address is not None:
                said = spec.unclear(data, address)
                self.doubts.note("unclear", "address", source.place, said)
            return address
        at = in_words(at, f" (notation: {notation})")
        try:
            return validate(spec.address, spec.in_notation(data, notation), at, self.problems)
        except ValueError as error:
            self.problems.append(at((), str(error)))
            return None

    def warnings(self) -> Iterator[Problem]:
        """What is allowed and hardly meant: of each kind one, with how many more there are."""
        yield from self.doubts.warnings()
        for name, codes in (self.config.no_value if self.config else {}).items():
            known = name in self._types
            wrong = impossible(codes or (), self._types.get(name)) if known else (_no_such(name),)
            yield from (self.place(("no_value", name), said) for said in wrong)

    def _check_kind(self, spec: DriverModels, tag: TagConfig, address: Any, place: Place) -> None:
        try:
            kind = spec.kind(address).name
        except ValueError as error:
            self.problems.append(place(("address",), str(error)))
        else:
            self.problems += checks.numbers_only(tag, kind, place)


def read_profile(
    data: Any,
    config: ProfileConfig | None,
    place: Place,
    folder: Folder,
    drivers: NamedDrivers,
    problems: list[Problem],
) -> Profile:
    """Understand one profile; whatever is wrong beyond its own model goes to ``problems``.

    Args:
        data: the profile as read from YAML.
        config: the same validated; None if that failed, perhaps by another part of the file.
        place: where it stands.
        folder: for its point tables.
        drivers: the installed ones.
        problems: grows; the mistakes against :class:`ProfileConfig` are the caller's.
    """
    known = data if isinstance(data, dict) else {}
    name, driver = known.get("name"), known.get("driver")
    config = config or valid_or_none(ProfileConfig, data)
    profile = Profile(
        name if isinstance(name, str) else None,
        driver,
        place,
        folder,
        anchored(config, folder.path) if config else None,
        drivers.find(driver, under(place, "driver"), problems),
        problems,
    )
    groups = known.get("groups")
    if isinstance(groups, list):
        _read_groups(profile, groups)
    if not profile.wanted():
        profile.groups({})  # finds wrong addresses of profiles that no device uses
    return profile


def _read_groups(profile: Profile, groups: list[Any]) -> None:
    at = under(profile.place, "groups")
    tags: list[TagSource] = []
    for position, data in enumerate(groups):
        if isinstance(data, dict):
            whole = profile.config
            config = whole.groups[position] if whole else valid_or_none(GroupConfig, data)
            found = _read_group(profile, data, config, under(at, position))
            tags += found
            profile.sources.append(GroupSource(config, tuple(found)))
    profile.problems += checks.repeated(_names(groups), at, "in this profile")
    profile.problems += checks.repeated_tags(
        (tag.config, tag.place) for tag in tags if tag.config is not None
    )


def _read_group(
    profile: Profile, data: dict[str, Any], config: GroupConfig | None, place: Place
) -> list[TagSource]:
    inline = data.get("tags")
    tags = [
        TagSource(tag, under(place, "tags", position), _tag_config(config, position, tag))
        for position, tag in enumerate(inline if isinstance(inline, list) else [])
        if isinstance(tag, dict)
    ]
    for row in _rows(profile, data, place):
        tag = validate(TagConfig, row.data, row.problem, profile.problems)
        tags.append(TagSource(row.data, row.problem, tag))
    if not inline and not data.get("tags_file"):
        message = "the group has no tags; give 'tags' or 'tags_file'"
        profile.problems.append(place((), message))
    if profile.spec is not None:
        profile.problems += checks.mode_allowed(
            data.get("mode"), profile.spec.modes, str(profile.driver), place
        )
    return tags


def _tag_config(group: GroupConfig | None, position: int, data: Any) -> TagConfig | None:
    return group.tags[position] if group else valid_or_none(TagConfig, data)


def _rows(profile: Profile, data: dict[str, Any], place: Place) -> list[TagRow]:
    file = data.get("tags_file")
    if not isinstance(file, str) or profile.spec is None:
        return []
    path, shown = profile.folder.find(file)
    try:
        table = PointTable(path, shown, *_choice(data))
        return read_point_table(table, words_for(profile.spec.address), profile.problems)
    except ConfigError as error:
        profile.problems += problems_of_file(error, shown, place, ("tags_file",))
        return []


def _choice(data: dict[str, Any]) -> tuple[str | None, int | None]:
    """Sheet and header row as written; what is mistyped is reported with the group."""
    sheet, row = data.get("tags_sheet"), data.get("tags_header_row")
    return sheet if isinstance(sheet, str) else None, row if isinstance(row, int) else None


def _names(items: list[Any]) -> Iterator[tuple[str, Loc]]:
    for position, item in enumerate(items):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            yield item["name"], (position, "name")


def _no_such(name: str) -> str:
    return f"no tag of this profile holds {name!r}; write it as the address does, as in 'uint16'"


def problems_of_file(error: ConfigError, shown: str, place: Place, loc: Loc) -> list[Problem]:
    """The problems of a file; one with the file as a whole stands where the file is named."""
    return [
        problem if problem.line else place(loc, f"{shown} {problem.message}")
        for problem in error.problems
    ]
