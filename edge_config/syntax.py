"""What YAML's parser finds wrong, in sentences for those who write the file."""

import yaml

from edge_config.problems import Problem

_BRACKETS = ("expected ',' or", "did not find expected ','")
_INDENT = ("expected <block end>", "did not find expected key", "did not find expected '-'")


def unreadable(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """The problem behind a parser's error, with the line to correct."""
    mark = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    found = str(getattr(error, "problem", None) or error)
    at = mark.line if mark else 0
    lines = text.splitlines() or [""]
    line = lines[min(at, len(lines) - 1)]
    if any(part in found for part in _BRACKETS) and begun:
        message = "a bracket that opens here is not closed, or a comma in it is missing"
        return Problem(name, message, begun.line + 1)
    if "end of stream" in found and begun:
        return Problem(name, "a quotation mark that opens here is not closed", begun.line + 1)
    return Problem(name, _sentence(found, line, lines[max(at - 1, 0)]), at + 1)


def _sentence(found: str, line: str, before: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab cannot indent; use spaces"
    if "：" in line or "：" in before:
        return "a full-width '：' is no colon here; write ': ' (half-width, with a space)"
    if "mapping values are not allowed" in found:
        return "': ' cannot stand here; check the indentation, or put the text in quotes"
    if "cannot start any token" in found:
        return "a value cannot begin with this character; put it in quotes"
    if any(part in found for part in _INDENT):
        return "the indentation does not fit the lines above"
    return f"cannot be read as YAML: {found}"
