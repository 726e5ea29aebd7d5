"""A configuration file as plain data that remembers the line of every key and item."""

import re
from dataclasses import dataclass, field
from typing import Any

from edge_config.mistakes.problems import Loc, Problem


@dataclass(slots=True)
class Document:
    """One YAML file.

    Attributes:
        name: the file as the operator named it, for messages.
        data: its contents as dict, list, str, int, float, bool and None.
        lines: for the ``id`` of each list and mapping in ``data``, the line of each index or key.
        problems: duplicate keys and the like; the data is usable for further checks.
    """

    name: str
    data: Any = None
    lines: dict[int, dict[int | str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, loc: Loc, message: str) -> Problem:
        """A problem with the value at ``loc``; the last step may be a key that is missing."""
        return Problem(self.name, message, self.line(loc), path_text(loc))

    def line(self, loc: Loc) -> int:
        """Line of the key or item at ``loc``, or of the nearest one around it."""
        # As far as the location leads: the last step may be missing, as a key that is required is.
        value, line = self.data, 1
        for step in loc:
            line = self.lines.get(id(value), {}).get(step, line)
            try:
                value = value[step]
            except (LookupError, TypeError):
                break
        return line


def path_text(loc: Loc) -> str:
    """Location in words: ``devices.0.id``; strange keys stand in quotes."""
    return ".".join(
        str(step) if isinstance(step, int) or re.fullmatch(r"[\w-]+", step) else repr(step)
        for step in loc
    )
