"""The embedded node and its registry over real HTTP on loopback."""

import json
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from gateway.identifier.node.credentials import FILE, CredentialsError, node_credentials
from gateway.identifier.node.http.login import TOKEN_LIFE_MS
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.registering.snms.registry import SnmsRegistry
from gateway.identifier.template import EQUIPMENT_ITEMS, TYPES, equipment_values
from gateway.relational.database import DatabaseUnusableError
from tests.support.node import NOW_MS, ServedNode, served
from tests.support.waiting import SOON_S

PREFIX = "88.999.QZ01"
VERSION = "qulink-equipment-1"
TEXTS = {"equipName": "数控磨床", "enterpriseUscc": "91330822MA0000015W", "assetNo": "A1"}


def record(suffix: str, **texts: str) -> Record:
    values = equipment_values(TEXTS | texts)
    items = tuple(Value(index, TYPES[index], text) for index, text in values.items())
    return Record(f"{PREFIX}/{suffix}", VERSION, items)


async def with_template(registry: SnmsRegistry) -> None:
    result = await registry.ensure_template(PREFIX, VERSION, EQUIPMENT_ITEMS)
    assert result.outcome is Outcome.OK


async def test_what_was_registered_survives_a_restart(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        await registry.create([record("1")])
    async with served(tmp_path) as node, node.registry() as registry:
        held = (await registry.read(f"{PREFIX}/1")).record
        assert held is not None
        assert held.agrees_with(record("1"))


async def test_each_item_of_a_batch_has_its_own_result(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        strange = Record(f"{PREFIX}/3", VERSION, (Value(1000, "TEMPLATE_ID", "x"),))
        twice = [record("1"), record("1"), record("2"), strange]
        results = await registry.create(twice)
        assert [one.message for one in results] == [
            "成功",
            "标识已存在",
            "成功",
            "非法操作，索引1000在模板中不存在",
        ]
        updated = await registry.update([record("1", equipName="乙"), record("9")])
        assert [one.message for one in updated] == ["成功", "标识不存在"]
        assert node.count() == 2


async def test_a_batch_holds_two_thousand_at_most(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.registry(timeout_s=30) as registry:
        await with_template(registry)
        many = [record(f"{number:05d}") for number in range(2_001)]
        body = [one.body() for one in many]
        answer = await raw(registry, node.url, "POST", "/identityv2/data/batchCreate", body)
        assert "不能超过2000" in answer["message"]
        assert node.count() == 0
        assert {one.outcome for one in await registry.create(many[:2_000])} == {Outcome.OK}
        assert node.count() == 2_000


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
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        answer = await raw(
            registry, node.url, "POST", "/identityv2/data", record("1").body() | change
        )
        assert answer["status"] == -2
        assert message in answer["message"]
        assert node.count() == 0


@pytest.mark.parametrize(
    "value", [{"format": "int", "value": "1"}, {"format": "string", "value": "x" * 256}]
)
async def test_values_that_break_a_rule(tmp_path: Path, value: dict[str, str]) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        body = record("1").body()
        body["value"][0]["data"] = value
        answer = await raw(registry, node.url, "POST", "/identityv2/data", body)
        assert answer["status"] == -2
        assert "索引2000" in answer["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 100_000, b"\xff"])
async def test_bodies_that_are_nonsense(tmp_path: Path, body: bytes) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await registry.login()
        for path in ("/identityv2/data", "/identityv2/data/batchCreate", "/snms/api/v5/template"):
            answer = await raw(registry, node.url, "POST", path, body)
            assert answer["status"] == -2
        login = await raw(registry, node.url, "POST", "/identity/token/v1", body)
        assert login["status"] == -2


async def raw(
    registry: SnmsRegistry, url: str, method: str, path: str, body: Any
) -> dict[str, Any]:
    """A request that the registry itself would not make."""
    header = await registry._login.header()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx.AsyncClient(base_url=url, timeout=SOON_S) as http:
        answer = await http.request(method, path, content=content, headers=header)
    assert answer.status_code == 200
    return dict(answer.json())


async def test_templates(tmp_path: Path) -> None:
    path = "/snms/api/v5/template"
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        held = node.template(PREFIX, VERSION)
        assert held is not None
        assert len(held["items"]) == len(EQUIPMENT_ITEMS)
        assert (await raw(registry, node.url, "POST", path, held))["message"] == "模板已存在"
        low = {**held, "version": "2", "items": [{**held["items"][0], "idIndex": 1_999}]}
        answer = await raw(registry, node.url, "POST", path, low)
        assert answer["message"] == "非法操作，索引1999小于2000"
        added = {**held["items"][0], "idIndex": 2_100, "idType": "extra", "name": "附加"}
        update = {**held, "items": [added]}
        assert (await raw(registry, node.url, "PUT", path, update))["status"] == 1
        grown = node.template(PREFIX, VERSION)
        assert grown is not None
        assert len(grown["items"]) == len(EQUIPMENT_ITEMS) + 1


def pages(node: ServedNode) -> int:
    """How many the node's file has."""
    with node.database.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


async def test_a_full_disk_ends_one_request_and_no_other(tmp_path: Path) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        await with_template(registry)
        most = [pages(node)]
        event.listen(
            node.database.engine,
            "checkout",
            lambda one, *_: one.execute(f"PRAGMA max_page_count={most[0]}"),
        )
        many = [record(f"{number:05d}") for number in range(500)]
        assert {one.outcome for one in await registry.create(many)} == {Outcome.UNKNOWN}
        assert node.count() == 0
        most[0] = 1_000_000
        assert {one.outcome for one in await registry.create(many)} == {Outcome.OK}


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
