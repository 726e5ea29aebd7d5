"""Refusals for programs: RFC 9457, ``application/problem+json``."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.web.waiting import LATER_S, RETRY_S, GivenUpError, NotYetError

MEDIA_TYPE = "application/problem+json"
_CODES = {
    403: ("not_allowed", "for another role, or not for this token; ask an administrator"),
    404: ("not_found", "there is nothing at this address, or it is not for who asks"),
    405: ("method", "the API reads only: use GET"),
    503: ("away", "the database does not answer; try again"),
}  # fmt: skip


@dataclass(slots=True)
class RefusedError(Exception):
    """A program's request is refused.

    Attributes:
        status: of HTTP.
        code: for programs: it stays, whatever becomes of the words.
        detail: what was refused, and what to do.
        headers: further ones.
    """

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] | None = None


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal as an answer; see :class:`RefusedError`."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code}
    text = json.dumps(body | {"detail": detail}, ensure_ascii=False)
    return Response(text, status, headers, MEDIA_TYPE)


async def failure(_request: Request, error: Exception) -> Response:
    """The answer to a program whose request came to an error."""
    if isinstance(error, RefusedError):
        return problem(error.status, error.code, error.detail, error.headers)
    if isinstance(error, GivenUpError):
        words = "computing these figures was given up for now; the city's log says why"
        return problem(503, "given_up", words, {"retry-after": str(LATER_S)})
    if isinstance(error, NotYetError):
        words = f"the figures are being computed; ask again in {RETRY_S} s"
        return problem(503, "not_yet", words, {"retry-after": str(RETRY_S)})
    if isinstance(error, HTTPException):
        code, words = _CODES.get(error.status_code, ("refused", str(error.detail)))
        return problem(error.status_code, code, words, error.headers)
    return problem(500, "failed", "this answer failed; the city's log says why")
