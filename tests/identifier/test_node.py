"""The embedded node and its client over real HTTP on loopback."""

import asyncio
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.days import day_of
from gateway.identifier.node.credentials import FILE, CredentialsError, node_credentials
from gateway.identifier.node.http.login import TOKEN_LIFE_MS
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.record import Record, Value
from gateway.identifier.snms import (
    NodeLoginError,
    NodeRefusedError,
    NodeUnavailableError,
    OutcomeUnknownError,
    SnmsClient,
)
from gateway.identifier.template import EQUIPMENT_ITEMS, TYPES, equipment_values
from gateway.relational.database import DatabaseUnusableError
from tests.support.node import NOW_MS, ServedNode, served
from tests.support.peers import free_port
from tests.support.waiting import SOON_S

PREFIX = "88.999.QZ01"
VERSION = "qulink-equipment-1"
TEXTS = {"equipName": "数控磨床", "enterpriseUscc": "91330822MA0000015W", "assetNo": "A1"}


def record(suffix: str, **texts: str) -> Record:
    values = equipment_values(TEXTS | texts)
    items = tuple(Value(index, TYPES[index], text) for index, text in values.items())
    return Record(f"{PREFIX}/{suffix}", VERSION, items)


async def with_template(client: SnmsClient) -> SnmsClient:
    await client.create_template(PREFIX, VERSION, EQUIPMENT_ITEMS)
    return client


