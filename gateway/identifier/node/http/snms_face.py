"""The node's SNMS interface: JSON over HTTP, with the paths and messages of its document.

Every answer is HTTP 200 with ``{"message", "status", "data"}``; ``status`` 1 is success, −1 not
logged in, −2 refused. It translates; what may be done is decided in ``rights``.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import Route

from gateway.identifier.node import rules
from gateway.identifier.node.http.login import Logins, known_by
from gateway.identifier.node.http.requests import Answer, Refusal, read_body
from gateway.identifier.node.http.snms_bodies import (
    WITHDRAWN,
    read_registration,
    read_withdrawal,
    write_detail,
    write_page,
    write_withdrawal,
)
from gateway.identifier.node.keeping.counts import Tally, What
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import registrations, templates
from gateway.identifier.node.rights.principal import NOBODY, Terms, Visit
from gateway.identifier.node.rules import Json
from gateway.identifier.registering.registry import Outcome, Result
from gateway.identifier.template import FIRST_INDEX
from gateway.relational.database import Database

Done = tuple[Any, Sequence[Outcome]]
"""Data of an answer, and what came of each identifier or template."""
Step = Callable[[Connection, Visit, Any], Done]
_PROTOCOL = "snms"
LISTING = "/identityv2/data/list"
"""Not of the document: its interface finds records by identifier only."""
_PAGE = 1_000


class SnmsFace:
    """Routes of the SNMS interface.

    A login may send the day's hash of the secret in its place, and whoever reads that hash on the
    way can log in with it until midnight. That is the interface's; so the node listens on
    loopback, or with TLS.

    Args:
        database: of the node.
        terms: of the node.
        logins: who may ask.
        tally: what is done is counted there.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        logins: Logins,
        tally: Tally,
        now_ms: Callable[[], int],
    ) -> None:
        self._database, self._terms = database, terms
        self._logins, self._tally, self._now_ms = logins, tally, now_ms

    def routes(self) -> list[Route]:
        """For the node's application."""
        login, data = "/identity/token", "/identityv2/data"
        template = "/snms/api/v5/template"
        return [
            Route(login, _answering(self._logins.plain), methods=["POST"]),
            Route(f"{login}/v1", _answering(self._logins.hashed), methods=["POST"]),
            self._route(f"{data}/detail", "GET", "resolve", _detail),
            self._route(LISTING, "GET", "list", _listed),
            self._route(data, "POST", "register", _one_of(_create)),
            self._route(data, "PUT", "update", _one_of(_update)),
            self._route(data, "DELETE", "withdraw", _delete),
            self._route(f"{data}/batchCreate", "POST", "register", _many_of(_create)),
            self._route(f"{data}/batchUpdate", "PUT", "update", _many_of(_update)),
            self._route(f"{data}/batchDelete", "DELETE", "withdraw", _batch_delete),
            self._route(template, "GET", "template", _template),
            self._route(template, "POST", "template", _create_template),
            self._route(template, "PUT", "template", _update_template),
        ]

    def _route(self, path: str, method: str, action: str, step: Step) -> Route:
        """A route whose answer needs a token, and comes from one transaction."""
        is_question = method == "GET"
        run = self._database.read if is_question else self._database.run

        async def guarded(request: Request) -> Any:
            token = await self._logins.authorise(request)
            given = dict(request.query_params) if is_question else await read_body(request)
            began_s = time.perf_counter()
            try:
                data, outcomes = await run(self._visited, token, step, given)
            except Refusal as refusal:
                self._count(action, [refusal.outcome], began_s)
                raise
            self._count(action, outcomes, began_s)
            return data

        return Route(path, _answering(guarded), methods=[method])

    def _visited(self, connection: Connection, token: str, step: Step, given: Any) -> Done:
        now_ms = self._now_ms()
        principal = known_by(connection, token, now_ms)
        if principal is NOBODY:  # it ended while the body was read
            raise Refusal(rules.NOT_LOGGED_IN, status=-1, outcome=Outcome.LOGIN)
        return step(connection, Visit(principal, self._terms, now_ms), given)

    def _count(self, action: str, outcomes: Sequence[Outcome], began_s: float) -> None:
        elapsed_s = time.perf_counter() - began_s
        for outcome, count in Counter(outcomes).items():
            self._tally.add(What(_PROTOCOL, action, outcome), elapsed_s, count)


# -- identifiers -------------------------------------------------------------------------------


def _detail(connection: Connection, visit: Visit, query: Json) -> Done:
    _refuse(rules.handle_problem(query.get("handle")))
    held = registrations.read(connection, visit, query["handle"])
    if held is None:
        gone = registrations.withdrawal(connection, visit, query["handle"])
        data = None if gone is None else write_withdrawal(gone)
        raise Refusal(rules.NOT_FOUND, outcome=Outcome.NOT_FOUND, data=data)
    return write_detail(held), [Outcome.OK]


