"""Load and check a whole configuration; every mistake is reported at once, with its line.

Nothing is opened but the configuration itself: profile files and point tables. Whether a secret,
a certificate or a folder exists is found out where the configuration runs. A ``timeout_ms``
above a group's ``interval_ms`` is allowed: a slow answer then costs ticks, which are counted as
skipped, and the defaults of both are meant to be so.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_config.files.document import Document
from edge_config.files.paths import Folder, anchored
from edge_config.files.yaml_file import read_document
from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.library import BUILT_IN, Library
from edge_config.loading.links import contradictions, doubts, overloads, shared_links
from edge_config.loading.parameters import mismatch
from edge_config.loading.profile_file import Profile, read_profile
from edge_config.loading.resolved import LoadedGateway, ResolvedDevice, ResolvedGroup
from edge_config.loading.site import demand_site
from edge_config.loading.specs import DriverModels
from edge_config.mistakes import capacity, checks
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, Place, Problem, hint, under
from edge_config.models.city import CityConfig, EmbeddedNode, EmbeddedStore
from edge_config.models.gateway import DeviceConfig, GatewayConfig
from edge_config.models.identifiers.node import NodeConfig
from edge_config.models.validation import valid_or_none

__all__ = ["ConfigError", "load_city", "load_gateway", "load_node", "load_untagged"]


def load_gateway(
    path: Path, specs: Mapping[str, DriverModels], built_in: Path = BUILT_IN
) -> LoadedGateway:
    """Load an edge's configuration.

    Args:
        path: the YAML file; messages call it as it is written here.
        specs: installed drivers by name; only those named in the configuration are looked up.
        built_in: folder of the profiles that need not be listed.

    Raises:
        ConfigError: with every mistake of the file, its profiles and its point tables.
    """
    document = read_document(path)
    demand_site(document, "gateway")
    loading = _Loading(document, Folder(path.parent.absolute(), path.parent), specs, built_in)
    return loading.result()


def load_untagged(
    path: Path, specs: Mapping[str, DriverModels], device: str
) -> tuple[DeviceConfig, Any]:
    """How one device of an edge's configuration is reached, whatever else is not finished there.

    Returns:
        What was written of it, and its connection, an instance of the driver's model. Neither its
        profile nor other devices are looked at.

    Raises:
        ConfigError: there is no such device, or with every mistake of what is written of it.
    """
    document = read_document(path)
    demand_site(document, "gateway")
    loading = _Loading(document, Folder(path.parent.absolute(), path.parent), specs, BUILT_IN)
    return loading.untagged(device)


def load_city(path: Path) -> CityConfig:
    """Load a city's configuration.

    Relative paths are relative to the file; those of the embedded store, node and the records
    that were resolved to ``data_dir``.

    Raises:
        ConfigError: with every mistake of the file.
    """
    document = read_document(path)
    demand_site(document, "city")
    problems = document.problems
    config = validate(CityConfig, document.data, document.problem, problems)
    if config is None or problems:
        raise ConfigError(problems)
    return _city_paths(config, path.parent.absolute())


def _city_paths(config: CityConfig, folder: Path) -> CityConfig:
    data_dir = folder / config.data_dir
    inside: dict[str, Any] = {
        key: anchored(part, data_dir)
        for key, part in (("store", config.store), ("node", config.node))
        if isinstance(part, EmbeddedStore | EmbeddedNode)
    }
    # Its sources have files as well, of secrets and of TLS, which lie beside the configuration.
    inside["resolver"] = replace(config.resolver, path=data_dir / config.resolver.path)
    return anchored(replace(config, **inside), folder)


def load_node(path: Path) -> NodeConfig:
    """Load the configuration of a node of identifiers; relative paths are relative to the file.

    Raises:
        ConfigError: with every mistake of the file.
    """
    document = read_document(path)
    demand_site(document, "prefix")
    problems = document.problems
    config = validate(NodeConfig, document.data, document.problem, problems)
    if config is None or problems:
        raise ConfigError(problems)
    return anchored(config, path.parent.absolute())


class _Loading:
    """One gateway's configuration on its way; the order of the methods is the order of work."""

    def __init__(
        self,
        document: Document,
        folder: Folder,
        specs: Mapping[str, DriverModels],
        built_in: Path,
    ) -> None:
        self.document = document
        self.folder = folder
        self.problems = document.problems
        self.drivers = NamedDrivers(specs)
        self.library = Library(self.drivers, self.problems, built_in)

    def result(self) -> LoadedGateway:
        place = self.document.problem
        inner = self.drivers.inner([*self._items("devices"), *self._items("profiles")])
        config = validate(GatewayConfig, self.document.data, place, self.problems, inner)
        self._inline_profiles(config)
        self._profile_files()
        devices = self._devices()
        at = under(place, "devices")
        # A gateway that sends nothing to a city need not fit into one.
        if config is not None and config.northbound:
            most = min(one.max_frame_bytes for one in config.northbound)
            self.problems += capacity.refused_by_city(devices, at, most)
        if self.problems or config is None:
            raise ConfigError(self.problems)
        links = shared_links(devices, self.drivers, at)
        warnings = (
            *self.library.warnings(),
            *capacity.counted_twice(devices, self._unit, at),
            *doubts(links, at),
        )
        built = tuple(device for _, device in devices)
        whole = anchored(config, self.folder.path)
        return LoadedGateway(whole, built, warnings, tuple(overloads(links, at)))

    def _unit(self, device: ResolvedDevice) -> Hashable:
        spec = self.drivers.find(device.config.driver, self.document.problem, [])
        return spec.unit(device.connection) if spec is not None else repr(device.connection)

    def untagged(self, device: str) -> tuple[DeviceConfig, Any]:
        at = under(self.document.problem, "devices")
        for position, data in enumerate(self._items("devices")):
            if isinstance(data, dict) and data.get("id") == device:
                place = under(at, position)
                config = validate(DeviceConfig, data, place, self.problems)
                connection = self._connection(data, config, place)
                if self.problems or config is None:
                    raise ConfigError(self.problems)
                return config, connection
        raise ConfigError([at((), f"there is no device {device!r}")])

    def _items(self, key: str) -> list[Any]:
        data = self.document.data
        items = data.get(key) if isinstance(data, dict) else None
        return items if isinstance(items, list) else []

    def _inline_profiles(self, config: GatewayConfig | None) -> None:
        for position, data in enumerate(self._items("profiles")):
            at = under(self.document.problem, "profiles", position)
            known = config.profiles[position] if config else None
            profile = read_profile(data, known, at, self.folder, self.drivers, self.problems)
            self.library.add(profile)

    def _profile_files(self) -> None:
        for position, file in enumerate(self._items("profile_files")):
            if isinstance(file, str):
                at = under(self.document.problem, "profile_files", position)
                self.library.add_file(file, self.folder, at)

    def _devices(self) -> list[capacity.Positioned]:
        raw = self._items("devices")
        at = under(self.document.problem, "devices")
        ids = [
            (device["id"], (position, "id"))
            for position, device in enumerate(raw)
            if isinstance(device, dict) and isinstance(device.get("id"), str)
        ]
        self.problems += checks.repeated(ids, at, "as a device's id")
        built = [
            (position, self._device(device, under(at, position)))
            for position, device in enumerate(raw)
            if isinstance(device, dict)
        ]
        devices = [(position, device) for position, device in built if device is not None]
        self.problems += contradictions(shared_links(devices, self.drivers, at), at)
        return devices

    def _device(self, data: dict[str, Any], place: Place) -> ResolvedDevice | None:
        # Its mistakes are told already, as those of a part of the whole.
        config = valid_or_none(DeviceConfig, data)
        connection = self._connection(data, config, place)
        profile = self._profile(data, place)
        if config is None or profile is None:
            return None
        wanted = profile.wanted()
        self.problems += mismatch(wanted, config.parameters, config.profile, place)
        if wanted - config.parameters.keys():
            return None
        groups = profile.groups(config.parameters if wanted else {})
        self.problems += checks.shared_machine(config.asset_no, groups, place)
        if connection is None or profile.config is None:
            return None
        self.problems += self._strays(data, connection, groups, place)
        config = replace(config, connection=connection)
        return ResolvedDevice(config, connection, profile.config, groups)

    def _connection(self, data: dict[str, Any], device: DeviceConfig | None, place: Place) -> Any:
        spec = self.drivers.find(data.get("driver"), under(place, "driver"), self.problems)
        if spec is None or "connection" not in data:
            return None
        at = under(place, "connection")
        connection = validate(spec.connection, data["connection"], at, self.problems)
        if connection is None:
            return None
        if device is not None:
            wrong = spec.misfits(connection, device)
            self.problems += [at((key,), message) for key, message in wrong]
        return anchored(connection, self.folder.path)

    def _strays(
        self, data: dict[str, Any], connection: Any, groups: Sequence[ResolvedGroup], place: Place
    ) -> Iterator[Problem]:
        """Tags of the profile that contradict the device's connection."""
        spec = self.drivers.find(data.get("driver"), place, [])
        for tag in (tag for group in groups for tag in group.tags):
            said = spec.strays(connection, tag.address) if spec is not None else ""
            if said:
                yield place(("profile",), f"tag {tag.config.name!r} ({tag.address}) {said}")

    def _profile(self, data: dict[str, Any], place: Place) -> Profile | None:
        name, driver = data.get("profile"), data.get("driver")
        if not isinstance(name, str):
            return None
        at = under(place, "profile")
        profile = self.library.find(name, at)
        if profile is None:
            message = f"there is no profile {name!r}{hint(name, self.library.names())}"
            self.problems.append(at((), message))
            return None
        if profile.spec is not None and self._is_installed(driver) and driver != profile.driver:
            message = f"profile {name!r} is for driver {profile.driver!r}, not {driver!r}"
            self.problems.append(at((), message))
        return profile

    def _is_installed(self, driver: object) -> bool:
        return isinstance(driver, str) and driver in self.drivers
