"""How many codes of the labelled corpus are resolved, and rightly, with servers up and down.

Two real servers on loopback a protocol, each of which knows three of four codes; the first of each
pair, which is asked first, is up, refuses connections, or takes them and says nothing.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from edge_config.models.identifiers.resolver import (
    DidResolver,
    Gs1Resolver,
    HandleJsonServer,
    NativeServers,
    OidServers,
    ResolverConfig,
    SourceConfig,
    UrlResolver,
)
from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.code import Code, System
from gateway.identifier.codes.gs1 import Gs1
from gateway.identifier.codes.vaa import Vaa
from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.values import Value
from gateway.identifier.node.native.answering import Holdings, answer
from gateway.identifier.node.native.referring import Directory
from gateway.identifier.resolving.answer import Answer, Outcome
from gateway.identifier.resolving.composing import resolver_of
from tests.identifier.irp.servers import answering, by_datagrams, nothing, sending
from tests.identifier.resolving.servers import name_server, web
from tests.support.peers import free_port

Result = dict[str, object]
Row = tuple[str, str, bool, str, str]
"""Text, system, whether it is a code of it, canonical form, kind."""
_CORPUS = Path(__file__).parent.parent / "tests/identifier/codes/corpus.jsonl"
_TIMEOUT_MS = 1_000
_KNOWN, _OF = 3, 4
"""So many of so many codes exist; of the others servers say that there is none."""


@dataclass(frozen=True)
class Protocol:
    """A way to resolve codes of some systems.

    Attributes:
        name: in the results.
        system: whose codes.
        server: with which of these codes it is opened; gives its address or port.
        sources: of the servers' addresses or ports, in their order.
        is_udp: a silent one hears datagrams.
    """

    name: str
    system: System
    server: Callable[[list[Code]], AbstractAsyncContextManager[Any]]
    sources: Callable[[list[Any]], Sequence[SourceConfig]]
    is_udp: bool = False


def measure() -> list[Result]:
    """A row for each protocol and each state of the servers."""
    states = ("up", "refusing", "silent")
    return [asyncio.run(row(one, state)) for state in states for one in PROTOCOLS]


async def row(protocol: Protocol, state: str) -> Result:
    """Codes of one system, asked for one after the other; the first server is up or down."""
    rows = [row for row in _rows() if row[1] == protocol.system]
    known = [code for row in rows if row[2] and _exists(code := _code(row))]
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(_first(protocol, known, state))
        second = await stack.enter_async_context(protocol.server(known))
        sources = tuple(protocol.sources([first, second]))
        config = ResolverConfig(sources=sources, timeout_ms=_TIMEOUT_MS)
        resolver = resolver_of(config, None, time.time)
        try:
            told = [await _timed(resolver.resolve_text, row) for row in rows]
        finally:
            await resolver.close()
    return {"name": f"resolution {protocol.name}, first of two servers {state}", **_figures(told)}


def _first(protocol: Protocol, known: list[Code], state: str) -> AbstractAsyncContextManager[Any]:
    if state == "up":
        return protocol.server(known)
    return _Down(protocol, is_silent=state == "silent")


class _Down:
    """A server that is not there, or says nothing; gives what a good one would."""

    def __init__(self, protocol: Protocol, *, is_silent: bool) -> None:
        self._gives_url = protocol.server in (_handle_json, _gs1, _did, _by_url)
        self._silent: AbstractAsyncContextManager[int] | None = None
        if is_silent:
            self._silent = by_datagrams(lambda _: []) if protocol.is_udp else sending(nothing)

    async def __aenter__(self) -> Any:
        port = await self._silent.__aenter__() if self._silent else free_port()
        return f"http://127.0.0.1:{port}" if self._gives_url else port

    async def __aexit__(self, *error: object) -> None:
        if self._silent:
            await self._silent.__aexit__(*error)


async def _timed(
    resolve: Callable[[str], Awaitable[Answer]], row: Row
) -> tuple[Row, Answer, float]:
    began_s = time.perf_counter()
    return row, await resolve(row[0]), time.perf_counter() - began_s


def _figures(told: list[tuple[Row, Answer, float]]) -> Result:
    valid = [(row, one, took_s) for row, one, took_s in told if row[2]]
    resolved = [one for _, one, _ in valid if one.is_certain]
    decided = [(row, one) for row, one, _ in told if one.is_certain or not row[2]]
    right = sum(_is_right(row, one) for row, one in decided)
    took_ms = sorted(1000 * took_s for _, _, took_s in valid)
    return {
        "codes": len(valid),
        "wrong_codes": len(told) - len(valid),
        "resolved_percent": round(100 * len(resolved) / len(valid), 1),
        "right_percent": round(100 * right / len(decided), 1),
        "median_ms": round(statistics.median(took_ms), 2),
        "p95_ms": round(took_ms[int(0.95 * len(took_ms))], 2),
    }


def _is_right(row: Row, told: Answer) -> bool:
    """A code that exists comes with its own record; a wrong one is told before anybody is asked."""
    if not row[2]:
        return told.outcome is Outcome.INVALID
    code = _code(row)
    if not _exists(code):
        return told.outcome is Outcome.NOT_FOUND
    return told.outcome is Outcome.FOUND and [one.text for one in told.items] == [_record(code)]


def _rows() -> list[Row]:
    return [tuple(json.loads(line)) for line in _CORPUS.read_text("utf-8").splitlines()]


def _code(row: Row) -> Code:
    """The code that a row of the corpus is."""
    return next(one.code for one in classify(row[0]) if one.system == row[1] and one.code)


def _key(code: Code) -> str:
    """Under which servers know a code; of GS1 what stands in the path."""
    return code.link("").partition("?")[0] if isinstance(code, Gs1) else str(code)


def _exists(code: Code) -> bool:
    return sum(_key(code).upper().encode()) % _OF < _KNOWN


def _record(code: Code) -> str:
    return f"record of {_key(code).upper()}"


class _OfAll(Directory):
    """A node that answers for every prefix of the corpus."""

    def is_own(self, _: str) -> bool:
        return True


def _native(known: list[Code]) -> AbstractAsyncContextManager[int]:
    """The node's own answering, natively."""
    handles = {str(one.handle() if isinstance(one, Vaa) else one): one for one in known}
    held = {
        handle.upper(): Held(handle, (Value(1, "DESC", _record(code).encode()),))
        for handle, code in handles.items()
    }
    directory = _OfAll("", b"")
    holdings = Holdings(lambda handle: held.get(handle.upper()), lambda: directory)
    return answering(lambda request: answer(request, holdings, int(time.time())))


