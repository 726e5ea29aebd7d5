"""Each kind of source, asked over the wire."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from edge_config.models.identifiers.resolver import (
    DidResolver,
    Gs1Resolver,
    HandleJsonServer,
    NativeServers,
    OidServers,
)
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.did import Did
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.oid import Oid
from gateway.identifier.codes.vaa import Vaa
from gateway.identifier.irp.bodies import Held, write_held
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.values import Value
from gateway.identifier.resolving.answer import Answer, Outcome
from gateway.identifier.resolving.composing import source_of
from tests.identifier.irp.servers import answering
from tests.identifier.irp.test_walk import replies
from tests.identifier.resolving.servers import name_server, pages, web

HANDLE = Handle("88.999.QZ01", "设备/1#")
BID = "did:bid:efnVUgqQFfYeu97ABf6sGm3WFtVXHZB2"
TIMEOUT_S = 5.0


async def asked(config: object, code: Code, timeout_s: float = TIMEOUT_S) -> Answer:
    source = source_of(config, timeout_s)
    try:
        assert source.takes(code)
        return await source.ask(code)
    finally:
        await source.close()


def listed(answer: Answer) -> list[tuple[int, str, str]]:
    return [(one.index, one.type, one.text) for one in answer.items]


async def test_handles_by_json() -> None:
    body = {
        "responseCode": 1,
        "handle": str(HANDLE),
        "values": [
            {
                "index": 1,
                "type": "URL",
                "data": {"format": "string", "value": "http://a"},
                "ttl": 60,
            },
            {"index": 2, "type": "DESC", "data": "plain"},
        ],
    }
    async with web(pages({f"/api/handles/{HANDLE}": body})) as url:
        config = HandleJsonServer(type="handle-json", url=url)
        found = await asked(config, HANDLE)
        absent = await asked(config, Handle("88.999.QZ01", "2"))
    assert (found.outcome, found.ttl_s) == (Outcome.FOUND, 60)
    assert listed(found) == [(1, "URL", "http://a"), (2, "DESC", "plain")]
    assert found.hops[0].asked.endswith("/88.999.QZ01/%E8%AE%BE%E5%A4%87/1%23")
    assert absent.outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    ("respond", "outcome", "why"),
    [
        (lambda _: PlainTextResponse("gone", 404), Outcome.BROKEN, "a Handle server's?"),
        (lambda _: JSONResponse({"responseCode": 402}, 401), Outcome.DENIED, "code 402"),
        (lambda _: PlainTextResponse("", 503), Outcome.BUSY, "HTTP 503"),
        (lambda _: PlainTextResponse("", 500), Outcome.UNREACHABLE, "HTTP 500"),
        (lambda _: PlainTextResponse("<html>"), Outcome.BROKEN, "not that of"),
        (lambda _: PlainTextResponse("x" * 2_000_000), Outcome.BROKEN, "octets"),
        (
            lambda _: JSONResponse({"responseCode": 1, "handle": "88.1/other", "values": []}),
            Outcome.BROKEN,
            "not that of",
        ),
        (lambda _: JSONResponse([1, 2]), Outcome.BROKEN, "not that of"),
    ],
)
async def test_answers_that_are_none(respond: Any, outcome: Outcome, why: str) -> None:
    async with web(respond) as url:
        answer = await asked(HandleJsonServer(type="handle-json", url=url), HANDLE)
    assert answer.outcome is outcome
    assert why in answer.why


async def test_a_server_that_drips_is_not_waited_for() -> None:
    given_up = asyncio.Event()

    async def respond(_: Request) -> Response:
        await given_up.wait()
        return PlainTextResponse("late")

    async with web(respond) as url:
        answer = await asked(HandleJsonServer(type="handle-json", url=url), HANDLE, 0.5)
        given_up.set()
    assert answer.outcome is Outcome.UNREACHABLE
    assert "0.5 s" in answer.why


def linkset(anchor: str, target: dict[str, str]) -> Response:
    return JSONResponse({"linkset": [{"anchor": anchor, "https://gs1.org/voc/pip": [target]}]})


async def test_links_of_another_thing_are_none_and_those_of_its_class_are() -> None:
    one = Gs1.from_link("https://id.gs1.org/01/06901234567892/21/12345")
    target = {"href": "https://m.example.cn/a"}

    async def outcome(anchor: str, href: str = target["href"]) -> Outcome:
        async with web(lambda _: linkset(anchor, {"href": href})) as url:
            return (await asked(Gs1Resolver(type="gs1", url=url), one)).outcome

    assert await outcome("https://id.gs1.org/01/06901234567892/21/12345") is Outcome.FOUND
    assert await outcome("https://r.example.cn/01/06901234567892") is Outcome.FOUND
    assert await outcome("https://id.gs1.org/01/06901234567892/21/12346") is Outcome.BROKEN
    assert await outcome("https://id.gs1.org/01/09521234543213") is Outcome.BROKEN
    assert await outcome("login") is Outcome.BROKEN
    assert await outcome("https://r.example.cn/01/06901234567892", "file:///etc/passwd") is (
        Outcome.BROKEN
    )


@pytest.mark.parametrize("place", ["file:///etc/passwd", "javascript:alert(1)", "/login"])
async def test_a_redirect_that_no_phone_should_follow_is_no_link(place: str) -> None:
    code = Gs1.from_link("https://id.gs1.org/01/06901234567892")
    async with web(lambda _: RedirectResponse(place, 307)) as url:
        answer = await asked(Gs1Resolver(type="gs1", url=url), code)
    assert answer.outcome in (Outcome.BROKEN, Outcome.UNREACHABLE)
    assert answer.items == ()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (302, {"responseCode": 1, "handle": str(HANDLE), "values": []}),
        (200, {"responseCode": True, "handle": str(HANDLE), "values": []}),
    ],
)
async def test_a_record_that_comes_with_no_such_word_is_not_believed(
    status: int, body: dict[str, object]
) -> None:
    async with web(lambda _: JSONResponse(body, status, {"location": "/login"})) as url:
        answer = await asked(HandleJsonServer(type="handle-json", url=url), HANDLE)
    assert answer.outcome is Outcome.BROKEN


async def test_half_a_character_is_no_text() -> None:
    value = '{"index": 1, "type": "URL", "data": "\\ud800"}'
    text = f'{{"responseCode": 1, "handle": "{HANDLE}", "values": [{value}]}}'
    async with web(lambda _: PlainTextResponse(text)) as url:
        answer = await asked(HandleJsonServer(type="handle-json", url=url), HANDLE)
    assert answer.outcome is Outcome.BROKEN


async def test_gs1_links_by_list_header_and_redirect() -> None:
    code = Gs1.from_elements("(8004)6901234A/1")
    seen: list[str] = []

    def respond(request: Request) -> Response:
        seen.append(request.scope["raw_path"].decode())
        if "linkset" in request.headers["accept"]:
            target = {"href": "https://m.example.cn/a", "title": "manual"}
            return linkset("https://r.example.cn/8004/6901234A%2F1", target)
        raise AssertionError("asked for something else")

    async with web(respond) as url:
        answer = await asked(Gs1Resolver(type="gs1", url=url), code)
    assert listed(answer) == [(0, "pip", "https://m.example.cn/a")]
    assert seen == ["/8004/6901234A%2F1"]

    def redirect(_: Request) -> Response:
        link = '<https://m.example.cn/i>; rel="gs1:instructions"'
        return RedirectResponse("https://m.example.cn/b", 307, {"Link": link})

    async with web(redirect) as url:
        answer = await asked(Gs1Resolver(type="gs1", url=url), code)
    assert listed(answer) == [
        (0, "gs1:instructions", "https://m.example.cn/i"),
        (0, "defaultLink", "https://m.example.cn/b"),
    ]


async def test_dids_of_universal_resolvers_and_of_bids() -> None:
    document = {
        "id": BID,
        "alsoKnownAs": [{"type": 102, "id": "88.999.QZ01/1"}],
        "service": [{"type": "DIDResolve", "serviceEndpoint": "https://r.example.cn"}],
        "extension": {"ttl": 600, "attributes": [{"key": "name", "value": "磨床"}]},
    }
    bodies = {
        f"/1.0/identifiers/{BID}": {"didDocument": document},
        f"/{BID}": {"errorCode": 0, "message": "SUCCESS", "data": {"didDocument": document}},
        "/1.0/identifiers/did:web:a.cn": {"didDocument": document},
    }
    async with web(pages(bodies)) as url:
        universal = await asked(DidResolver(type="did", url=url), Did.parse(BID))
        own = await asked(DidResolver(type="did", url=url, path=""), Did.parse(BID))
        other = await asked(DidResolver(type="did", url=url), Did.parse("did:web:a.cn"))
    assert (
        listed(universal)
        == listed(own)
        == [
            (0, "alsoKnownAs", "88.999.QZ01/1"),
            (0, "DIDResolve", "https://r.example.cn"),
            (0, "name", "磨床"),
        ]
    )
    assert universal.ttl_s == 600
    assert other.outcome is Outcome.BROKEN  # the document of another


async def test_oids_by_name_servers() -> None:
    records = [
        '100 20 "u" "ORS+CINF" "!^.*$!http://c.example.cn!" .',
        '100 10 "u" "ORS+COID" "!^.*$!http://a.example.cn!" .',
        '200 10 "" "ORS+RINF" "" other.example.cn.',
    ]
    async with name_server({"1.156.2.1.oid-res.org": records}) as port:
        config = OidServers(type="ors", servers=("127.0.0.1",), port=port)
        found = await asked(config, Oid.parse("1.2.156.1"))
        absent = await asked(config, Oid.parse("1.2.156.2"))
    assert listed(found) == [
        (0, "ORS+COID", "http://a.example.cn"),
        (0, "ORS+CINF", "http://c.example.cn"),
        (0, "ORS+RINF", "other.example.cn."),
    ]
    assert found.ttl_s == 300
    assert absent.outcome is Outcome.NOT_FOUND


async def test_a_vaa_code_is_asked_for_where_it_is_said_to_be_known() -> None:
    code = Vaa.parse("VAA08810012345678/abc")
    values = (Value(1, "DESC", "磨床".encode()), Value(2, "KEY", b"\xff\x00"))
    reply = replies(lambda question: (Rc.OK, write_held(Held(question.handle, values))))
    async with answering(reply) as port:
        servers = (f"127.0.0.1:{port}",)
        answer = await asked(NativeServers(type="native", servers=servers, vaa=True), code)
        assert not source_of(NativeServers(type="native", servers=servers), 1).takes(code)
    assert listed(answer) == [(1, "DESC", "磨床"), (2, "KEY", "ff00")]
    assert answer.hops[0].asked == "88.100.12345678/abc"
