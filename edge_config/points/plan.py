"""An import from the table to the files that it writes; nothing is written here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice, ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.problems import ConfigError, Problem
from edge_config.points.changes import Changes, OnConflict, compare
from edge_config.points.importing import Files, files_for
from edge_config.points.incoming import Groups, read_table, sheets_for
from edge_config.points.place import home_of

MOST_NAMES = 8
"""Names, and changes, that a summary lists; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import will do.

    Attributes:
        device: whose tags change.
        sharers: other devices that have the same profile, and so the same tags.
        changes: by group.
        warnings: what the table says that is allowed, but hardly meant.
        on_conflict: see :data:`OnConflict`.
        delete_missing: whether tags go that the table lacks.
    """

    device: ResolvedDevice
    sharers: tuple[str, ...]
    changes: tuple[Changes, ...]
    warnings: tuple[Problem, ...]
    on_conflict: OnConflict
    delete_missing: bool

    @property
    def is_refused(self) -> bool:
        """Whether there are conflicts that nobody has decided."""
        return self.on_conflict == "refuse" and any(one.conflicts for one in self.changes)

    def groups(self) -> Groups:
        """All tags of the groups that change."""
        rule = self.on_conflict, self.delete_missing
        old = {group.name: group.tags for group in self.device.groups}
        return {
            one.group: one.result(old[one.group], *rule)
            for one in self.changes
            if not one.is_idle(*rule)
        }

    def files(self, config: Path, driver: DriverModels) -> Files:
        """What is to be written; nothing if nothing changes.

        Raises:
            ConfigError: a program cannot write it; it says why and what to do.
        """
        groups = self.groups()
        if not groups:
            return {}
        name = self.device.config.profile
        home = home_of(name, config)
        if home is None:
            said = (
                f"profile {name!r} comes with the product and is not written: copy it into a "
                "profile of your own, name its file in 'profile_files', and import there"
            )
            raise ConfigError([Problem(str(config), said)])
        return files_for(groups, home, self.device, driver)

    def demand_held(self, gateway: LoadedGateway) -> None:
        """Compare the configuration, read anew, with what was meant to be written.

        Raises:
            ConfigError: it says something else, with the first tag of which it does.
        """
        device = next(one for one in gateway.devices if one.config.id == self.device.config.id)
        written = {group.name: group.tags for group in device.groups}
        for name, tags in self.groups().items():
            found = compare(name, tags, written[name])
            others = [*map(str, found.conflicts), *map(_name, (*found.missing, *found.created))]
            if others:
                said = f"would not be read as it was meant: {others[0]}; nothing was written"
                raise ConfigError([Problem(f"group {name}", said)])

    def words(self) -> Iterator[str]:
        """What it will create, change, leave and delete, a line each."""
        for one in self.changes:
            shared = f", shared with {', '.join(self.sharers)}" if self.sharers else ""
            yield f"group {one.group} of profile {self.device.config.profile}{shared}"
            yield f"  create {_named([tag.config.name for tag in one.created])}"
            verb = {"refuse": "conflict", "replace": "change", "keep": "keep"}[self.on_conflict]
            yield f"  {verb} {len(one.conflicts)}"
            yield from (f"    {conflict}" for conflict in one.conflicts[:MOST_NAMES])
            if len(one.conflicts) > MOST_NAMES:
                yield f"    and {len(one.conflicts) - MOST_NAMES:,} more"
            yield f"  leave {len(one.left):,}"
            names = [tag.config.name for tag in one.missing]
            if self.delete_missing or not names:
                yield f"  delete {_named(names)}"
            else:
                yield f"  not in the table {_named(names)} (--delete-missing deletes them)"


def plan_import(
    table: Path,
    gateway: LoadedGateway,
    device: ResolvedDevice,
    specs: Mapping[str, DriverModels],
    group: str | None,
    on_conflict: OnConflict,
    delete_missing: bool,
) -> ImportPlan:
    """Read a table and compare it with the tags of a device.

    Raises:
        ConfigError: with every mistake of the table.
    """
    old = {part.name: part.tags for part in device.groups}
    sheets = sheets_for(table, list(old), group)
    found, warnings = read_table(table, sheets, device.config.driver, specs, device)
    return ImportPlan(
        device,
        tuple(
            one.config.id
            for one in gateway.devices
            if one.config.profile == device.config.profile and one.config.id != device.config.id
        ),
        tuple(compare(name, old[name], tags) for name, tags in found.items()),
        tuple(warnings),
        on_conflict,
        delete_missing,
    )


def _name(tag: ResolvedTag) -> str:
    return tag.config.name


def _named(names: list[str]) -> str:
    if not names:
        return "0"
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return f"{len(names):,}: {', '.join(names[:MOST_NAMES])}{more}"
