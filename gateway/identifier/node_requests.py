"""Requests to the embedded node: their bodies, and answers that refuse them."""

import json
from typing import Any

from starlette.requests import Request

from gateway.identifier import node_rules as rules

MAX_BODY_BYTES = 32 * 1024 * 1024
"""2,000 identifiers with full metadata take some 12 MB."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """The node's answer to a request it does not carry out."""

    def __init__(self, message: str, status: int = -2) -> None:
        super().__init__(message)
        self.status = status


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
        return json.loads(bytes(content))
    except (ValueError, RecursionError):
        raise Refusal(rules.NO_JSON) from None
