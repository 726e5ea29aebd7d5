"""Codes by addresses that were configured for them, and answers of the web that are none."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from edge_config.models.identifiers.resolver import (
    DidResolver,
    Gs1Resolver,
    HandleJsonServer,
    UrlResolver,
)
from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.did import Did
from gateway.identifier.codes.ecode import Ecode
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.codes.handle import Handle
from gateway.identifier.resolving.answer import Answer, Hop, Outcome
from gateway.identifier.resolving.composing import source_of
from gateway.identifier.resolving.web import Page
from tests.identifier.resolving.servers import pages, web
from tests.support.certificates import Authority

ECODE = Ecode.parse("000016901234567892")


async def asked(config: object, code: Code) -> Answer:
    source = source_of(config, 5.0)
    try:
        return await source.ask(code)
    finally:
        await source.close()


def code_of(text: str) -> Code:
    code = classify(text)[0].code
    assert code is not None
    return code


@pytest.mark.parametrize(
    ("system", "prefix", "text", "takes"),
    [
        ("oid", "1.2.156.3001", "1.2.156.3001", True),
        ("oid", "1.2.156.3001", "1.2.156.3001.501", True),
        ("oid", "1.2.156.3001", "1.2.156.30015", False),
        ("oid", "", "2.16.156.1", True),
        ("oid", "", "88.999.QZ01/1", False),
        ("handle", "88.999.qz01", "88.999.QZ01/1", True),
        ("handle", "88.999.QZ0", "88.999.QZ01/1", False),
        ("vaa", "VAA088100", "VAA08810012345678/abc", True),
        ("vaa", "VAA088101", "VAA08810012345678/abc", False),
        ("gs1", "690", "6901234567892", True),
        ("gs1", "0690", "6901234567892", False),
        ("gs1", "690", "(8004)6901234A1", True),
        ("ecode", "00001", "0|0001|6901234567892", True),
    ],
)
async def test_codes_that_begin_alike_are_taken(
    system: str, prefix: str, text: str, *, takes: bool
) -> None:
    config = UrlResolver(type="url", system=system, prefix=prefix, url="http://a.example.cn")  # type: ignore[arg-type]
    source = source_of(config, 1.0)
    assert source.takes(code_of(text)) is takes
    await source.close()


async def test_a_record_is_read_where_it_stands_and_must_be_that_of_the_code() -> None:
    record = {"name": "磨床", "weight": 3, "parts": ["a"], "none": None}
    bodies = {
        f"/e/{ECODE}": {"code": 0, "data": {"ecode": str(ECODE), "item": record}},
        "/e/000016901234567885": {"data": {"ecode": str(ECODE), "item": record}},
        "/e/000016901234567878": {"data": None},
    }
    async with web(pages(bodies)) as url:
        config = UrlResolver(
            type="url",
            system="ecode",
            url=url,
            path="/e/{code}",
            record="data.item",
            echo="data.ecode",
        )
        found = await asked(config, ECODE)
        other = await asked(config, Ecode.parse("000016901234567885"))
        empty = await asked(config, Ecode.parse("000016901234567878"))
        absent = await asked(config, Ecode.parse("000016901234567861"))
    assert [(one.type, one.text) for one in found.items] == [
        ("name", "磨床"),
        ("weight", "3"),
        ("parts", '["a"]'),
    ]
    assert (other.outcome, "that of '000016901234567892'" in other.why) == (Outcome.BROKEN, True)
    assert (empty.outcome, "no record" in empty.why) == (Outcome.BROKEN, True)
    assert absent.outcome is Outcome.NOT_FOUND


async def test_codes_are_quoted_and_redirects_are_not_followed() -> None:
    seen: list[str] = []

    def respond(request: Request) -> Response:
        seen.append(request.scope["raw_path"].decode())
        return RedirectResponse("http://127.0.0.1:1/secret", 302)

    async with web(respond) as url:
        config = UrlResolver(type="url", system="gs1", url=url, path="/x?c={code}&k=1")
        answer = await asked(config, Gs1.from_elements("(01)09521234543213(21)A/1"))
    assert answer.outcome is Outcome.BROKEN
    assert "http://127.0.0.1:1/secret, which is not followed" in answer.why
    assert seen == ["/x"]
    assert answer.hops[0].asked == "/x?c=%2801%2909521234543213%2821%29A%2F1&k=1"


async def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path) -> None:
    tls = Authority(tmp_path).server()
    async with web(lambda _: JSONResponse({"a": 1}), tls) as url:
        answer = await asked(UrlResolver(type="url", system="ecode", url=url), ECODE)
    assert answer.outcome is Outcome.UNREACHABLE
    assert "CERTIFICATE_VERIFY_FAILED" in answer.why


@pytest.mark.parametrize("body", ["[" * 200_000, "1" * 10_000, "\ud800", "{}", "[]", "null"])
async def test_bodies_that_are_no_record(body: str) -> None:
    async with web(lambda _: PlainTextResponse(body.encode("utf-8", "surrogatepass"))) as url:
        answer = await asked(UrlResolver(type="url", system="ecode", url=url, record="a"), ECODE)
    assert answer.outcome is Outcome.BROKEN


NAMES = st.sampled_from(
    [
        "responseCode",
        "handle",
        "values",
        "index",
        "type",
        "data",
        "value",
        "ttl",
        "linkset",
        "href",
        "id",
        "didDocument",
        "service",
        "alsoKnownAs",
        "extension",
        "attributes",
        "key",
    ]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 400) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
HANDLE, DID = Handle("88.1.1", "x"), Did.parse("did:web:a.cn")
GTIN = Gs1.of_gtin("6901234567892")


class Saying:
    """A web that says one thing."""

    def __init__(self, body: Any) -> None:
        self.page = Page(Outcome.FOUND, body, {}, "", Hop("", "", "", "", 0.0))

    async def get(self, *_: str, **__: str) -> Page:
        return self.page


@given(JSON, st.sampled_from([HANDLE, DID, GTIN, ECODE]))
async def test_whatever_a_server_says_is_an_answer(body: Any, code: Code) -> None:
    if isinstance(body, dict):
        body = {"responseCode": 1, "handle": "88.1.1/x", "id": "did:web:a.cn"} | body
    source: Any = SOURCES[code.system]
    source._web = Saying(json.loads(json.dumps(body)))
    answer = await source.ask(code)
    assert isinstance(answer.outcome, Outcome)
    assert all(isinstance(one.text, str) and isinstance(one.type, str) for one in answer.items)
    assert isinstance(answer.ttl_s, int)


SOURCES = {
    "handle": source_of(HandleJsonServer(type="handle-json", url="http://a.example.cn"), 1.0),
    "did": source_of(DidResolver(type="did", url="http://a.example.cn"), 1.0),
    "gs1": source_of(Gs1Resolver(type="gs1"), 1.0),
    "ecode": source_of(UrlResolver(type="url", system="ecode", url="http://a.example.cn"), 1.0),
}