def _pages(bodies: dict[str, Any]) -> AbstractAsyncContextManager[str]:
    def respond(request: Request) -> Response:
        path = request.scope["path"]
        absent = {"responseCode": 100, "handle": path.removeprefix("/api/handles/")}
        return JSONResponse(bodies[path]) if path in bodies else JSONResponse(absent, 404)

    return web(respond)


def _handle_json(known: list[Code]) -> AbstractAsyncContextManager[str]:
    return _pages(
        {
            f"/api/handles/{code}": {
                "responseCode": 1,
                "handle": str(code),
                "values": [{"index": 1, "type": "DESC", "data": _record(code), "ttl": 60}],
            }
            for code in known
        }
    )


def _gs1(known: list[Code]) -> AbstractAsyncContextManager[str]:
    bodies = {
        _key(code): {"linkset": [{"https://gs1.org/voc/pip": [{"href": _record(code)}]}]}
        for code in known
    }

    def respond(request: Request) -> Response:
        path = request.scope["raw_path"].decode()
        return JSONResponse(bodies.get(path, {}), 200 if path in bodies else 404)

    return web(respond)


def _did(known: list[Code]) -> AbstractAsyncContextManager[str]:
    return _pages(
        {
            f"/1.0/identifiers/{code}": {
                "didDocument": {"id": str(code), "alsoKnownAs": [_record(code)]}
            }
            for code in known
        }
    )


def _by_url(known: list[Code]) -> AbstractAsyncContextManager[str]:
    return _pages(
        {f"/{code}": {"code": str(code), "data": {"name": _record(code)}} for code in known}
    )


def _ors(known: list[Code]) -> AbstractAsyncContextManager[int]:
    def rule(code: Code) -> list[str]:
        return [f'100 10 "u" "ORS+COID" "!^.*$!{_record(code)}!" .']

    names: dict[str, list[str]] = {one.ors_name(): rule(one) for one in known}  # type: ignore[attr-defined]
    return name_server(names)


def _each(make: Callable[[Any], SourceConfig]) -> Callable[[list[Any]], list[SourceConfig]]:
    """A source for each server."""
    return lambda places: [make(place) for place in places]


def _natives(ports: list[Any]) -> Iterator[SourceConfig]:
    """One source with both servers: a walk tries them beside each other."""
    servers = tuple(f"127.0.0.1:{port}" for port in ports)
    yield NativeServers(type="native", servers=servers, vaa=True)


PROTOCOLS = (
    Protocol("handle, native", System.HANDLE, _native, lambda ports: [*_natives(ports)]),
    Protocol("VAA, native", System.VAA, _native, lambda ports: [*_natives(ports)]),
    Protocol(
        "handle, JSON",
        System.HANDLE,
        _handle_json,
        _each(lambda url: HandleJsonServer(type="handle-json", url=url)),
    ),
    Protocol("GS1", System.GS1, _gs1, _each(lambda url: Gs1Resolver(type="gs1", url=url))),
    Protocol(
        "OID by ORS",
        System.OID,
        _ors,
        _each(lambda port: OidServers(type="ors", servers=("127.0.0.1",), port=port)),
        is_udp=True,
    ),
    Protocol("DID", System.DID, _did, _each(lambda url: DidResolver(type="did", url=url))),
    Protocol(
        "Ecode by URL",
        System.ECODE,
        _by_url,
        _each(
            lambda url: UrlResolver(type="url", system="ecode", url=url, record="data", echo="code")
        ),
    ),
)
