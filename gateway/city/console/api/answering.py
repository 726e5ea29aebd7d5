"""From a request to the answer of an operation: who asks, how often, what, and is it known."""

import hashlib
import math
import time

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.city.console.api.declaring import BASE, Asked, Operation
from gateway.city.console.api.pace import Pace
from gateway.city.console.asking import demand, principal_of, signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import ChoiceError
from gateway.web.access.problems import RefusedError
from gateway.web.i18n import text

HEADERS = {"cache-control": "private, no-cache", "vary": "authorization, cookie"}
"""Who has asked may keep an answer, and asks each time whether it still holds; nobody else may."""


class Answering:
    """Answers operations.

    Args:
        context: of the console.
    """

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._pace = Pace()

    def route(self, operation: Operation) -> Route:
        """The address of an operation."""

        async def endpoint(request: Request) -> Response:
            for permission in operation.needs:
                demand(request, permission)
            self._demand_pace(request)
            asked = _asked(operation, request)
            if operation.is_list_of_rows:
                await self._note(request)
            try:
                said = await operation.handler(request, asked)
            except ChoiceError as error:
                words = text("en", f"choice.{error.key}", **error.words)
                raise RefusedError(404, error.key, words) from error
            except SQLAlchemyError as error:
                raise RefusedError(
                    503, "away", "the database does not answer; try again"
                ) from error
            return unless_known(request, said.model_dump_json().encode())

        return Route(BASE + operation.path, endpoint, methods=["GET"])

    def _demand_pace(self, request: Request) -> None:
        wait_s = math.ceil(self._pace.wait_s(principal_of(request).name, time.monotonic()))
        if wait_s:
            words = f"too many requests; wait {wait_s} s"
            raise RefusedError(429, "pace", words, {"retry-after": str(wait_s)})

    async def _note(self, request: Request) -> None:
        """Before the rows leave: what cannot be written down is not given out."""
        context = self._context
        if context.config.console.has_login:
            who, now_ms, address = signature(request), context.now_ms(), request.url.path
            query = request.url.query
            await context.viewing.note_list(context.database, who, address, query, now_ms)


def unless_known(request: Request, body: bytes) -> Response:
    """An answer, or 304 for whoever has it: a stored month changes by another vintage only."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = HEADERS | {"etag": tag}
    known = request.headers.get("if-none-match", "")
    if tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _asked(operation: Operation, request: Request) -> Asked:
    """The parameters of a request.

    Raises:
        RefusedError: 400 says what is wrong with each; never what was given, which may be a secret.
    """
    given = request.query_params
    twice = sorted({name for name in given if len(given.getlist(name)) > 1})
    if twice:
        raise RefusedError(400, "parameter", f"given more than once: {', '.join(twice)}")
    try:
        return operation.asked.model_validate(dict(given))
    except ValidationError as error:
        known = ", ".join(operation.asked.model_fields) or "none"
        wrong = "; ".join(_words(one["loc"][0], one["type"], one["msg"]) for one in error.errors())
        raise RefusedError(400, "parameter", f"{wrong}. Parameters: {known}") from error


def _words(name: object, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "there is a parameter that is not known here"
    return f"{name}: {message}"
