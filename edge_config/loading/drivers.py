"""The drivers that a configuration names, each looked up once and only when named."""

from collections.abc import Iterable, Mapping

from edge_config.loading.specs import DriverModels
from edge_config.mistakes.key_hints import DriverKeys
from edge_config.mistakes.problems import Loc, Place, Problem, hint
from edge_config.mistakes.shape import declared


class NamedDrivers:
    """Drivers by the word after ``driver:``."""

    def __init__(self, specs: Mapping[str, DriverModels]) -> None:
        self._specs = specs

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def find(self, name: object, place: Place, problems: list[Problem]) -> DriverModels | None:
        """The driver's models, or None; a reason is appended to ``problems``.

        A name that is wrong in its case only is a problem, but its driver is clear, so that the
        rest of the device is checked as well.

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
            # ``Modbus`` is wrong, but it is clear what is meant, and the rest can be checked.
            name = name.lower()
            if name not in self._specs:
                return None
        return self._load(name, place, problems)

    def inner(self, parts: Iterable[object]) -> DriverKeys:
        """Keys that the drivers of devices and profiles know where the contents are theirs.

        Args:
            parts: devices and profiles as read from a file; drivers unknown are passed over.
        """
        named = (part.get("driver") for part in parts if isinstance(part, dict))
        words = {word for word in named if isinstance(word, str)}
        found = [self.find(word, _unsaid, []) for word in words]
        specs = [spec for spec in found if spec is not None]
        return {
            "connection": {key for spec in specs for key in declared(spec.connection)},
            "address": {key for spec in specs for key in declared(spec.address)},
        }

    def _load(self, name: str, place: Place, problems: list[Problem]) -> DriverModels | None:
        try:
            return self._specs[name]
        except (ImportError, TypeError) as error:
            problems.append(place((), f"driver {name!r} cannot be loaded: {error}"))
            return None


def _unsaid(_loc: Loc, message: str) -> Problem:
    """A place for problems that are told elsewhere."""
    return Problem("", message)
