"""An enterprise whose prefix is suspended sees what is its own by each face, changing nothing."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    read_held,
    read_list,
    write_handle,
    write_held,
    write_question,
)
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.values import Reference, Value
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import SecretKey
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.pages.face import record_address
from gateway.identifier.node.rights import accounts, allotting
from tests.identifier.node.acting import CLERK, ROOT, machine
from tests.identifier.node.handle_face import PREFIX, SECRET, Client, asking, key_of, post
from tests.identifier.node.natively import TIMEOUT_S, served
from tests.identifier.node.running import body

HANDLE = f"{PREFIX}/1"
OWN, OTHER = "qz01", "qz02"
SEEN = {OWN: {2000: "a", 2001: "b", 2002: "c"}, OTHER: {2000: "a", 2001: "b"}}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(tmp_path) as made:
        made.node.create(OWN, machine("1"))
        for name in (OWN, OTHER):
            made.node.do(accounts.set_password, ROOT, name, SECRET)
        made.node.do(allotting.decide, CLERK, PREFIX, State.SUSPENDED, "fees")
        yield made


@pytest.mark.parametrize("name", [OWN, OTHER])
async def test_over_snms(client: Client, name: str) -> None:
    login = {"username": name, "password": SECRET}
    token = (await client.http.post("/identity/token", json=login)).json()["data"]["token"]
    client.http.headers["authorization"] = f"Bearer {token}"
    query = {"handle": HANDLE}
    told = (await client.http.get("/identityv2/data/detail", params=query)).json()["data"]
    items = {one["index"]: one["data"]["value"] for one in told["value"]}
    assert {at: text for at, text in items.items() if at >= 2000} == SEEN[name]
    listed = await client.http.get("/identityv2/data/list", params={"prefix": PREFIX})
    assert listed.json()["data"] == ([HANDLE] if name == OWN else None)
    for method, given in (("POST", body("2")), ("PUT", body("1")), ("DELETE", query)):
        done = (await client.http.request(method, "/identityv2/data", json=given)).json()
        assert (done["status"], PREFIX in done["message"]) == (-2, True)


@pytest.mark.parametrize("name", [OWN, OTHER])
async def test_as_handle_json(client: Client, name: str) -> None:
    _, told = await client.ask("GET", f"/handles/{HANDLE}", key_of(name))
    items = {one["index"]: one["data"]["value"] for one in told["values"]}
    assert {at: text for at, text in items.items() if at >= 2000} == SEEN[name]
    status, told = await client.ask("GET", f"/handles?prefix={PREFIX}", key_of(name))
    assert (status, told.get("handles")) == ((200, [HANDLE]) if name == OWN else (403, None))
    status, _ = await client.ask("DELETE", f"/handles/{HANDLE}", key_of(name))
    assert status == 403


@pytest.mark.parametrize("name", [OWN, OTHER])
async def test_on_pages(client: Client, name: str) -> None:
    await post(client, "/login", username=name, password=SECRET)
    page = (await client.http.get(record_address(HANDLE), params={"lang": "en"})).text
    assert f"What {name} may see" in page
    assert {at: text for at, text in SEEN[OWN].items() if f"<bdi>{text}</bdi>" in page} == SEEN[
        name
    ]


async def test_natively_and_what_nobody_may_is_told_apart(client: Client) -> None:
    key = SecretKey(Reference(f"{PREFIX}/ADMIN", 300), SECRET.encode())
    value = Value(1, "URL", b"http://a.cn")
    async with served(client.node, client.seal) as here:
        server = Administrator(("127.0.0.1", here.port), key, TIMEOUT_S)
        with closing(server):
            answer = await server.ask(Op.RESOLVE, write_question(Question(HANDLE)))
            items = {one.index: one.data.decode() for one in read_held(answer.body).values}
            assert {at: text for at, text in items.items() if at >= 2000} == SEEN[OWN]
            for prefix, rc in (
                (PREFIX, Rc.PREFIX_LIMIT),
                (f"{PREFIX}.PART", Rc.PREFIX_LIMIT),
                ("88.999.NOBODY", Rc.PREFIX_LIMIT),
                ("88.999.QZ02", Rc.NOT_PERMITTED),
            ):
                new = write_held(Held(f"{prefix}/9", (value,)))
                assert (await server.ask(Op.CREATE, new)).rc == rc, prefix
            assert (await server.ask(Op.DELETE, write_handle(HANDLE))).rc == Rc.PREFIX_LIMIT
            listed = await server.ask(Op.LIST_HANDLES, write_handle(f"0.NA/{PREFIX}"))
            assert read_list(listed.body) == (HANDLE,)
            others = await server.ask(Op.LIST_HANDLES, write_handle("0.NA/88.999.QZ02"))
            assert others.rc == Rc.NOT_PERMITTED
