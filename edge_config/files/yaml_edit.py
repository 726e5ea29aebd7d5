"""Change single places of a YAML file and leave everything else of it as people wrote it.

Comments, order and quotes outside the changed places stay to the letter. What was written is read
again and compared with what it should say, so that no alias, anchor or merge is changed unseen.
"""

import json
import re
from copy import deepcopy
from typing import Any

import yaml

from edge_config.files.document import path_text
from edge_config.files.yaml_file import parse, plain
from edge_config.mistakes.problems import ConfigError, Loc, Problem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = re.compile(r"[\w./-]+")


class YamlEdit:
    """Changes to the text of one file.

    Args:
        text: of the file.
        name: how messages call it.

    Raises:
        ConfigError: it is no YAML.
    """

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._expected: Any = deepcopy(parse(text, name).data)
        self._root = yaml.compose(text, Loader=_LOADER)
        self._spans: list[tuple[int, int, str]] = []

    def replace(self, loc: Loc, value: str) -> None:
        """Put a text in the place of a value.

        Raises:
            ConfigError: there is nothing, or it is repeated from elsewhere.
        """
        _, node = self._entry(loc)
        self._spans.append((node.start_mark.index, _end(node), scalar(value)))
        self._within(loc)[loc[-1]] = value

    def rename(self, loc: Loc, key: str, value: str) -> None:
        """Put another key and a text in the place of a key with its value.

        Raises:
            ConfigError: as for :meth:`replace`.
        """
        old, node = self._entry(loc)
        begin = (old or node).start_mark.index
        self._spans.append((begin, _end(node), f"{key}: {scalar(value)}"))
        around = self._within(loc)
        del around[loc[-1]]
        around[key] = value

    def clear(self, loc: Loc) -> None:
        """Empty a list.

        Raises:
            ConfigError: as for :meth:`replace`.
        """
        key, node = self._entry(loc)
        begin = key.end_mark.index if key is not None else node.start_mark.index
        self._spans.append((begin, _end(node), ": []" if key is not None else "[]"))
        self._within(loc)[loc[-1]] = []

    def append(self, key: str, item: Any) -> None:
        """Add an item to a list at the top of the file, which is made if it is not there.

        Raises:
            ConfigError: what is there is no list.
        """
        items = self._expected.setdefault(key, [])
        if items is None:
            items = self._expected[key] = []
        if not isinstance(items, list):
            raise self._error((key,), "is no list")
        pair = self._pairs(self._root).get(key)
        if pair is None:
            self._insert(len(self._text), f"{key}:\n{_block(item, 2)}")
        elif not isinstance(pair[1], yaml.SequenceNode):  # nothing stands behind the key
            self._insert(_line_end(self._text, pair[0].end_mark.index), _block(item, 2))
        elif pair[1].flow_style:
            comma = ", " if pair[1].value else ""
            at = pair[1].end_mark.index - 1
            self._spans.append((at, at, comma + json.dumps(item, ensure_ascii=False)))
        else:
            at = _line_end(self._text, _end(pair[1]))
            self._insert(at, _block(item, pair[1].start_mark.column))
        items.append(item)

    def result(self) -> str:
        """The text with all changes.

        Raises:
            ConfigError: the file is written so that a change here would change something else.
        """
        text = self._text
        # Stable, so that what is inserted at one place stands in the order of the calls.
        for begin, end, new in sorted(self._spans, key=lambda span: span[0])[::-1]:
            text = text[:begin] + new + text[end:]
        found = parse(text, self._name)
        if found.problems or found.data != self._expected:
            said = "is written in a way (aliases, merges) that only a person can change"
            raise ConfigError([Problem(self._name, f"{said}; nothing was written")])
        return text

    def _insert(self, at: int, block: str) -> None:
        """Whole lines; ``at`` is the end of a line."""
        lead = "" if at == 0 or self._text[at - 1] == "\n" else "\n"
        tail = "\n" if lead == "" else ""
        self._spans.append((at, at, lead + block.rstrip("\n") + tail))

    def _within(self, loc: Loc) -> Any:
        value = self._expected
        for step in loc[:-1]:
            value = value[step]
        return value

    def _entry(self, loc: Loc) -> tuple[Any, Any]:
        """The nodes of a key (None of an item) and its value."""
        pair: tuple[Any, Any] = (None, self._root)
        for step in loc:
            pairs = self._pairs(pair[1])
            if step not in pairs:
                raise self._error(loc, "stands somewhere else and is only repeated here")
            pair = pairs[step]
        return pair

    @staticmethod
    def _pairs(node: Any) -> dict[int | str, tuple[Any, Any]]:
        if isinstance(node, yaml.MappingNode):
            return {key.value: (key, value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return {at: (None, item) for at, item in enumerate(node.value)}
        return {}

    def _error(self, loc: Loc, message: str) -> ConfigError:
        return ConfigError([Problem(self._name, f"{path_text(loc)} {message}; change it by hand")])


def scalar(text: str) -> str:
    """A text as YAML, in quotes where it would be something else without."""
    is_plain = _PLAIN.fullmatch(text) and isinstance(plain(text), str)
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def document_text(data: Any) -> str:
    """Plain data as a YAML document."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


class _Dumper(yaml.SafeDumper):
    """Quotes what our reader would take for something else than a text."""


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if isinstance(plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represented)


def _block(item: Any, indent: int) -> str:
    lines = document_text([item]).splitlines()
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _end(node: Any) -> int:
    """Where the last character of a value stands; a block's own mark is that of what follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    return end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
