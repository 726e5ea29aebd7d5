"""The SNMS interface as a registry, over real HTTP to the node."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_config.models.base import SecretUnavailableError
from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.node.http.login import TOKEN_LIFE_MS
from gateway.identifier.node.http.snms_bodies import REASON
from gateway.identifier.node.keeping import records
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.marking import WITHDRAWN, is_marked
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.registering.snms.registry import Manner, SnmsRegistry
from gateway.identifier.template import EQUIPMENT_ITEMS, TEMPLATE_ITEMS, TYPES, equipment_values
from tests.support.node import NOW_MS, ServedNode, served
from tests.support.peers import free_port

PREFIX = "88.999.QZ01"
VERSION = "qulink-equipment-1"
TEXTS = {"equipName": "数控磨床", "enterpriseUscc": "91330822MA0000015W", "assetNo": "A1"}
Wrap = Callable[[ASGIApp], ASGIApp]


def record(suffix: str, **texts: str) -> Record:
    values = equipment_values(TEXTS | texts)
    items = tuple(Value(index, TYPES[index], text) for index, text in values.items())
    return Record(f"{PREFIX}/{suffix}", VERSION, items)


async def with_template(registry: SnmsRegistry) -> None:
    result = await registry.ensure_template(PREFIX, VERSION, TEMPLATE_ITEMS)
    assert result.outcome is Outcome.OK, result.message


async def outcomes(call: Any) -> list[Outcome]:
    return [one.outcome for one in await call]


async def test_create_read_update_withdraw(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        assert (await registry.read(f"{PREFIX}/1")).outcome is Outcome.NOT_FOUND
        assert await outcomes(registry.create([record("1"), record("1"), record("2")])) == [
            Outcome.OK,
            Outcome.EXISTS,
            Outcome.OK,
        ]
        held = (await registry.read(f"{PREFIX.lower()}/1")).record
        assert held is not None
        assert held.agrees_with(record("1"))
        changed = [record("1", equipName="新名"), record("9")]
        assert await outcomes(registry.update(changed)) == [Outcome.OK, Outcome.NOT_FOUND]
        reason = "行 3 录入两次"
        assert await outcomes(registry.withdraw([record("1"), record("9")], reason)) == [
            Outcome.OK,
            Outcome.NOT_FOUND,
        ]
        marked = (await registry.read(f"{PREFIX}/1")).record
        assert marked is not None
        assert is_marked(marked)
        assert not is_marked(held)
        assert {one.text for one in marked.values} >= {WITHDRAWN, reason, "A1"}


async def test_what_is_deleted_is_never_registered_again(tmp_path: Path) -> None:
    manner = Manner(withdrawal="delete", reason=REASON)
    async with served(tmp_path) as node, node.registry(manner=manner) as registry:
        await with_template(registry)
        await registry.create([record("1")])
        withdrawn = await outcomes(registry.withdraw([record("1"), record("9")], "行 3\n录重"))
        assert withdrawn == [Outcome.OK, Outcome.NOT_FOUND]
        gone = node.database.run_now(records.withdrawal, f"{PREFIX}/1")
        assert gone is not None
        assert (gone.why, gone.by) == ("行 3 录重", node.credentials.username)
        assert (await registry.read(f"{PREFIX}/1")).outcome is Outcome.NOT_FOUND
        assert await outcomes(registry.create([record("1")])) == [Outcome.EXISTS]


async def test_a_batch_that_is_refused_as_a_whole_is_halved(tmp_path: Path) -> None:
    sizes: list[int] = []

    def picky(body: list[Any]) -> Response | None:
        sizes.append(len(body))
        bad = any(one["handle"].endswith("/3") for one in body)
        return JSONResponse({"message": "系统不支持该标识", "status": -2}) if bad else None

    async with served(tmp_path, on_batch(picky)) as node, node.registry() as registry:
        await with_template(registry)
        results = await registry.create([record(f"{at}") for at in range(1, 8)])
        assert [one.outcome for one in results] == [
            Outcome.OK,
            Outcome.OK,
            Outcome.INVALID,
            *[Outcome.OK] * 4,
        ]
        assert "系统不支持该标识" in results[2].message
        assert [one.handle for one in results] == [f"{PREFIX}/{at}" for at in range(1, 8)]
    assert sizes == [7, 3, 1, 2, 1, 1, 4]


def on_batch(answer: Callable[[list[Any]], Response | None]) -> Wrap:
    """Put ``answer`` between the node and its callers, on batches; None: the node's own."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            if "/batch" not in scope.get("path", ""):
                await app(scope, receive, send)
                return
            message = await receive()
            while message.get("more_body"):
                more = await receive()
                message = more | {"body": message["body"] + more["body"]}

            async def again() -> Any:
                return message

            own = answer(json.loads(message["body"]))
            await (own or app)(scope, again, send)

        return routed

    return wrap


