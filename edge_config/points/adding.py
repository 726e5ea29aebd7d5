"""One more tag for a device that is configured."""

from pathlib import Path
from typing import Any

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, Loc, Problem, one_of
from edge_config.models.tag import TagConfig
from edge_config.points.changes import Changes
from edge_config.points.plan import ImportPlan


def new_tag(keys: dict[str, Any], address: Any, text: str) -> ResolvedTag:
    """A tag of plain keys and an address that its driver has made.

    Args:
        keys: of the tag, without the address.
        address: the driver's.
        text: how that is written in the notation of the tag's profile.

    Raises:
        ConfigError: with every mistake of the keys.
    """
    problems: list[Problem] = []

    def place(loc: Loc, message: str) -> Problem:
        return Problem(" ".join(map(str, loc)) or "tag", message)

    config = validate(TagConfig, {**keys, "address": text}, place, problems)
    if config is None:
        raise ConfigError(problems)
    return ResolvedTag(config, address)


def plan_with(
    tag: ResolvedTag, group: str | None, device: ResolvedDevice, config: Path
) -> ImportPlan:
    """What makes a group of a device have one more tag.

    Raises:
        ConfigError: the device has such a tag, or several groups and none is named.
    """
    names = [one.name for one in device.groups]
    if group is None and len(names) > 1:
        said = f"{device.config.id} has the groups {one_of(names)}; say --group"
        raise ConfigError([Problem(str(config), said)])
    found = next((one for one in device.groups if one.name == (group or names[0])), None)
    if found is None:
        said = f"{device.config.id} has no group {group!r}; it has {one_of(names)}"
        raise ConfigError([Problem(str(config), said)])
    taken = {one.config.name for part in device.groups for one in part.tags}
    if tag.config.name in taken:
        said = f"{device.config.id} has a tag {tag.config.name!r} already; choose another name"
        raise ConfigError([Problem(str(config), said)])
    changes = Changes(found.name, [tag], (), found.tags, ())
    return ImportPlan(device, (), (changes,), (), "refuse", delete_missing=False)
