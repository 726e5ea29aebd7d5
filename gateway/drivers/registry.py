"""Find drivers by entry point; none is imported before it is asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from gateway.drivers.spec import ENTRY_POINT_GROUP, DriverSpec


class Registry(Mapping[str, DriverSpec]):
    """Installed drivers by name. A driver's ``SPEC`` is loaded when it is first looked up."""

    def __init__(self) -> None:
        self._points: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=ENTRY_POINT_GROUP):
            self._points.setdefault(point.name, []).append(point)
        self._specs: dict[str, DriverSpec] = {}

    def __getitem__(self, name: str) -> DriverSpec:
        """The driver's ``SPEC``.

        Raises:
            KeyError: no such driver is installed.
            ImportError: its package is broken, or two packages bring a driver of this name.
            TypeError: what the entry point names is no ``SPEC`` of that driver.
        """
        if name not in self._specs:
            self._specs[name] = self._load(name)
        return self._specs[name]

    def _load(self, name: str) -> DriverSpec:
        point, *others = self._points[name]
        if others:
            packages = " and ".join(sorted(p.dist.name for p in (point, *others) if p.dist))
            raise ImportError(f"driver {name!r} comes from both {packages}; uninstall one")
        spec = _loaded(point)
        if not isinstance(spec, DriverSpec):
            raise TypeError(f"entry point {name!r} of {ENTRY_POINT_GROUP} is no DriverSpec")
        if spec.name != name:
            raise TypeError(f"the driver at entry point {name!r} calls itself {spec.name!r}")
        return spec

    def reference(self, name: str) -> str:
        """Where the ``SPEC`` of an installed driver is, as ``package.module:SPEC``."""
        return self._points[name][0].value

    def __contains__(self, name: object) -> bool:
        return name in self._points

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._points))

    def __len__(self) -> int:
        return len(self._points)


def _loaded(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:  # whatever a foreign package raises when it is imported
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "its package"
        raise ImportError(
            f"{package} is broken ({type(error).__name__}: {error}); reinstall or uninstall it"
        ) from error


@cache
def installed() -> Registry:
    """The drivers installed in this environment."""
    return Registry()


def searchers() -> dict[str, DriverSpec]:
    """The installed drivers that can look for devices; `qulink drivers` says what is broken."""
    found = {}
    for name in installed():
        try:
            spec = installed()[name]
        except (ImportError, TypeError):
            continue
        if spec.search is not None and spec.search.probe is not None:
            found[name] = spec
    return found
