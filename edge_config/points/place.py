"""Where the tags of a device stand: which file, and where in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_config.files.document import Document
from edge_config.files.paths import Folder
from edge_config.files.yaml_file import read_document
from edge_config.loading.resolved import LoadedGateway, ResolvedDevice
from edge_config.mistakes.problems import ConfigError, Loc, Problem, no_device


@dataclass(frozen=True, slots=True)
class Home:
    """The file that a profile is written in.

    Attributes:
        path: the file.
        shown: how messages call it.
        document: its contents.
        loc: where in it the profile stands.
    """

    path: Path
    shown: str
    document: Document
    loc: Loc

    def group(self, name: str) -> tuple[Loc, dict[str, Any]]:
        """Where a group stands, and what is written there."""
        profile = self.document.data
        for step in self.loc:
            profile = profile[step]
        names = [group["name"] for group in profile["groups"]]
        at = names.index(name)
        return (*self.loc, "groups", at), profile["groups"][at]

    @property
    def folder(self) -> Folder:
        """Where files that it names are looked for."""
        return Folder(self.path.parent.absolute(), Path(self.shown).parent)


def device_named(gateway: LoadedGateway, name: str, file: Path) -> ResolvedDevice:
    """A device of a configuration.

    Raises:
        ConfigError: it has none of that id.
    """
    ids = [device.config.id for device in gateway.devices]
    if name not in ids:
        raise ConfigError([Problem(str(file), no_device(name, ids))])
    return gateway.devices[ids.index(name)]


def home_of(profile: str, config: Path) -> Home | None:
    """Where a profile is written; None: it comes with the product.

    Args:
        profile: its name, one that a device of the configuration has.
        config: a configuration without mistakes.
    """
    document = read_document(config)
    for at, data in enumerate(document.data.get("profiles") or ()):
        if data.get("name") == profile:
            return Home(config, str(config), document, ("profiles", at))
    folder = Folder(config.parent.absolute(), config.parent)
    for file in document.data.get("profile_files") or ():
        path, shown = folder.find(file)
        other = read_document(path, shown)
        if other.data.get("name") == profile:
            return Home(path, shown, other, ())
    return None
