"""The embedded enterprise node: the SNMS interface over HTTP, on one SQLite file.

The same paths, envelope, limits and messages as a node outside, so that everything works with no
outside service and a city can move to one by configuration alone.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from gateway.identifier.node import rules
from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.login import Logins
from gateway.identifier.node.requests import Answer, Refusal, read_body
from gateway.identifier.node.rules import Json
from gateway.identifier.node.snms_bodies import read_registration
from gateway.identifier.node.store import NodeStore


class EnterpriseNode:
    """Answers of the node; ``app`` is the ASGI application. Whoever opened the store closes it.

    A login may send the day's hash of the secret in its place, and whoever reads that hash on the
    way can log in with it until midnight. That is the interface's; so the node listens on
    loopback, and to a node elsewhere the city speaks TLS only.

    Args:
        store: what is registered.
        credentials: who may log in.
        prefix: country and industry node, as ``88.999``: nothing else is registered here.
        now_ms: the clock, UTC milliseconds.
        clock_s: one that only runs, seconds, for pauses after wrong logins.
    """

    def __init__(
        self,
        store: NodeStore,
        credentials: NodeCredentials,
        prefix: str,
        now_ms: Callable[[], int],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._now_ms = now_ms
        self._logins = Logins(credentials, now_ms, clock_s)
        self._one_at_a_time = asyncio.Lock()
        self.app = Starlette(routes=self._routes())

    def _routes(self) -> list[Route]:
        login, data = "/identity/token", "/identityv2/data"
        template = "/snms/api/v5/template"
        return [
            Route(login, _answering(self._logins.plain), methods=["POST"]),
            Route(f"{login}/v1", _answering(self._logins.hashed), methods=["POST"]),
            self._route(f"{data}/detail", "GET", self._detail),
            self._route(data, "POST", self._register),
            self._route(data, "PUT", self._update),
            self._route(data, "DELETE", self._delete),
            self._route(f"{data}/batchCreate", "POST", self._batch_create),
            self._route(f"{data}/batchUpdate", "PUT", self._batch_update),
            self._route(f"{data}/batchDelete", "DELETE", self._batch_delete),
            self._route(template, "GET", self._template),
            self._route(template, "POST", self._create_template),
            self._route(template, "PUT", self._update_template),
        ]

    def _route(self, path: str, method: str, answer: Callable[[Any], Any]) -> Route:
        """A route whose answer needs a token and comes from the store, in a thread."""

        async def guarded(request: Request) -> Any:
            self._logins.authorise(request)
            given = dict(request.query_params) if method == "GET" else await read_body(request)
            async with self._one_at_a_time:  # the store is one connection
                return await asyncio.to_thread(answer, given)

        return Route(path, _answering(guarded), methods=[method])

    # -- identifiers -----------------------------------------------------------------------

    def _detail(self, query: Json) -> Json:
        _refuse(rules.handle_problem(query.get("handle")))
        held = self._store.get(query["handle"])
        if held is None:
            raise Refusal(rules.NOT_FOUND)
        prefix = held["handle"].partition("/")[0]
        marker = {
            "index": 1000,
            "type": "TEMPLATE_ID",
            "data": {"format": "string", "value": f"{prefix}:{held['templateVersion']}"},
            "auth": "",
        }
        return {"code": "200", "prefix": prefix, **held, "value": [marker, *held["value"]]}

    def _register(self, body: object) -> bool:
        return _all_done(self._store.together([partial(self._add, body)]))

    def _update(self, body: object) -> bool:
        return _all_done(self._store.together([partial(self._replace, body)]))

    def _delete(self, body: object) -> bool:
        handle = body.get("handle") if isinstance(body, dict) else None
        return _all_done(self._store.together([partial(self._bury, handle)]))

    def _batch_create(self, body: object) -> list[Json]:
        return self._batch(body, self._add)

    def _batch_update(self, body: object) -> list[Json]:
        return self._batch(body, self._replace)

    def _batch(self, body: object, step: Callable[[object], str]) -> list[Json]:
        bodies = _batch_of(body)
        messages = self._store.together([partial(step, one) for one in bodies])
        return [
            {"handle": one.get("handle", "") if isinstance(one, dict) else "", "msg": message}
            for one, message in zip(bodies, messages, strict=True)
        ]

    def _batch_delete(self, body: object) -> list[Json]:
        handles = _batch_of(body)
        messages = self._store.together([partial(self._bury, one) for one in handles])
        return [
            {"handle": handle, "code": 1 if message == rules.SUCCESS else -2, "msg": message}
            for handle, message in zip(handles, messages, strict=True)
        ]

    def _add(self, body: Any) -> str:
        problem = rules.record_problem(body) or rules.foreign_prefix(body["handle"], self._prefix)
        if problem is None and self._store.taken(body["handle"]):
            problem = rules.EXISTS
        problem = problem or self._against_template(body)
        if problem is None:
            self._store.add(body, self._now_ms())
        return problem or rules.SUCCESS

    def _replace(self, body: Any) -> str:
        problem = rules.record_problem(body)
        if problem is None and self._store.get(body["handle"]) is None:
            problem = rules.ABSENT
        problem = problem or self._against_template(body)
        if problem is None:
            self._store.replace(body, self._now_ms())
        return problem or rules.SUCCESS

    def _bury(self, handle: Any) -> str:
        problem = rules.handle_problem(handle)
        if problem is None and self._store.get(handle) is None:
            problem = rules.ABSENT
        if problem is None:
            self._store.bury(handle, self._now_ms())
        return problem or rules.SUCCESS

    def _against_template(self, body: Json) -> str | None:
        prefix = body["handle"].partition("/")[0]
        template = self._store.template(prefix, body["templateVersion"])
        if template is None:
            return rules.NO_TEMPLATE
        return rules.template_mismatch(read_registration(body, 0).values, template)

    # -- templates -------------------------------------------------------------------------

    def _template(self, query: Json) -> Json:
        for name in ("prefix", "version"):
            if not query.get(name):
                raise Refusal(rules.missing(name))
        found = self._store.template(query["prefix"], query["version"])
        if found is None:
            raise Refusal(rules.NO_TEMPLATE)
        return {"handle": f"{found['prefix']}/{found['version']}", **found}

    def _create_template(self, body: Any) -> bool:
        _refuse(rules.template_problem(body))
        _refuse(rules.foreign_prefix(body["prefix"], self._prefix))
        if self._store.template(body["prefix"], body["version"]) is not None:
            raise Refusal("模板已存在")
        self._store.put_template(body)
        return True

    def _update_template(self, body: Any) -> bool:
        _refuse(rules.template_problem(body))
        held = self._store.template(body["prefix"], body["version"])
        if held is None:
            raise Refusal(rules.NO_TEMPLATE)
        changed = {**held, "items": rules.merged_items(held["items"], body["items"])}
        _refuse(rules.template_problem(changed))
        self._store.put_template(changed)
        return True


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise Refusal(problem)


def _all_done(messages: Sequence[str]) -> bool:
    for message in messages:
        _refuse(None if message == rules.SUCCESS else message)
    return True


def _batch_of(body: object) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise Refusal("请求参数格式错误")
    if len(body) > rules.MAX_BATCH:
        raise Refusal(rules.TOO_MANY)
    return body


def _answering(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Wrap an answer into the envelope of the interface."""

    async def endpoint(request: Request) -> Answer:
        try:
            data = await answer(request)
        except Refusal as refusal:
            return Answer({"message": str(refusal), "status": refusal.status, "data": None})
        return Answer({"message": rules.SUCCESS, "status": 1, "data": data})

    return endpoint