async def test_behind_a_part_that_pauses_nothing_more_is_sent(tmp_path: Path) -> None:
    sizes: list[int] = []

    def full(body: list[Any]) -> Response | None:
        sizes.append(len(body))
        used_up = JSONResponse({"message": "本日注册配额已用完", "status": -2})
        return used_up if len(sizes) > 1 else None

    manner = Manner(batch=2)
    async with served(tmp_path, on_batch(full)) as node, node.registry(manner=manner) as registry:
        assert registry.abilities.batch == 2
        await with_template(registry)
        results = await registry.create([record(f"{at}") for at in range(7)])
        assert [one.outcome for one in results] == [*[Outcome.OK] * 2, *[Outcome.QUOTA] * 5]
        assert len({one.handle for one in results}) == 7
    assert sizes == [2, 2]


ITEMS: list[tuple[Any, Outcome]] = [
    (None, Outcome.UNKNOWN),
    ("成功", Outcome.UNKNOWN),
    ([], Outcome.UNKNOWN),
    ([{"handle": f"{PREFIX}/2", "msg": "成功"}], Outcome.UNKNOWN),
    ([{"handle": f"{PREFIX}/1", "msg": None}], Outcome.UNKNOWN),
    ([7, {"handle": f"{PREFIX.lower()}/1", "msg": "注册成功"}], Outcome.OK),
    ([{"handle": f"{PREFIX}/1", "msg": "系统繁忙"}], Outcome.BUSY),
    ([{"handle": f"{PREFIX}/1", "msg": "标识已存在"}], Outcome.EXISTS),
    ([{"handle": f"{PREFIX}/1", "msg": "模板不存在"}], Outcome.INVALID),
    ([{"handle": f"{PREFIX}/1", "msg": "索引2000在模板中不存在"}], Outcome.INVALID),
    ([{"handle": f"{PREFIX}/1", "msg": "超出企业额度"}], Outcome.QUOTA),
]
ANSWERS: list[tuple[Response, Outcome]] = [
    (PlainTextResponse("", 500), Outcome.UNKNOWN),
    (PlainTextResponse("", 504), Outcome.UNKNOWN),
    (PlainTextResponse("not json", 200), Outcome.UNKNOWN),
    (JSONResponse([1]), Outcome.UNKNOWN),
    (JSONResponse({"status": True, "message": "成功"}), Outcome.UNKNOWN),
    (JSONResponse({"status": 0, "message": "成功"}), Outcome.UNKNOWN),
    (JSONResponse({"status": -4, "message": "内部错误"}), Outcome.UNKNOWN),
    (JSONResponse({"status": -3, "message": "没有权限"}), Outcome.DENIED),
    (JSONResponse({"status": -2, "message": "系统繁忙"}), Outcome.BUSY),
    (JSONResponse({"status": -1, "message": "系统繁忙"}), Outcome.BUSY),
    (PlainTextResponse("", 401), Outcome.BUSY),  # the login itself is taken
    (PlainTextResponse("", 503), Outcome.BUSY),
    (PlainTextResponse("", 429), Outcome.BUSY),
    (PlainTextResponse("", 404), Outcome.UNREACHABLE),
]


async def test_what_answers_to_a_batch_and_its_items_say(tmp_path: Path) -> None:
    given: list[Response] = []
    async with (
        served(tmp_path, on_batch(lambda _: given[0])) as node,
        node.registry() as registry,
    ):
        for data, expected in ITEMS:
            given[:] = [JSONResponse({"message": "成功", "status": 1, "data": data})]
            assert await outcomes(registry.create([record("1")])) == [expected], data
        for answer, expected in ANSWERS:
            given[:] = [answer]
            both = await outcomes(registry.create([record("1"), record("2")]))
            assert both == [expected] * 2, (answer.status_code, answer.body)


async def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    registry = SnmsRegistry(Caller(url, 5), "x", lambda: "y", lambda: day_of(NOW_MS))
    assert (await registry.login()).outcome is Outcome.UNREACHABLE
    assert (await registry.read("a/b")).outcome is Outcome.UNREACHABLE
    (result,) = await registry.create([record("1")])
    assert result.outcome is Outcome.UNREACHABLE
    assert url in result.message
    await registry.close()


