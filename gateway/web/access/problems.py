"""Refusals for programs: RFC 9457, ``application/problem+json``."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal.

    Args:
        status: of HTTP.
        code: for programs: it stays, whatever becomes of the words.
        detail: what was refused, and what to do.
        headers: further ones.
    """
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code}
    text = json.dumps(body | {"detail": detail}, ensure_ascii=False)
    return Response(text, status, headers, MEDIA_TYPE)