def _listed(connection: Connection, visit: Visit, query: Json) -> Done:
    prefix, after = query.get("prefix", ""), query.get("after", "")
    if not rules.is_key(prefix):
        raise Refusal(rules.missing("prefix"))
    found: Result | Sequence[str | Registration]
    if query.get(WITHDRAWN) == "true":
        found = registrations.listed_with_withdrawn(connection, visit, prefix, _PAGE, after)
    else:
        found = registrations.listed(connection, visit, prefix, _PAGE, after=after)
    if isinstance(found, Result):
        raise Refusal(found.message, status=-3, outcome=found.outcome)
    return write_page(found), [Outcome.OK]


def _create(connection: Connection, visit: Visit, bodies: Sequence[Any]) -> list[Result]:
    return _well_formed(visit, bodies, lambda new: registrations.create(connection, visit, new))


def _update(connection: Connection, visit: Visit, bodies: Sequence[Any]) -> list[Result]:
    return _well_formed(
        visit,
        bodies,
        lambda changed: registrations.update(connection, visit, changed, FIRST_INDEX),
    )


def _well_formed(
    visit: Visit, bodies: Sequence[Any], work: Callable[[Sequence[Any]], list[Result]]
) -> list[Result]:
    """Results of all; what is no registration is refused, and the work is done with the others."""
    problems = [rules.record_problem(body) for body in bodies]
    fit = [
        read_registration(body, visit.now_ms)
        for body, problem in zip(bodies, problems, strict=True)
        if problem is None
    ]
    done = iter(work(fit) if fit else ())
    return [
        next(done) if problem is None else Result(_name(body), Outcome.INVALID, problem)
        for body, problem in zip(bodies, problems, strict=True)
    ]


def _name(body: object) -> Any:
    return body.get("handle", "") if isinstance(body, dict) else ""


def _one_of(work: Callable[[Connection, Visit, Sequence[Any]], list[Result]]) -> Step:
    def step(connection: Connection, visit: Visit, body: Any) -> Done:
        (result,) = work(connection, visit, [body])
        return _demanded(result)

    return step


def _many_of(work: Callable[[Connection, Visit, Sequence[Any]], list[Result]]) -> Step:
    def step(connection: Connection, visit: Visit, body: Any) -> Done:
        results = work(connection, visit, _batch_of(body))
        data = [{"handle": one.handle, "msg": one.message} for one in results]
        return data, [one.outcome for one in results]

    return step


def _delete(connection: Connection, visit: Visit, body: Any) -> Done:
    asked = read_withdrawal(body if isinstance(body, dict) else {})
    (result,) = registrations.withdraw(connection, visit, [asked])
    return _demanded(result)


def _batch_delete(connection: Connection, visit: Visit, body: Any) -> Done:
    asked = [read_withdrawal(one) for one in _batch_of(body)]
    results = registrations.withdraw(connection, visit, asked)
    data = [
        {"handle": one.handle, "code": 1 if one.outcome is Outcome.OK else -2, "msg": one.message}
        for one in results
    ]
    return data, [one.outcome for one in results]


# -- templates ---------------------------------------------------------------------------------


def _template(connection: Connection, _visit: Visit, query: Json) -> Done:
    for name in ("prefix", "version"):
        if not rules.is_key(query.get(name, "")):
            raise Refusal(rules.missing(name))
    found = templates.read(connection, query["prefix"], query["version"])
    if found is None:
        raise Refusal(rules.NO_TEMPLATE, outcome=Outcome.NOT_FOUND)
    return {"handle": f"{found['prefix']}/{found['version']}", **found}, [Outcome.OK]


def _create_template(connection: Connection, visit: Visit, body: Any) -> Done:
    return _demanded(templates.create(connection, visit, body))


def _update_template(connection: Connection, visit: Visit, body: Any) -> Done:
    return _demanded(templates.update(connection, visit, body))


# -- what all share ----------------------------------------------------------------------------


def _refuse(problem: str | None) -> None:
    if problem is not None:
        raise Refusal(problem)


def _demanded(result: Result) -> Done:
    if result.outcome is not Outcome.OK:
        raise Refusal(result.message, outcome=result.outcome)
    return True, [Outcome.OK]


def _batch_of(body: object) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise Refusal("请求参数格式错误")
    if len(body) > registrations.MAX_AT_ONCE:
        raise Refusal(rules.TOO_MANY)
    return body


def _answering(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Wrap an answer into the envelope of the interface."""

    async def endpoint(request: Request) -> Answer:
        try:
            data = await answer(request)
        except Refusal as refusal:
            data = refusal.data
            return Answer({"message": str(refusal), "status": refusal.status, "data": data})
        return Answer({"message": rules.SUCCESS, "status": 1, "data": data})

    return endpoint
