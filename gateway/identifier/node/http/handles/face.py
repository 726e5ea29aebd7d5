"""The node's JSON interface for handles; it translates, and decides nothing itself."""

import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.routing import Route

from gateway.identifier.irp.bodies import read_held
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.message import Message
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.http.handles.knowing import Knowing
from gateway.identifier.node.http.handles.translating import (
    Json,
    asked_for,
    handle_in,
    is_on,
    page_of,
    status_of,
    told,
)
from gateway.identifier.node.http.requests import Answer, Refusal, read_body
from gateway.identifier.node.keeping import prefixes, records
from gateway.identifier.node.keeping.counts import Tally, What
from gateway.identifier.node.native.answering import RefusedError, demand_own
from gateway.identifier.node.native.changing import done, subject_of
from gateway.identifier.node.native.referring import Directory, prefix_asked
from gateway.identifier.node.rights import registrations
from gateway.identifier.node.rights.principal import NOBODY, Terms, Visit, principal_of
from gateway.identifier.registering.native.codes import outcome_of
from gateway.identifier.registering.registry import Result
from gateway.relational.database import Database

_HANDLES, _SESSIONS = "/api/handles", "/api/sessions"
_PROTOCOL = "handle-json"
_MOST_LISTED = 10_000
_MAX_BODY = 1024 * 1024
_MAX_PROOF = 16 * 1024
_NO_KEY = "show a key: by Basic, or by a session"
_NAMES = {
    Op.RESOLVE: "resolve",
    Op.CREATE: "register",
    Op.ADD_VALUE: "update",
    Op.REMOVE_VALUE: "update",
    Op.DELETE: "withdraw",
}


class HandleFace:
    """Routes of the JSON interface.

    Args:
        database: of the node.
        terms: of the node.
        knowing: finds out who asks.
        tally: what is done is counted there.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        knowing: Knowing,
        tally: Tally,
        now_ms: Callable[[], int],
    ) -> None:
        self._database, self._terms, self._knowing = database, terms, knowing
        self._tally, self._now_ms = tally, now_ms

    def routes(self) -> list[Route]:
        """For the node's application."""
        methods = ["GET", "PUT", "POST", "DELETE"]
        return [
            Route(_HANDLES, _answering(self._listed), methods=["GET"]),
            Route(f"{_HANDLES}/{{handle:path}}", _answering(self._asked), methods=methods),
            Route(_SESSIONS, _answering(self._begun), methods=["POST"]),
            Route(f"{_SESSIONS}/this", _answering(self._proved), methods=["PUT"]),
            Route(f"{_SESSIONS}/this", _answering(self._ended), methods=["DELETE"]),
        ]

    async def _asked(self, request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        user = await self._knowing.user(request)
        if method == "GET" and is_on("publicOnly", request.query_params):
            user = ""
        if not user and method != "GET":
            raise RefusedError(Rc.CHALLENGE, _NO_KEY)
        handle = handle_in(request.scope["raw_path"], f"{_HANDLES}/")
        body = await read_body(request, _MAX_BODY) if method in ("PUT", "POST") else None
        return await self._counted(user, asked_for(method, handle, request.query_params, body))

    async def _counted(self, user: str, asked: Message) -> Answer:
        run = self._database.read if asked.op == Op.RESOLVE else self._database.run
        began_s, rc = time.perf_counter(), Rc.ERROR
        try:
            status, answer = await run(self._done, user, asked)
            rc = Rc.OK
        except RefusedError as refused:
            rc = refused.rc
            raise
        finally:
            what = What(_PROTOCOL, _NAMES[Op(asked.op)], outcome_of(rc))
            self._tally.add(what, time.perf_counter() - began_s)
        return Answer(answer, status)

    def _done(self, connection: Connection, user: str, asked: Message) -> tuple[int, Json]:
        visit, handle = self._visit(connection, user), subject_of(asked)
        directory = Directory(self._terms.prefix, b"", prefixes.allotted(connection))
        demand_own(asked, handle, directory)
        if asked.op == Op.RESOLVE:
            held = read_held(done(connection, visit, asked))
            return 200, told(held.handle, held.values)
        is_new = asked.op == Op.CREATE
        if is_new:
            registrations.begin_changes(connection)
            is_new = registrations.read(connection, visit, handle) is None
        done(connection, visit, asked)
        return 201 if is_new else 200, {"responseCode": int(Rc.OK), "handle": handle}

    def _visit(self, connection: Connection, user: str) -> Visit:
        principal = principal_of(connection, user) if user else NOBODY
        if user and principal is NOBODY:
            raise RefusedError(Rc.INVALID_ADMIN, f"{user} may not log in any more")
        return Visit(principal, self._terms, self._now_ms())

    async def _listed(self, request: Request) -> Answer:
        user = await self._knowing.user(request)
        if not user:
            raise RefusedError(Rc.CHALLENGE, _NO_KEY)
        named = request.query_params.get("prefix", "")
        prefix = prefix_asked(named)
        if not prefix:
            raise RefusedError(Rc.INVALID_HANDLE, f"prefix {named!r} is none")
        page, size = page_of(request.query_params, _MOST_LISTED)
        total, handles = await self._database.read(self._page, user, prefix, page, size)
        answer: Json = {"responseCode": int(Rc.OK), "prefix": named, "totalCount": total}
        return Answer(answer | {"page": page, "pageSize": size, "handles": handles})

    def _page(
        self, connection: Connection, user: str, prefix: str, page: int, size: int
    ) -> tuple[int, list[str]]:
        visit = self._visit(connection, user)
        found = registrations.listed(connection, visit, prefix, size, page * size)
        if isinstance(found, Result):
            raise RefusedError(Rc.NOT_PERMITTED, found.message)
        return records.count(connection, prefix), found

    # -- sessions --------------------------------------------------------------------------

    async def _begun(self, _request: Request) -> Answer:
        session = self._knowing.begin()
        nonce = base64.b64encode(session.nonce).decode()
        return Answer({"sessionId": session.id, "nonce": nonce}, 201)

    async def _proved(self, request: Request) -> Answer:
        body = await read_body(request, _MAX_PROOF) if await _has_body(request) else {}
        given = (
            {k: v for k, v in body.items() if isinstance(v, str)} if isinstance(body, dict) else {}
        )
        try:
            session = await self._knowing.proved(request, given)
        except RefusedError as refused:
            if refused.rc is Rc.BUSY:
                raise
            return Answer({"authenticated": False, "errors": [str(refused)]}, 401)
        return Answer({"sessionId": session.id, "authenticated": True, "id": session.identity})

    async def _ended(self, request: Request) -> Answer:
        self._knowing.end(request)
        return Answer({"authenticated": False})


async def _has_body(request: Request) -> bool:
    return (
        request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    )


def _answering(answer: Callable[[Request], Awaitable[Answer]]) -> Callable[[Request], Any]:
    """Tell a refusal as the interface tells it."""

    async def endpoint(request: Request) -> Answer:
        try:
            return await answer(request)
        except RefusedError as refused:
            rc, why = refused.rc, str(refused)
        except (Refusal, WireError) as refusal:
            rc, why = Rc.PROTOCOL_ERROR, str(refusal)
        except SQLAlchemyError:
            rc, why = Rc.ERROR, "the node's database failed"
        headers = {"WWW-Authenticate": 'Basic realm="handle"'} if rc is Rc.CHALLENGE else None
        status = status_of(rc, request.method)
        body: Json = {"responseCode": int(rc), "message": why}
        if (handle := request.path_params.get("handle")) is not None:
            body["handle"] = handle
        return Answer(body, status, headers)

    return endpoint