async def test_register_read_update_delete(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        assert await client.detail(f"{PREFIX}/1") is None
        await client.register(record("1"))
        held = await client.detail(f"{PREFIX.lower()}/1")
        assert held is not None
        assert held.agrees_with(record("1"))
        await client.update(record("1", equipName="新名"))
        changed = await client.detail(f"{PREFIX}/1")
        assert changed is not None
        assert changed.values[0].text == "新名"
        assert not changed.agrees_with(record("1"))
        await client.delete(f"{PREFIX}/1")
        assert await client.detail(f"{PREFIX}/1") is None
        with pytest.raises(NodeRefusedError, match="标识已存在"):
            await client.register(record("1"))  # never given out again


async def test_what_was_registered_survives_a_restart(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        await client.register(record("1"))
    async with served(tmp_path) as node, node.client() as client:
        held = await client.detail(f"{PREFIX}/1")
        assert held is not None
        assert held.agrees_with(record("1"))


async def test_each_item_of_a_batch_has_its_own_result(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        strange = Record(f"{PREFIX}/3", VERSION, (Value(1000, "TEMPLATE_ID", "x"),))
        twice = [record("1"), record("1"), record("2"), strange]
        results = await client.batch_create(twice)
        assert [(one.ok, one.message) for one in results] == [
            (True, "成功"),
            (False, "标识已存在"),
            (True, "成功"),
            (False, "非法操作，索引1000在模板中不存在"),
        ]
        updated = await client.batch_update([record("1", equipName="乙"), record("9")])
        assert [(one.ok, one.message) for one in updated] == [(True, "成功"), (False, "标识不存在")]
        assert node.count() == 2


async def test_a_batch_holds_two_thousand_at_most(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client(timeout_s=30) as client:
        await with_template(client)
        many = [record(f"{number:05d}") for number in range(2_001)]
        with pytest.raises(NodeRefusedError, match="不能超过2000"):
            await client.batch_create(many)
        assert node.count() == 0
        assert all(one.ok for one in await client.batch_create(many[:2_000]))
        assert node.count() == 2_000


@pytest.mark.parametrize("shift", [-1, 0, 1])
async def test_login_tries_the_days_around(tmp_path: Path, shift: int) -> None:
    async with served(tmp_path) as node:
        day = day_of(NOW_MS) + timedelta(days=shift)
        async with node.client(today=lambda: day) as client:
            await client.login()


async def test_a_wrong_secret_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client(secret="123456") as client:
        with pytest.raises(NodeLoginError, match=r"用户名/密码错误！; check user name, secret"):
            await client.detail(f"{PREFIX}/1")


async def test_plain_login_and_missing_token(tmp_path: Path) -> None:
    async with (
        served(tmp_path) as node,
        httpx.AsyncClient(base_url=node.url, timeout=SOON_S) as http,
    ):
        refused = await http.get("/identityv2/data/detail", params={"handle": "a/b"})
        assert refused.json() == {"message": "未登录", "status": -1, "data": None}
        body = {"username": node.credentials.username, "password": node.credentials.secret}
        answer = (await http.post("/identity/token", json=body)).json()
        header = {"Authorization": f"Bearer {answer['data']['token']}"}
        found = await http.get("/identityv2/data/detail", headers=header)
        assert found.json()["message"] == "缺少必要的请求参数: handle"


async def test_a_token_ends(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with (
        served(tmp_path, now_ms=lambda: clock[0]) as node,
        httpx.AsyncClient(base_url=node.url, timeout=SOON_S) as http,
    ):
        body = {"username": node.credentials.username, "password": node.credentials.secret}
        answer = (await http.post("/identity/token", json=body)).json()
        header = {"Authorization": f"Bearer {answer['data']['token']}"}
        for passed_ms, is_admitted in ((TOKEN_LIFE_MS - 1, True), (1, False)):
            clock[0] += passed_ms
            found = await http.get("/identityv2/data/detail", headers=header)
            assert (found.json()["message"] != "未登录") is is_admitted


async def test_an_expired_token_is_renewed_once(tmp_path: Path) -> None:
    clock = [NOW_MS]
    async with (
        served(tmp_path, now_ms=lambda: clock[0]) as node,
        node.client(today=lambda: day_of(clock[0])) as client,
    ):
        await with_template(client)
        clock[0] += TOKEN_LIFE_MS
        await client.register(record("1"))
        assert node.count() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"handle": ""}, "缺少必要的请求参数: handle"),
        ({"handle": "no-slash"}, "标识格式错误"),
        ({"handle": f"{PREFIX}/" + "x" * 255}, "不能超过255"),
        ({"handle": f"{PREFIX}/\ud800"}, "标识格式错误"),
        ({"templateVersion": "v" * 129}, "缺少必要的请求参数: templateVersion"),
        ({"templateVersion": "other"}, "模板不存在"),
        ({"value": None}, "缺少必要的请求参数: value"),
        ({"value": [{"index": "2000"}]}, "缺少必要的请求参数: index"),
        ({"value": []}, "缺少必填项: 设备名称"),
    ],
)
async def test_registrations_that_break_a_rule(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        answer = await raw(
            client, node.url, "POST", "/identityv2/data", record("1").body() | change
        )
        assert answer["status"] == -2
        assert message in answer["message"]
        assert node.count() == 0


@pytest.mark.parametrize(
    "value", [{"format": "int", "value": "1"}, {"format": "string", "value": "x" * 256}]
)
async def test_values_that_break_a_rule(tmp_path: Path, value: dict[str, str]) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        body = record("1").body()
        body["value"][0]["data"] = value
        answer = await raw(client, node.url, "POST", "/identityv2/data", body)
        assert answer["status"] == -2
        assert "索引2000" in answer["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff"])
async def test_bodies_that_are_nonsense(tmp_path: Path, body: bytes) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await client.login()
        for path in ("/identityv2/data", "/identityv2/data/batchCreate", "/snms/api/v5/template"):
            answer = await raw(client, node.url, "POST", path, body)
            assert answer["status"] == -2
        login = await raw(client, node.url, "POST", "/identity/token/v1", body)
        assert login["status"] == -2


async def raw(client: SnmsClient, url: str, method: str, path: str, body: Any) -> dict[str, Any]:
    """A request that the client itself would not make."""
    header = {"Authorization": f"Bearer {client._token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(base_url=url, timeout=SOON_S) as http:
        answer = await http.request(method, path, content=content, headers=header)
    assert answer.status_code == 200
    return dict(answer.json())


async def test_templates(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client() as client:
        assert await client.template(PREFIX, VERSION) is None
        await with_template(client)
        held = await client.template(PREFIX, VERSION)
        assert held is not None
        assert len(held["items"]) == len(EQUIPMENT_ITEMS)
        with pytest.raises(NodeRefusedError, match="模板已存在"):
            await with_template(client)
        low = {**held, "version": "2", "items": [{**held["items"][0], "idIndex": 1_999}]}
        answer = await raw(client, node.url, "POST", "/snms/api/v5/template", low)
        assert answer["message"] == "非法操作，索引1999小于2000"
        added = {**held["items"][0], "idIndex": 2_100, "idType": "extra", "name": "附加"}
        update = {**held, "items": [added]}
        assert (await raw(client, node.url, "PUT", "/snms/api/v5/template", update))["status"] == 1
        grown = await client.template(PREFIX, VERSION)
        assert grown is not None
        assert len(grown["items"]) == len(EQUIPMENT_ITEMS) + 1


def failing(status: int, times: int, after: bool) -> Any:
    """Answer a batch with an HTTP status, before or after the node has done the work."""
    left = [times]

    def wrap(app: ASGIApp) -> ASGIApp:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if not scope.get("path", "").startswith("/identityv2/data") or left[0] == 0:
                await app(scope, receive, send)
                return
            left[0] -= 1
            if after:

                async def nowhere(_message: Any) -> None:
                    return None

                await app(scope, receive, nowhere)
            await PlainTextResponse("", status)(scope, receive, send)

        return faulty

    return wrap


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, OutcomeUnknownError),
        (502, OutcomeUnknownError),
        (503, NodeUnavailableError),
        (504, OutcomeUnknownError),
        (200, OutcomeUnknownError),  # no JSON
    ],
)
async def test_faults_on_the_way(tmp_path: Path, status: int, error: type[Exception]) -> None:
    async with served(tmp_path, failing(status, 1, after=False)) as node, node.client() as client:
        await with_template(client)
        with pytest.raises(error):
            await client.batch_create([record("1")])


