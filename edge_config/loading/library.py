"""The machine profiles that devices can name, gathered from three places.

A profile is looked for in the configuration, then in its ``profile_files``, then among those
that come with the product.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_config.files.document import Document
from edge_config.files.paths import Folder
from edge_config.files.yaml_file import read_document
from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.profile_file import Profile, problems_of_file, read_profile
from edge_config.mistakes import checks
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, Place, Problem
from edge_config.models.gateway import ProfileConfig

BUILT_IN = Path(__file__).parent.parent / "profiles"
"""Profiles that come with the product; a file is called as its profile."""


def built_in_names(folder: Path = BUILT_IN) -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(file.stem for file in folder.glob("*.yaml"))


@dataclass(slots=True)
class Library:
    """Profiles by name.

    Attributes:
        drivers: the installed ones.
        problems: of the whole configuration; grows.
        built_in: folder of the profiles that need not be listed.
    """

    drivers: NamedDrivers
    problems: list[Problem]
    built_in: Path = BUILT_IN
    _known: dict[str, Profile] = field(default_factory=dict)

    def add(self, profile: Profile) -> None:
        """Make a profile known; a second one of the same name is a problem."""
        if profile.name is None:
            return
        first = self._known.setdefault(profile.name, profile)
        if first is not profile:
            here = profile.place(("name",), "")
            at = checks.where(first.place(("name",), ""), here)
            message = f"profile {profile.name!r} is defined twice; first {at}"
            self.problems.append(profile.place(("name",), message))

    def add_file(self, file: str, folder: Folder, place: Place) -> None:
        """Add the profile of a file of its own.

        Args:
            file: as written.
            folder: of the file that names it.
            place: where it is named.
        """
        path, shown = folder.find(file)
        try:
            document = read_document(path, shown)
        except ConfigError as error:
            self.problems += problems_of_file(error, shown, place, ())
        else:
            self._add_document(document, Folder(path.parent, Path(shown).parent))

    def _add_document(self, document: Document, folder: Folder) -> None:
        self.problems += document.problems
        at = document.problem
        inner = self.drivers.inner([document.data])
        config = validate(ProfileConfig, document.data, at, self.problems, inner)
        self.add(read_profile(document.data, config, at, folder, self.drivers, self.problems))

    def find(self, name: str, place: Place) -> Profile | None:
        """The profile that a device names at ``place``; None if there is none."""
        # Read when it is named: dozens come with the product, and a plant uses a few.
        if name not in self._known and name in built_in_names(self.built_in):
            self.add_file(f"{name}.yaml", Folder(self.built_in, self.built_in), place)
        return self._known.get(name)

    def warnings(self) -> Iterator[Problem]:
        """What profiles say that is allowed, but hardly meant; once they are resolved."""
        for profile in self._known.values():
            yield from profile.warnings()

    def names(self) -> list[str]:
        """Every name that :meth:`find` knows."""
        return [*self._known, *built_in_names(self.built_in)]
