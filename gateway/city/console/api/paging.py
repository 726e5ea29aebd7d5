"""Lists in parts: a cursor names the last row that was given, so what is added moves nothing."""

import base64
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

from gateway.city.console.api.declaring import ListAsked
from gateway.web.access.problems import RefusedError

T = TypeVar("T")
_CODE = "utf-8"


def part(
    rows: Sequence[T], key_of: Callable[[T], str], asked: ListAsked
) -> tuple[list[T], str | None]:
    """The rows behind a cursor, and the cursor of the next part.

    Args:
        rows: all of them, in an order that does not change from part to part.
        key_of: what a row is known by; no other has the same.
        asked: where to begin, and how many.

    Returns:
        None in place of the cursor: there are no more.

    Raises:
        RefusedError: 400 the cursor is none of this list, or its row is gone.
    """
    first = _behind(rows, key_of, asked.cursor) if asked.cursor else 0
    found = list(islice(rows, first, first + asked.limit))
    is_last = first + len(found) >= len(rows)
    return found, None if is_last or not found else _cursor(key_of(found[-1]))


def _behind(rows: Sequence[T], key_of: Callable[[T], str], cursor: str) -> int:
    for place, row in enumerate(rows):
        if _cursor(key_of(row)) == cursor:
            return place + 1
    raise RefusedError(
        400, "cursor", "this cursor is none of this list, or its row is gone: begin without one"
    )


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode(_CODE, "surrogatepass")).decode("ascii").rstrip("=")
