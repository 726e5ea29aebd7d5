"""A YAML file as plain data that still knows the line of every key and item."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from edge_config.problems import ConfigError, Problem

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 500_000
"""Limit on the nodes after aliases are expanded: a small file cannot become a huge one."""

Location = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """Data of a file and the line of everything in it.

    Attributes:
        file: where it came from.
        data: plain Python data.
        lines: line, from 1, of each key or item by its location.
    """

    file: Path
    data: Any
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, location: Location) -> int:
        """Line of a location, or of the nearest one above it that exists."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, location: Location, message: str) -> Problem:
        """A problem at a location of this file."""
        path = ".".join(str(part) for part in location)
        return Problem(self.file, self.line(location), path, message)


def read_document(file: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigError: unreadable, too large, not UTF-8, not YAML, or a key stands twice.
    """
    text = _read_text(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise ConfigError([Problem(file, line, "", f"not YAML: {_sentence(error)}")]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError([Problem(file, 0, "", f"not YAML: {_one_line(error)}")]) from error
    builder = _Builder(file)
    document = Document(file, builder.build(node, ()) if node else None, builder.lines)
    if builder.problems:
        raise ConfigError(builder.problems)
    return document


def _read_text(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ConfigError([Problem(file, 0, "", f"larger than {MAX_BYTES} bytes")])
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Problem(file, 0, "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = "is not UTF-8 here; save the file as UTF-8"
        raise ConfigError([Problem(file, line, "", message)]) from error


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return ", ".join(parts) or "syntax error"


def _one_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(error).split())


class _Builder:
    """Turns nodes into data, noting lines and double keys."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self._scalars = yaml.SafeLoader("")
        self._nodes = 0
        self._open: set[int] = set()

    def build(self, node: yaml.Node, at: Location) -> Any:
        """Data of a node at a location."""
        self._nodes += 1
        line = node.start_mark.line + 1
        if self._nodes > MAX_NODES or id(node) in self._open:
            raise ConfigError([Problem(self.file, line, "", "aliases expand without end")])
        self.lines.setdefault(at, line)
        self._open.add(id(node))
        try:
            return self._value(node, at)
        except RecursionError as error:
            raise ConfigError([Problem(self.file, line, "", "nested too deeply")]) from error
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node, at: Location) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*at, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            where = (*at, key)
            if key in data:
                path = ".".join(map(str, where))
                message = f"stands twice, first on line {self.lines[where]}"
                self.problems.append(Problem(self.file, line, path, message))
                continue
            self.lines[where] = line
            data[key] = self.build(value_node, where)
        return data

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            value = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return str(node.value)
        # Dates and the like are texts to us: an asset number 2024-01-01 stays what was written.
        plain = value is None or isinstance(value, str | int | float | bool)
        return value if plain else str(node.value)
