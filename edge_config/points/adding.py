"""One more tag for a device that is configured."""

from pathlib import Path
from typing import Any

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, Loc, Problem, one_of
from edge_config.models.tag import TagConfig
from edge_config.points.changes import Changes
from edge_config.points.importing import Files
from edge_config.points.plan import ImportPlan


def new_tag(keys: dict[str, Any], address: Any) -> ResolvedTag:
    """A tag of plain keys and an address that its driver has made.

    Raises:
        ConfigError: with every mistake of the keys.
    """
    problems: list[Problem] = []

    def place(loc: Loc, message: str) -> Problem:
        return Problem(" ".join(map(str, loc)) or "tag", message)

    config = validate(TagConfig, {**keys, "address": str(address)}, place, problems)
    if config is None:
        raise ConfigError(problems)
    return ResolvedTag(config, address)


def files_with(
    tag: ResolvedTag,
    group: str | None,
    device: ResolvedDevice,
    config: Path,
    driver: DriverModels,
) -> Files:
    """What is to be written so that a group of a device has one more tag.

    Raises:
        ConfigError: the device has such a tag, or several groups and none is named, or a program
            cannot write its profile.
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
    plan = ImportPlan(device, (), (changes,), (), "refuse", delete_missing=False)
    return plan.files(config, driver)
