"""The node's JSON interface for handles: what is asked, by whom, and what becomes of it."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.identifier.irp.data import write_site
from gateway.identifier.irp.proofs import write_rsa_key
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.rights import allotting
from tests.identifier.irp.servers import site_at
from tests.identifier.node.acting import CLERK
from tests.identifier.node.handle_face import (
    PREFIX,
    SECRET,
    Client,
    asking,
    basic,
    give_key,
    key_of,
)

KEY, OTHER = key_of("qz01"), key_of("qz02")
URL = {"index": 1, "type": "URL", "data": {"format": "string", "value": "http://a.cn"}}
NAME = {"index": 2, "type": "DESC", "data": {"format": "string", "value": "1#注塑机"}}
HIDDEN = {**NAME, "index": 3, "permissions": "1100"}
HANDLE = f"{PREFIX}/451.1"
WHY = "deleted natively by its administrator"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(tmp_path) as made:
        yield made


def at(handle: str, query: str = "") -> str:
    return f"/handles/{quote(handle)}{query}"


async def values(
    client: Client, handle: str = HANDLE, query: str = "", key: str | None = None
) -> Any:
    _, body = await client.ask("GET", at(handle, query), key)
    return {one["index"]: one["data"]["value"] for one in body.get("values", [])}


async def test_a_handle_is_created_read_replaced_and_withdrawn(client: Client) -> None:
    created = await client.ask("PUT", at(HANDLE), KEY, json={"values": [URL, HIDDEN]})
    assert created == (201, {"responseCode": 1, "handle": HANDLE})
    assert await values(client, HANDLE.lower()) == {1: "http://a.cn"}
    assert await values(client, key=KEY) == {1: "http://a.cn", 3: "1#注塑机"}
    assert await values(client, query="?publicOnly=true", key=KEY) == {1: "http://a.cn"}
    _, body = await client.ask("GET", at(HANDLE))
    assert (body["handle"], body["values"][0]["timestamp"]) == (HANDLE, "2026-11-18T11:06:40Z")
    replaced = await client.ask("PUT", at(HANDLE), KEY, json=[NAME])
    assert replaced == (200, {"responseCode": 1, "handle": HANDLE})
    assert await values(client) == {2: "1#注塑机"}
    assert (await client.ask("DELETE", at(HANDLE), KEY))[0] == 200
    assert await values(client, key=KEY) == {1002: WHY, 1003: "qz01"}
    assert (await client.ask("GET", at(HANDLE), OTHER))[1]["message"] == f"{HANDLE} was withdrawn"
    gone, again = await client.ask("GET", at(HANDLE)), await client.ask("DELETE", at(HANDLE), KEY)
    assert [(status, body["responseCode"]) for status, body in (gone, again)] == [(404, 100)] * 2
    reborn = await client.ask("PUT", at(HANDLE), KEY, json=URL)
    assert reborn[1]["responseCode"] != 1  # a withdrawn identifier is nobody's


async def test_some_values_are_asked_for(client: Client) -> None:
    await client.ask("PUT", at(HANDLE), KEY, json=[URL, NAME])
    assert list(await values(client, query="?index=2")) == [2]
    assert list(await values(client, query="?type=URL")) == [1]
    assert list(await values(client, query="?type=URL&index=2")) == [1, 2]
    assert (await client.ask("GET", at(HANDLE, "?type=EMAIL"))) == (
        200,
        {
            "responseCode": 200,
            "handle": HANDLE,
            "message": f"{HANDLE} has no such value",
        },
    )


async def test_nothing_is_overwritten_that_should_not_be(client: Client) -> None:
    await client.ask("PUT", at(HANDLE), KEY, json=URL)
    for method, query in (("PUT", "?overwrite=false"), ("POST", "")):
        status, body = await client.ask(method, at(HANDLE, query), KEY, json=NAME)
        assert (status, body["responseCode"]) == (409, 101)
    status, body = await client.ask("PUT", at(HANDLE, "?index=1&overwrite=false"), KEY, json=URL)
    assert (status, body["responseCode"]) == (409, 201)
    assert await values(client) == {1: "http://a.cn"}


async def test_values_are_added_replaced_and_removed(client: Client) -> None:
    await client.ask("PUT", at(HANDLE), KEY, json=URL)
    new = {**URL, "data": "http://b.cn"}
    assert (await client.ask("PUT", at(HANDLE, "?index=various"), KEY, json=[new, NAME]))[0] == 200
    assert await values(client) == {1: "http://b.cn", 2: "1#注塑机"}
    other = await client.ask("PUT", at(HANDLE, "?index=1"), KEY, json=[URL, NAME])
    assert (other[0], other[1]["responseCode"]) == (400, 202)
    assert (await client.ask("DELETE", at(HANDLE, "?index=1"), KEY))[0] == 200
    assert await values(client) == {2: "1#注塑机"}
    absent = await client.ask("DELETE", at(HANDLE, "?index=1"), KEY)
    assert (absent[0], absent[1]["responseCode"]) == (400, 200)
    nobody = await client.ask("PUT", at(f"{PREFIX}/none", "?index=1"), KEY, json=URL)
    assert (nobody[0], nobody[1]["responseCode"]) == (404, 100)


async def test_a_suffix_is_minted(client: Client) -> None:
    made = set()
    for begun in (PREFIX, f"{PREFIX}/", f"{PREFIX}/line-"):
        status, body = await client.ask("PUT", at(begun, "?mintNewSuffix=true"), KEY, json=URL)
        assert (status, body["handle"].startswith(f"{begun.rstrip('/')}")) == (201, True)
        assert await values(client, body["handle"]) == {1: "http://a.cn"}
        made.add(body["handle"])
    assert len(made) == 3


async def test_handles_of_a_prefix_are_listed_by_pages(client: Client) -> None:
    made = [f"{PREFIX}/{number:03}" for number in range(25)]
    for handle in made:
        await client.ask("PUT", at(handle), KEY, json=URL)
    await client.ask("PUT", at("88.999.QZ02/1"), OTHER, json=URL)
    status, body = await client.ask("GET", f"/handles?prefix=0.NA/{PREFIX}", KEY)
    assert (status, body["totalCount"], body["handles"]) == (200, 25, made)
    _, body = await client.ask("GET", f"/handles?prefix={PREFIX}&page=2&pageSize=10", KEY)
    assert (body["page"], body["pageSize"], body["handles"]) == (2, 10, made[20:])
    _, body = await client.ask("GET", f"/handles?prefix={PREFIX}&pageSize=0", KEY)
    assert (body["totalCount"], body["handles"]) == (25, [])
    refused = [
        await client.ask("GET", f"/handles?prefix={PREFIX}"),
        await client.ask("GET", f"/handles?prefix={PREFIX}", OTHER),
        await client.ask("GET", "/handles", KEY),
        await client.ask("GET", f"/handles?prefix={PREFIX}&page=-3", KEY),
    ]
    codes = [(status, body["responseCode"]) for status, body in refused]
    assert codes == [(401, 402), (403, 401), (400, 102), (400, 4)]


@pytest.mark.parametrize(
    ("handle", "key", "code"),
    [
        (HANDLE, None, (401, 402)),
        (HANDLE, OTHER, (403, 401)),
        ("88.111.X/1", KEY, (400, 301)),
        ("no-handle", KEY, (400, 102)),
        (f"{PREFIX}/a b", KEY, (400, 102)),
        (f"{PREFIX}/{'9' * 300}", KEY, (400, 102)),
    ],
)
async def test_who_may_not_does_not(
    client: Client, handle: str, key: str | None, code: tuple[int, int]
) -> None:
    status, body = await client.ask("PUT", at(handle), key, json=URL)
    assert (status, body["responseCode"]) == code
    assert body["message"]
    assert client.node.read(None, HANDLE) is None


NO_BODIES = [
    b"",
    b"{",
    b"[]",
    b"7",
    b"{}",
    b'{"values": {}}',
    b'[{"index": 1}]',
    b'[{"index": 0, "type": "URL", "data": "x"}]',
    b'[{"index": true, "type": "URL", "data": "x"}]',
    b'[{"index": 1.5, "type": "URL", "data": "x"}]',
    b'[{"index": 1, "type": "", "data": "x"}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "base64", "value": "?"}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "hex", "value": 1}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "key", "value": {"kty": "EC"}}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "site", "value": {"servers": []}}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "vlist", "value": [{}]}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "admin", "value": []}}]',
    b'[{"index": 1, "type": "URL", "data": {"format": "string", "value": "\\ud800"}}]',
    b'[{"index": 1, "type": "URL", "data": "x", "ttl": -1}]',
    b'[{"index": 1, "type": "URL", "data": "x", "ttl": 1e99}]',
    b'[{"index": 1, "type": "URL", "data": "x", "permissions": "7777"}]',
    b'[{"index": 1, "type": "URL", "data": "x", "references": [{"handle": "a", "index": -1}]}]',
    b'[{"index": 1, "type": "U", "data": "x"}, {"index": 1, "type": "V", "data": "y"}]',
    b"[" * 100_000,
]


async def test_a_body_that_is_none_is_refused_in_words(client: Client) -> None:
    for body in NO_BODIES:
        status, answer = await client.ask("PUT", at(HANDLE), KEY, content=body)
        assert (status, answer["responseCode"] in (4, 202)) == (400, True), body[:90]
        assert answer["message"]
    assert client.node.read(None, HANDLE) is None


async def test_what_is_not_of_this_node_is_not_said_to_be_absent(client: Client) -> None:
    status, body = await client.ask("GET", at("10.1000/1"))
    assert (status, body["responseCode"]) == (400, 301)
    site = write_site(site_at(2641))
    delegated = client.node.do(allotting.delegate, CLERK, "88.999.QZ02", site)
    assert delegated.outcome == "ok"
    for method, request in (("GET", {}), ("PUT", {"json": URL})):
        status, body = await client.ask(method, at("88.999.QZ02/1"), OTHER, **request)
        assert (status, body["responseCode"]) == (400, 302)


async def test_paths_and_queries_that_are_none(client: Client) -> None:
    broken = await client.ask("GET", f"/handles/{PREFIX}/%FF")
    assert (broken[0], broken[1]["responseCode"]) == (400, 102)
    for query in ("?index=x", "?index=-1", "?index=99999999999", "?index=" + "1&index=" * 600):
        status, body = await client.ask("GET", at(HANDLE, query))
        assert (status, body["responseCode"]) == (400, 202)


async def test_a_suffix_may_have_any_character(client: Client) -> None:
    for suffix in ("磨床/1#?&=%", "a%2Fb", "+"):
        handle = f"{PREFIX}/{suffix}"
        status, body = await client.ask("PUT", at(handle), KEY, json=URL)
        assert (status, body["handle"]) == (201, handle)
        assert await values(client, handle) == {1: "http://a.cn"}


async def test_wrong_secrets_are_slowed_down(client: Client) -> None:
    answers = []
    for secret in ("x",) * 6 + (SECRET,):
        shown = {"Authorization": basic(KEY, secret)}
        answers.append((await client.ask("GET", at(HANDLE), headers=shown))[0])
    assert answers == [403] * 5 + [503] * 2
    client.clock[0] += 400
    assert (await client.ask("PUT", at(HANDLE), KEY, json=URL))[0] == 201
    for shown in ("Basic ?", "Basic " + base64.b64encode(b"root:x").decode(), basic("300:a", "x")):
        status, body = await client.ask("GET", at(HANDLE), headers={"Authorization": shown})
        assert (status, body["responseCode"]) == (403, 403)


def shown(**fields: str) -> dict[str, str]:
    pairs = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return {"Authorization": f"Handle {pairs}"}


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


async def test_a_session_is_proved_by_a_signature_once(client: Client) -> None:
    private = generate_private_key(65537, 2048)
    public = AdminKey("qz01", "HS_PUBKEY", write_rsa_key(private.public_key()))
    give_key(client.node, client.seal, "qz01", 302, public)

    async def proof(**other: str) -> dict[str, str]:
        status, begun = await client.ask("POST", "/sessions")
        assert status == 201
        over = base64.b64decode(begun["nonce"]) + b"client"
        fields = {
            "version": "0",
            "sessionId": begun["sessionId"],
            "cnonce": in_base64(b"client"),
            "id": quote(KEY.replace("300", "302"), safe=""),
            "type": "HS_PUBKEY",
            "alg": "SHA256",
            "signature": in_base64(private.sign(over, PKCS1v15(), SHA256())),
        }
        return shown(**fields | other)

    right = await proof()
    status, session = await client.ask("PUT", "/sessions/this", headers=right, json={})
    assert (status, session["authenticated"], session["id"]) == (
        200,
        True,
        KEY.replace("300", "302"),
    )
    known = shown(sessionId=session["sessionId"])
    assert (await client.ask("PUT", at(HANDLE), headers=known, json=URL))[0] == 201
    again = await client.ask("PUT", "/sessions/this", headers=right, json={})
    assert (again[0], again[1]["authenticated"]) == (401, False)
    for wrong in (
        {"cnonce": in_base64(b"other")},
        {"alg": "MD5"},
        {"type": "HS_SECKEY"},
        {"id": "302%3A88.999.QZ02%2FADMIN"},
        {"signature": "?"},
    ):
        headers = await proof(**wrong)
        assert (await client.ask("PUT", "/sessions/this", headers=headers))[0] == 401
    assert (await client.ask("DELETE", "/sessions/this", headers=known))[0] == 200
    over = await client.ask("PUT", at(HANDLE), headers=known, json=URL)
    assert (over[0], over[1]["responseCode"]) == (401, 402)
    at_once = await client.ask("PUT", at(f"{PREFIX}/2"), headers=await proof(), json=URL)
    assert at_once[0] == 201


async def test_a_session_ends_by_itself(client: Client) -> None:
    _, begun = await client.ask("POST", "/sessions")
    client.clock[0] += 61
    fields = {"sessionId": begun["sessionId"], "id": quote(KEY, safe=""), "type": "HS_SECKEY"}
    late = await client.ask(
        "PUT", "/sessions/this", headers=shown(**fields, signature="", cnonce="")
    )
    assert late[0] == 401


async def test_what_was_done_is_counted(client: Client) -> None:
    await client.ask("PUT", at(HANDLE), KEY, json=URL)
    await client.ask("PUT", at(HANDLE), OTHER, json=URL)
    await client.ask("GET", at(HANDLE))
    await client.ask("GET", at(f"{PREFIX}/none"))
    assert client.tally.totals == {
        ("handle-json", "register", "ok"): 1,
        ("handle-json", "register", "denied"): 1,
        ("handle-json", "resolve", "ok"): 1,
        ("handle-json", "resolve", "not found"): 1,
    }
