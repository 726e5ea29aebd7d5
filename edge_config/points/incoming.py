"""Read a point table for a device, or for a driver alone, with every mistake by row and column."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_config.files.paths import Folder
from edge_config.files.point_table import LIMITS
from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.profile_file import read_profile
from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.problems import ConfigError, Loc, Problem, one_of
from edge_config.points.columns import sheet_title
from edge_config.tables.reading import read_sheets
from edge_config.tables.sheet import TableError

Groups = Mapping[str, Sequence[ResolvedTag]]
"""Tags by the name of their group."""

ALONE = "tags"
"""Name of the only group where a table is read for no device."""


def sheets_for(file: Path, groups: Sequence[str], group: str | None) -> dict[str, str | None]:
    """Which sheet holds the tags of which group; None: the one that looks like a point table.

    Args:
        file: the table.
        groups: of the device.
        group: the one that was asked for.

    Raises:
        ConfigError: nobody can tell which group the tags belong to.
    """
    if group is not None and group not in groups:
        said = f"the device has no group {group!r}; it has {one_of(groups)}"
        raise ConfigError([Problem(str(file), said)])
    if group is not None or len(groups) == 1:
        return {group or groups[0]: None}
    try:
        titles = {sheet.title for sheet in read_sheets(file, LIMITS)}
    except TableError as error:
        raise ConfigError([Problem(str(file), error.message, error.row, table=True)]) from error
    found = {name: sheet_title(name) for name in groups if sheet_title(name) in titles}
    if not found:
        said = f"the device has the groups {one_of(groups)}, and no sheet is called so; say --group"
        raise ConfigError([Problem(str(file), said)])
    return dict(found)


def read_table(
    file: Path,
    sheets: Mapping[str, str | None],
    driver: str,
    specs: Mapping[str, DriverModels],
    device: ResolvedDevice | None = None,
) -> tuple[Groups, Sequence[Problem]]:
    """The tags of a table, as the gateway would read them.

    Args:
        file: the table.
        sheets: which sheet holds the tags of which group.
        driver: name of the driver that the addresses are for.
        specs: installed drivers.
        device: whose parameters and notation count; None: there are none.

    Returns:
        The tags by group, and what is allowed but hardly meant.

    Raises:
        ConfigError: with every mistake of the table.
    """
    problems: list[Problem] = []

    def place(_loc: Loc, message: str) -> Problem:
        return Problem(str(file), message.removeprefix(f"{file} "))

    folder = Folder(file.parent.absolute(), file.parent)
    data = _profile_data(file, sheets, driver, device)
    profile = read_profile(data, None, place, folder, NamedDrivers(specs), problems)
    groups = profile.groups(device.config.parameters if device else {})
    if problems:
        raise ConfigError(problems)
    return {group.name: group.tags for group in groups}, tuple(profile.warnings())


def _profile_data(
    file: Path, sheets: Mapping[str, str | None], driver: str, device: ResolvedDevice | None
) -> dict[str, Any]:
    """A profile that says no more than where its tags stand."""
    groups = [
        {"name": name, "tags_file": file.name} | ({"tags_sheet": sheet} if sheet else {})
        for name, sheet in sheets.items()
    ]
    notation = device.profile.notation if device else None
    return {
        "name": "table",
        "driver": driver,
        "source": "controller",
        "groups": groups,
        **({"notation": notation} if notation else {}),
    }
