"""The path to a part of a value: elements of arrays, fields of structures. Pure.

``[3]`` is the fourth element, ``[1,2]`` one of a matrix, ``.Motor.Speed`` a field of a field,
``.Temps[0]`` an element of a field.
"""

import re
from collections.abc import Sequence

Step = tuple[int, ...] | str
"""Indexes of an element, one a dimension, from 0; or the name of a field."""

_STEP = re.compile(r"\[(?P<index>\d{1,9}(?:,\d{1,9})*)\]|\.(?P<field>[^.\[\]|]+)", re.ASCII)


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path; none of an empty one.

    Raises:
        ValueError: the text is no path.
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise ValueError(
                f"{text!r} is no path to a part of a value; write [3] for an element, counted "
                "from 0, [1,2] in a matrix, .Name for a field, .Name[3] for both"
            )
        index = match["index"]
        steps.append(tuple(map(int, index.split(","))) if index else match["field"].strip())
        at = match.end()
    return tuple(steps)


def is_path(text: str) -> bool:
    """Whether a text looks like one, right or wrong."""
    return text[:1] in ("[", ".")


def is_element(path: Sequence[Step]) -> bool:
    """Whether a path leads to an element of the whole value, and no further."""
    return len(path) == 1 and not isinstance(path[0], str)


def read_only(path: Sequence[Step]) -> str:
    """Why what a path leads to can never be written, as a sentence; empty: it may be."""
    if not path or is_element(path):
        return ""
    return (
        "a field of a structure cannot be written: OPC UA writes a structure whole, and what the "
        "machine changed in it meanwhile would be undone; let the machine's program show the field "
        "as a variable of its own"
    )
