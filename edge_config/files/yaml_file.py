"""Read YAML files within bounds, with own sentences for what YAML finds wrong.

The data is built from parser events and not by composing nodes, because composing recurses:
a file of a hundred thousand brackets would end the process. Scalars follow the core schema of
YAML 1.2, so that ``no`` is text and ``0012`` keeps its zeros.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from edge_config.files.document import Document, path_text
from edge_config.files.syntax import unreadable
from edge_config.mistakes.problems import ConfigError, Problem

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 1_000_000
"""Lists, mappings, keys and scalars of one file, those repeated by aliases included."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,32}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf", ".INF", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_OVERSIZED_INT = re.compile(r"[-+]?0[0-9]+|[-+]?[0-9]{41,}")


def read_document(path: Path, name: str | None = None) -> Document:
    """Read a YAML file of at most ``MAX_BYTES``.

    Args:
        path: the file.
        name: how messages call it; default: as given in ``path``.

    Raises:
        ConfigError: unreadable, too large, not UTF-8, not YAML, or nested without end.
    """
    name = name or str(path)
    return parse(_decoded(read_bytes(path, name, MAX_BYTES), name), name)


def read_bytes(path: Path, name: str, limit: int) -> bytes:
    """Contents of a file of at most ``limit`` bytes.

    Raises:
        ConfigError: unreadable or larger.
    """
    try:
        with path.open("rb") as file:
            body = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([Problem(name, f"cannot be read: {reason}")]) from error
    if len(body) > limit:
        raise ConfigError([Problem(name, f"is larger than {limit // 1_048_576} MiB")])
    return body


def _decoded(body: bytes, name: str) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = "is not UTF-8 text from here on; save the file as UTF-8"
        raise ConfigError([Problem(name, message, line)]) from error
    strange = _CONTROL.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        raise ConfigError([Problem(name, f"control character {strange[0]!r}; remove it", line)])
    return text


def parse(text: str, name: str) -> Document:
    """Build a document from text.

    Raises:
        ConfigError: not YAML, empty, or nested without end.
    """
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.handle(event)
    except yaml.YAMLError as error:
        raise ConfigError([*builder.document.problems, unreadable(error, text, name)]) from error
    if not builder.documents:
        raise ConfigError([Problem(name, "the file is empty", 1)])
    return builder.document


def plain(text: str) -> object:
    """Value of an unquoted scalar, by the core schema of YAML 1.2.

    Numbers with leading zeros stay text: asset numbers are written so.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _FLOAT.fullmatch(text) and not _OVERSIZED_INT.fullmatch(text):
        return float(text)
    return text


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    value: Any
    lines: dict[int | str, int]
    anchor: str | None
    values_before: int
    key: str | None = None
    is_repeated: bool = False
    merged: list[Any] = field(default_factory=list)

    @property
    def awaits_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    @property
    def step(self) -> int | str:
        return len(self.value) if isinstance(self.value, list) else self.key or ""


class _Builder:
    """Events in, data and lines out, with a stack of its own."""

    def __init__(self, name: str) -> None:
        self.document = Document(name)
        self.documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def handle(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line = mark.line + 1 if mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self._begin_document(line)
            case yaml.AliasEvent():
                self._alias(event.anchor or "", line)
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.SequenceStartEvent():
                self._begin([], event, line)
            case yaml.MappingStartEvent():
                self._begin({}, event, line)
            case yaml.CollectionEndEvent():
                self._end(line)

    def _begin_document(self, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            self._fail(line, "a second document begins here; remove the line '---'")

    def _fail(self, line: int, message: str) -> NoReturn:
        raise ConfigError([*self.document.problems, Problem(self.document.name, message, line)])

    def _note(self, line: int, message: str) -> None:
        path = path_text(tuple(frame.step for frame in self._open if not frame.awaits_key))
        self.document.problems.append(Problem(self.document.name, message, line, path))

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._fail(line, f"more than {MAX_VALUES:,} values, those repeated by '*' included")

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            self._fail(line, f"'*{anchor}' has no complete '&{anchor}' before it")
        # Each use counts in full: nine aliases of nine aliases are a billion values.
        value, weight = self._anchors[anchor]
        self._count(weight, line)
        if self._open and self._open[-1].awaits_key:
            self._fail(line, "a key must be plain text, not an alias")
        self._mark(line)
        self._put(value)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self._count(1, line)
        if self._open and self._open[-1].awaits_key:
            self._key(self._open[-1], str(event.value), line)
            return
        if event.tag not in _TEXT_TAGS:
            self._note(line, f"the tag {event.tag!r} is not used here; write the plain value")
        is_plain = event.implicit[0] and event.tag is None
        value = plain(event.value) if is_plain else event.value
        self._remember(event.anchor, value, 1)
        self._mark(line)
        self._put(value)

    def _key(self, frame: _Open, key: str, line: int) -> None:
        frame.key = key
        frame.is_repeated = key in frame.lines
        if frame.is_repeated:
            self._note(line, f"duplicate key; first on line {frame.lines[key]}")
        else:
            frame.lines[key] = line

    def _begin(self, value: Any, event: yaml.CollectionStartEvent, line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._fail(line, f"nested more than {MAX_DEPTH} levels deep")
        if self._open and self._open[-1].awaits_key:
            self._fail(line, "a key must be plain text, not a list or mapping")
        if event.tag not in _COLLECTION_TAGS:
            self._note(line, f"the tag {event.tag!r} is not used here; write the plain value")
        self._mark(line)
        before = self._values
        self._count(1, line)
        lines = self.document.lines[id(value)] = {}
        self._open.append(_Open(value, lines, event.anchor, before))

    def _mark(self, line: int) -> None:
        if self._open and isinstance(self._open[-1].value, list):
            self._open[-1].lines[len(self._open[-1].value)] = line

    def _end(self, line: int) -> None:
        # At the end, because a mapping's own keys hold wherever '<<' stands among them.
        frame = self._open.pop()
        for source in frame.merged:
            self._merge(frame, source, line)
        self._remember(frame.anchor, frame.value, self._values - frame.values_before)
        self._put(frame.value)

    def _merge(self, frame: _Open, source: Any, line: int) -> None:
        for mapping in source if isinstance(source, list) else [source]:
            if not isinstance(mapping, dict):
                self._fail(line, "'<<' takes a mapping (or a list of mappings) by its '*' alias")
            for key in mapping.keys() - frame.value.keys():
                frame.lines[key] = self.document.lines[id(mapping)][key]
            frame.value.update({**mapping, **frame.value})

    def _remember(self, anchor: str | None, value: Any, weight: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (value, weight)

    def _put(self, value: Any) -> None:
        if not self._open:
            self.document.data = value
            return
        frame = self._open[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key == "<<":
            frame.merged.append(value)
        elif not frame.is_repeated:
            frame.value[frame.key] = value
        frame.key = None