async def test_an_answer_that_never_ends_is_unknown(tmp_path: Path) -> None:
    def endless(app: ASGIApp) -> ASGIApp:
        async def dripping(scope: Scope, receive: Receive, send: Send) -> None:
            if "/batch" not in scope.get("path", ""):
                await app(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while (await asyncio.wait({gone}, timeout=0.05))[1]:
                await send({"type": "http.response.body", "body": b" ", "more_body": True})

        return dripping

    gone = asyncio.create_task(asyncio.Event().wait())
    async with served(tmp_path, endless) as node, node.registry() as ready:
        await with_template(ready)
        async with node.registry(timeout_s=5) as registry:
            assert await outcomes(registry.create([record("1")])) == [Outcome.UNKNOWN]
        gone.cancel()


async def test_the_days_around_are_tried(tmp_path: Path) -> None:
    async with served(tmp_path, clock_s=iter(range(0, 10**6, 3_600)).__next__) as node:
        for shift, expected in ((-1, True), (0, True), (1, True), (-2, False), (2, False)):
            day = day_of(NOW_MS) + timedelta(days=shift)
            async with node.registry(today=lambda day=day: day) as registry:  # type: ignore[misc]
                result = await registry.login()
                assert (result.outcome is Outcome.OK) is expected, shift
                if not expected:
                    assert result.outcome is Outcome.LOGIN
                    assert "check user name, secret and clock" in result.message
                    assert node.credentials.secret not in result.message


async def test_a_secret_that_cannot_be_read_is_a_login_refused(tmp_path: Path) -> None:
    def gone() -> str:
        raise SecretUnavailableError("the secret in file node.key is missing or empty")

    async with served(tmp_path) as node:
        registry = SnmsRegistry(Caller(node.url, 10), "x", gone, lambda: day_of(NOW_MS))
        (result,) = await registry.create([record("1")])
        assert result.outcome is Outcome.LOGIN
        assert "node.key is missing" in result.message
        await registry.close()


async def test_a_token_that_ends_between_two_batches_is_renewed(tmp_path: Path) -> None:
    clock = [NOW_MS]

    calls: list[int] = []

    def later(_: list[Any]) -> None:
        calls.append(clock[0])
        if len(calls) % 2:  # the renewed one holds
            clock[0] += TOKEN_LIFE_MS

    async with served(tmp_path, on_batch(later), now_ms=lambda: clock[0]) as node:
        own = node.registry(today=lambda: day_of(clock[0]), manner=Manner(batch=2))
        async with own as registry:
            await with_template(registry)
            many = [record(f"{at}") for at in range(5)]
            assert set(await outcomes(registry.create(many))) == {Outcome.OK}
            assert node.count() == 5
    assert len(calls) == 6, "each of three batches had a token that had ended"


async def test_a_login_without_a_token_has_done_nothing(tmp_path: Path) -> None:
    given: list[Any] = []
    wrap = at_path("/identity/token/v1", lambda: {"status": 1, "message": "成功", "data": given[0]})
    async with served(tmp_path, wrap) as node, node.registry() as registry:
        for data in ("abc", {"token": None}, {"token": ""}, {"token": "a\nb"}, None):
            given[:] = [data]
            assert await outcomes(registry.create([record("1")])) == [Outcome.UNREACHABLE]


def at_path(path: str, answer: Callable[[], Any]) -> Wrap:
    """One path gives an answer of its own."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = JSONResponse(answer()) if scope.get("path") == path else app
            await chosen(scope, receive, send)

        return routed

    return wrap


STRANGE = [
    None,
    "x",
    {"handle": "x"},
    {"handle": "no-slash", "templateVersion": "1", "value": []},
    {"handle": f"{PREFIX}/2", "templateVersion": "1", "value": []},  # another's
]


async def test_a_record_that_is_none_or_anothers_is_not_believed(tmp_path: Path) -> None:
    given: list[Any] = []
    path = "/identityv2/data/detail"
    wrap = at_path(path, lambda: {"status": 1, "message": "成功", "data": given[0]})
    async with served(tmp_path, wrap) as node, node.registry() as registry:
        for data in STRANGE:
            given[:] = [data]
            reading = await registry.read(f"{PREFIX}/1")
            assert (reading.outcome, reading.record) == (Outcome.UNKNOWN, None)


def items_of(node: ServedNode) -> dict[int, dict[str, Any]]:
    held = node.template(PREFIX, VERSION)
    assert held is not None
    return {one["idIndex"]: one for one in held["items"]}


async def test_a_template_gets_what_it_lacks_and_keeps_what_it_has(tmp_path: Path) -> None:
    sent: list[Any] = []

    def heard(app: ASGIApp) -> ASGIApp:
        async def hearing(scope: Scope, receive: Receive, send: Send) -> None:
            message = await receive()
            if scope.get("path") == "/snms/api/v5/template" and scope["method"] != "GET":
                body = json.loads(message["body"])
                sent.append((scope["method"], [one["idIndex"] for one in body["items"]]))

            async def again() -> Any:
                return message

            await app(scope, again, send)

        return hearing

    async with served(tmp_path, heard) as node, node.registry() as registry:
        old = EQUIPMENT_ITEMS[:3]
        await registry.ensure_template(PREFIX, VERSION, old)
        held = node.template(PREFIX, VERSION)
        assert held is not None
        extra = {**held["items"][0], "idIndex": 2_100, "idType": "own", "name": "自有"}
        disabled = {**held["items"][1], "state": 0}
        node.put_template({**held, "items": [held["items"][0], disabled, extra]})
        for _ in range(2):
            await with_template(registry)
        items = items_of(node)
        assert set(items) == {*range(2_000, 2_019), 2_100}
        assert items[2_001]["state"] == 0, "a person's decision"
    lacked = [2_002, *range(2_003, 2_019)]
    assert sent == [("POST", [2_000, 2_001, 2_002]), ("PUT", lacked)]
