"""What YAML's parser finds wrong, in sentences for those who write the file."""

import re

import yaml

from edge_config.mistakes.problems import Problem

_OPENING = dict(zip("“‘【｛［", "\"'[{[", strict=True))
"""With what a Chinese keyboard opens quotations and brackets, and what YAML wants instead."""
_VALUE = re.compile("(?:: |- |[{\\[])([“‘【｛［])")
_BRACKETS = ("expected ',' or", "did not find expected ','")
_NESTED = "mapping values are not allowed"
_GLUED = re.compile(r"\s*(?:- )?[A-Za-z_]\w*:[^\s/]")
"""A key and its value without the space between them; no address such as ``http://…``."""
_NO_SPACE = "a key without ': ' (a colon and a space) after it"
_INDENT = "the indentation does not fit the lines above"
_BEGIN = "a value cannot begin with this character; put it in quotes"
_SENTENCES = {
    _NESTED: "': ' cannot stand here; check the indentation, or put the text in quotes",
    "could not find expected ':'": _NO_SPACE,
    "unknown escape character": "a backslash in double quotes; use single quotes, or '/' in paths",
    "cannot start any token": _BEGIN,
    "alphabetic or numeric": _BEGIN,
    "expected <block end>": _INDENT,
    "did not find expected key": _INDENT,
    "did not find expected '-'": _INDENT,
}
"""A part of the parser's words → ours."""


def unreadable(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """The problem behind a parser's error, with the line to correct."""
    mark = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    found = str(getattr(error, "problem", None) or error)
    at = mark.line if mark else 0
    lines = text.splitlines() or [""]
    line = lines[min(at, len(lines) - 1)]
    before = lines[max(at - 1, 0)]
    # The parser often notices a line too late, so the one before is looked at as well.
    for number, written in ((at + 1, line), (max(at, 1), before)):
        wide = full_width(written)
        if wide:
            return Problem(name, wide, number)
    if _NESTED in found and _GLUED.match(before):
        return Problem(name, _NO_SPACE, at)
    opened = _VALUE.search(line)
    if opened or ("，" in line and ("{" in line or "[" in line)):
        wide, meant = (opened[1], _OPENING[opened[1]]) if opened else ("，", ",")
        return Problem(name, f"a full-width '{wide}' is no '{meant}' here", at + 1)
    if any(part in found for part in _BRACKETS) and begun:
        message = "a bracket that opens here is not closed, or a comma in it is missing"
        return Problem(name, message, begun.line + 1)
    if "end of stream" in found and begun:
        return Problem(name, "a quotation mark that opens here is not closed", begun.line + 1)
    return Problem(name, _sentence(found, line), at + 1)


def full_width(line: str) -> str | None:
    """A sentence about a full-width colon or space that separates nothing; None if there is none.

    Chinese text in a value is not meant: a line with a real colon has its key.
    """
    if set("\u3000\u00a0") & set(line[: len(line) - len(line.lstrip())]):
        return "a full-width or no-break space cannot indent; use plain spaces"
    if "：" in line and ": " not in line and not line.rstrip().endswith(":"):
        return "a full-width '：' is no colon here; write ': ' (half-width, with a space)"
    return None


def _sentence(found: str, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab cannot indent; use spaces"
    said = (words for part, words in _SENTENCES.items() if part in found)
    return next(said, f"cannot be read as YAML: {found}")
