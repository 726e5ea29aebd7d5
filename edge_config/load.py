"""From files to a configuration that is right, or to every mistake in it at once."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from edge_config.base import StrictModel
from edge_config.city import CityConfig
from edge_config.document import Document, read_document
from edge_config.gateway import DeviceConfig, GatewayConfig, ProfileConfig
from edge_config.paths import anchored
from edge_config.point_table import read_point_table
from edge_config.problems import ConfigError, Problem
from edge_config.resolve import ProfileSource, Resolver, unknown_driver
from edge_config.resolved import LoadedGateway
from edge_config.validate import validate

BUILT_IN_PROFILES = Path(__file__).parent / "profiles"

M = TypeVar("M", bound=BaseModel)


class DriverModels(Protocol):
    """What the loader needs of a driver; ``gateway.drivers.api.DriverSpec`` has it."""

    @property
    def connection(self) -> type[StrictModel]:
        """Model of ``connection:``."""

    @property
    def address(self) -> type[StrictModel]:
        """Model of ``address:``."""

    @property
    def modes(self) -> tuple[Any, ...]:
        """Modes a group may have; the first is the default."""

    @property
    def kind(self) -> Callable[[Any], Any]:
        """Raw kind of an address."""


def load_city(path: Path) -> CityConfig:
    """Read the configuration of a city; relative paths become absolute.

    Raises:
        ConfigError: with every mistake.
    """
    return anchored(_whole(CityConfig, read_document(path)), path.resolve().parent)


def load_gateway(path: Path, specs: Mapping[str, DriverModels]) -> LoadedGateway:
    """Read the configuration of an edge with its profiles and point tables.

    Args:
        path: the YAML file.
        specs: drivers by name; only those named in the configuration are looked up.

    Raises:
        ConfigError: with every mistake in all files.
    """
    document = read_document(path)
    config, problems = validate(GatewayConfig, document)
    if config is None:
        raise ConfigError([*problems, *_known_drivers(document, specs)])
    folder = path.resolve().parent
    config = anchored(config, folder)
    profiles, problems = _profiles(config, document)
    resolver = Resolver(specs, profiles, read_point_table)
    devices = tuple(resolver.devices(config.devices, document))
    problems += resolver.problems
    if problems:
        raise ConfigError(problems)
    return LoadedGateway(config, tuple(device for device in devices if device is not None))


def _whole(model: type[M], document: Document) -> M:
    value, problems = validate(model, document)
    if value is None:
        raise ConfigError(problems)
    return value


def _known_drivers(document: Document, specs: Mapping[str, DriverModels]) -> Iterator[Problem]:
    """Wrong driver names, found even when the rest of the file has other mistakes."""
    data = document.data if isinstance(document.data, dict) else {}
    for section in ("devices", "profiles"):
        items = data.get(section)
        for index, item in enumerate(items if isinstance(items, list) else []):
            name = item.get("driver") if isinstance(item, dict) else None
            if isinstance(name, str) and name not in specs:
                location = (section, index, "driver")
                yield document.problem(location, unknown_driver(name, specs))


def _profiles(
    config: GatewayConfig, document: Document
) -> tuple[dict[str, ProfileSource], list[Problem]]:
    found: dict[str, ProfileSource] = {}
    problems: list[Problem] = []
    for index, profile in enumerate(config.profiles):
        source = ProfileSource(profile, document, ("profiles", index))
        _add_profile(found, source, problems)
    for file in config.profile_files:
        try:
            read = read_document(file)
        except ConfigError as error:
            problems += error.problems
            continue
        profile_model, mistakes = validate(ProfileConfig, read)
        problems += mistakes
        if profile_model is not None:
            profile = anchored(profile_model, file.resolve().parent)
            _add_profile(found, ProfileSource(profile, read, ()), problems)
    _add_built_in(found, config.devices)
    return found, problems


def _add_profile(
    found: dict[str, ProfileSource], source: ProfileSource, problems: list[Problem]
) -> None:
    name = source.profile.name
    if name in found:
        other = found[name].document.file
        message = f"profile {name!r} is defined twice, first in {other}"
        problems.append(source.document.problem((*source.at, "name"), message))
    else:
        found[name] = source


def _add_built_in(found: dict[str, ProfileSource], devices: tuple[DeviceConfig, ...]) -> None:
    for name in {device.profile for device in devices} - found.keys():
        file = BUILT_IN_PROFILES / f"{name}.yaml"
        if file.is_file():
            document = read_document(file)
            profile = anchored(_whole(ProfileConfig, document), file.parent)
            found[name] = ProfileSource(profile, document, ())


def built_in_profile_names() -> list[str]:
    """Names of the profiles that come with the product."""
    return sorted(path.stem for path in BUILT_IN_PROFILES.glob("*.yaml"))
