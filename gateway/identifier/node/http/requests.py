"""Requests to the node by HTTP: their bodies, and answers that refuse them."""

import json
import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.identifier.node import rules
from gateway.identifier.registering.registry import Outcome

MAX_BODY_BYTES = 32 * 1024 * 1024
"""2,000 identifiers with full metadata take some 12 MB."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """The node's answer to a request it does not carry out."""

    def __init__(
        self,
        message: str,
        status: int = -2,
        outcome: Outcome = Outcome.INVALID,
        data: Any = None,
    ) -> None:
        super().__init__(message)
        self.data = data
        self.status = status
        self.outcome = outcome


class Answer(JSONResponse):
    """An answer that repeats whatever was sent: half a character is no UTF-8."""

    def render(self, content: Any) -> bytes:
        """In ASCII, where every character has its escape."""
        return json.dumps(content, allow_nan=False).encode()


async def read_body(request: Request, longest: int = MAX_BODY_BYTES) -> Any:
    """The JSON of a request of at most so many bytes.

    Raises:
        Refusal: it is longer, or no JSON.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > longest:
            raise Refusal("请求体过大")
    try:
        return json.loads(bytes(content), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refusal(rules.NO_JSON) from None


def _finite(text: str) -> float:
    """A number that JSON has a word for: Python reads NaN and 1e999, too."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number
