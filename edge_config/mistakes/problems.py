"""What is wrong with a configuration: one problem, and the error that carries all of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

Loc = tuple[int | str, ...]
"""Keys and indexes from the top of a file to a value, as pydantic gives them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, with the place to correct it.

    Attributes:
        file: the file as the operator named it.
        message: what is wrong and, if known, what was meant.
        line: line of a YAML file, or row of a point table (the header is row 1); 0 if the
            problem has none.
        path: keys from the top to the value (``devices.0.connection.host``), or the column of a
            point table.
        table: True for a point table.
    """

    file: str
    message: str
    line: int = 0
    path: str = ""
    table: bool = False

    def __str__(self) -> str:
        if not self.line:
            return f"{self.file}: {self.message}"
        if self.table:
            column = f", column {self.path}" if self.path else ""
            return f"{self.file}:row {self.line}{column}: {self.message}"
        path = f" {self.path}:" if self.path else ""
        return f"{self.file}:{self.line}:{path} {self.message}"


Place = Callable[[Loc, str], Problem]
"""Makes a problem of a message about the value at a location."""


class ConfigError(Exception):
    """A configuration that cannot be used.

    Attributes:
        problems: every mistake that was found, by file and line.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(dict.fromkeys(problems))
        files = {problem.file: place for place, problem in reversed(list(enumerate(found)))}
        self.problems = tuple(sorted(found, key=lambda one: (files[one.file], one.line)))
        super().__init__("\n".join(map(str, self.problems)))


def under(place: Place, *prefix: int | str) -> Place:
    """A place whose locations begin at ``prefix`` of another one."""
    return lambda loc, message: place((*prefix, *loc), message)


def in_words(place: Place, ending: str) -> Place:
    """A place whose messages end with the same words."""
    return lambda loc, message: place(loc, f"{message}{ending}")


def hint(given: object, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` if one of ``known`` looks like ``given``, whatever its case."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(str(given).casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""


MOST_LISTED = 20
"""Of names that a sentence lists; the rest is counted."""


def no_device(device: str, known: Iterable[str]) -> str:
    """That a configuration has no such device, which may be meant, and which there are."""
    ids = list(known)
    more = f" and {len(ids) - MOST_LISTED} more" if len(ids) > MOST_LISTED else ""
    listed = ", ".join(ids[:MOST_LISTED]) or "none"
    return f"there is no device {device!r}{hint(device, ids)}; known: {listed}{more}"


def one_of(names: Iterable[str]) -> str:
    """``'a', 'b' or 'c'``."""
    *most, last = (repr(name) for name in names)
    return f"{', '.join(most)} or {last}" if most else last
