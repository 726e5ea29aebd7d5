"""The drivers that a configuration names, each looked up once and only when named."""

from collections.abc import Mapping

from edge_config.problems import Place, Problem, hint
from edge_config.specs import DriverModels


class NamedDrivers:
    """Drivers by the word after ``driver:``."""

    def __init__(self, specs: Mapping[str, DriverModels]) -> None:
        self._specs = specs

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def find(self, name: object, place: Place, problems: list[Problem]) -> DriverModels | None:
        """The driver's models, or None with the reason appended to ``problems``.

        Args:
            name: what is written after ``driver:``; anything but text was refused elsewhere.
            place: where it is written.
            problems: grows by at most one.
        """
        if not isinstance(name, str):
            return None
        if name not in self._specs:
            known = ", ".join(sorted(self._specs)) or "none"
            message = f"no driver {name!r} is installed (there are: {known})"
            problems.append(place((), f"{message}{hint(name, self._specs)}"))
            return None
        return self._load(name, place, problems)

    def _load(self, name: str, place: Place, problems: list[Problem]) -> DriverModels | None:
        try:
            return self._specs[name]
        except (ImportError, AttributeError, TypeError) as error:
            problems.append(place((), f"driver {name!r} cannot be loaded: {error}"))
            return None
