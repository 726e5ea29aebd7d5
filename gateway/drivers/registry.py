"""Find drivers by entry point; none is imported before it is asked for."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from gateway.drivers.api import ENTRY_POINT_GROUP, DriverSpec


class Registry(Mapping[str, DriverSpec]):
    """Installed drivers by name. A driver's ``SPEC`` is loaded when it is first looked up."""

    def __init__(self) -> None:
        found = entry_points(group=ENTRY_POINT_GROUP)
        self._points: dict[str, EntryPoint] = {point.name: point for point in found}
        self._specs: dict[str, DriverSpec] = {}

    def __getitem__(self, name: str) -> DriverSpec:
        if name not in self._specs:
            self._specs[name] = self._load(name)
        return self._specs[name]

    def _load(self, name: str) -> DriverSpec:
        spec = self._points[name].load()
        if not isinstance(spec, DriverSpec):
            raise TypeError(f"entry point {name!r} of {ENTRY_POINT_GROUP} is no DriverSpec")
        return spec

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._points))

    def __len__(self) -> int:
        return len(self._points)


@cache
def installed() -> Registry:
    """The drivers installed in this environment."""
    return Registry()