def pages(node: ServedNode) -> int:
    """How many the node's file has."""
    with node.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


async def test_a_full_disk_ends_one_request_and_no_other(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.client() as client:
        await with_template(client)
        most = [pages(node)]
        event.listen(
            node.database.engine,
            "checkout",
            lambda one, *_: one.execute(f"PRAGMA max_page_count={most[0]}"),
        )
        many = [record(f"{number:05d}") for number in range(500)]
        with pytest.raises(OutcomeUnknownError, match="HTTP 500"):
            await client.batch_create(many)
        assert node.count() == 0
        most[0] = 1_000_000
        assert all(one.ok for one in await client.batch_create(many))


def endless(_app: ASGIApp) -> ASGIApp:
    """An answer that goes on and on, a little at a time."""

    async def dripping(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        gone = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.done():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.05)

    return dripping


async def test_an_answer_that_never_ends_is_given_up(tmp_path: Path) -> None:
    async with served(tmp_path, endless) as node, node.client(timeout_s=0.5) as client:
        with pytest.raises(OutcomeUnknownError, match=r"no answer in 0.5 s"):
            await client.detail(f"{PREFIX}/1")


def fixed(path: str, answer: Any) -> Callable[[ASGIApp], ASGIApp]:
    """One path always gives the same JSON."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = JSONResponse(answer) if scope.get("path") == path else app
            await chosen(scope, receive, send)

        return routed

    return wrap


@pytest.mark.parametrize(
    ("path", "answer", "error"),
    [
        ("/identity/token/v1", {"status": 1, "data": "abc"}, OutcomeUnknownError),
        ("/identity/token/v1", {"status": 1, "data": {"token": None}}, OutcomeUnknownError),
        ("/identityv2/data/detail", {"status": -3, "message": "没有权限"}, NodeLoginError),
        ("/identityv2/data/detail", {"status": -4, "message": "内部错误"}, OutcomeUnknownError),
        ("/identityv2/data/detail", {"status": 1, "data": {"handle": "x"}}, OutcomeUnknownError),
        (
            "/identityv2/data/detail",
            {"status": 1, "data": {"handle": "no-slash", "templateVersion": "1", "value": []}},
            OutcomeUnknownError,
        ),
    ],
)
async def test_strange_answers_are_faults_of_the_node(
    tmp_path: Path, path: str, answer: Any, error: type[Exception]
) -> None:
    async with served(tmp_path, fixed(path, answer)) as node, node.client() as client:
        with pytest.raises(error):
            await client.detail(f"{PREFIX}/1")


async def test_nobody_listens(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    client = SnmsClient(url, "x", lambda: "y", today=lambda: day_of(NOW_MS), timeout_s=2)
    async with client:
        with pytest.raises(NodeUnavailableError, match="not reached"):
            await client.detail("a/b")


def test_credentials_are_made_once_private_and_random(tmp_path: Path) -> None:
    made = node_credentials(tmp_path / "a")
    assert node_credentials(tmp_path / "a") == made
    assert node_credentials(tmp_path / "b").secret != made.secret
    assert len(made.secret) >= 40
    assert made.secret not in repr(made)
    assert stat.S_IMODE((tmp_path / "a" / FILE).stat().st_mode) == 0o600
    (tmp_path / "a" / FILE).write_text("{}")
    with pytest.raises(CredentialsError, match="holds no credentials"):
        node_credentials(tmp_path / "a")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database" * 100)
    with pytest.raises(DatabaseUnusableError, match=r"text\.db: file is not a database"):
        open_database("sqlite:///text.db", tmp_path, {})
