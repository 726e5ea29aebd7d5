"""What the console and its process apart say to each other. Pure.

Both are the same program, so objects travel as Python pickles them: orders one behind the other,
answers each behind its length, as a pipe hands over parts of them.
"""

import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LENGTH = struct.Struct(">Q")
"""Stands before an answer: how many octets it has."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be run.

    Attributes:
        number: by which its answers name it.
        function: of a connection.
        what: its further arguments.
        how: its arguments by name.
        is_computing: it takes ``progress`` and ``ledgers``, too.
    """

    number: int
    function: Callable[..., Any]
    what: tuple[Any, ...]
    how: dict[str, Any]
    is_computing: bool


@dataclass(frozen=True, slots=True)
class Step:
    """How far a work is, as :data:`gateway.city.rates.columns.progress.Progress` is told."""

    number: int
    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done:
    """A work's end.

    Attributes:
        number: of the work.
        value: what the function gave, pickled: to read it takes a while, and is done in a thread.
        error: what it raised instead.
    """

    number: int
    value: bytes = b""
    error: Exception | None = None


def packed(answer: Step | Done) -> bytes:
    """An answer behind its length."""
    body = pickle.dumps(answer)
    return LENGTH.pack(len(body)) + body


def unpacked(body: bytes) -> Step | Done:
    """An answer without its length."""
    answer = pickle.loads(body)  # noqa: S301 - from the process that this one started
    assert isinstance(answer, Step | Done)  # noqa: S101 - both are of one version
    return answer
