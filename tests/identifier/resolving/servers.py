"""Servers that know codes, on loopback: HTTP and DNS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.support.peers import free_port, wait_for_port

Respond = Callable[[Request], Response | Awaitable[Response]]


@asynccontextmanager
async def web(respond: Respond, tls: tuple[Path, Path] | None = None) -> AsyncIterator[str]:
    """A web server that answers all paths alike; gives its address.

    Args:
        respond: what it answers.
        tls: certificate and key.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        made = respond(Request(scope, receive))
        response = await made if isinstance(made, Awaitable) else made
        await response(scope, receive, send)

    port = free_port()
    certificate, key = tls or (None, None)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            "127.0.0.1",
            port,
            log_level="critical",
            lifespan="off",
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    )
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.to_thread(wait_for_port, port)
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def pages(found: Mapping[str, Any]) -> Respond:
    """JSON by path; 404 with the code of Handle servers for all others."""

    def respond(request: Request) -> Response:
        path = request.scope["path"]
        if path in found:
            return JSONResponse(found[path])
        return JSONResponse({"responseCode": 100, "handle": "?"}, 404)

    return respond


@asynccontextmanager
async def name_server(records: Mapping[str, list[str]]) -> AsyncIterator[int]:
    """A name server with NAPTR records by name; gives its port."""
    port = free_port()

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            query = dns.message.from_wire(data)
            response = dns.message.make_response(query)
            response.flags |= dns.flags.AA
            name = query.question[0].name.to_text(omit_final_dot=True)
            if name in records:
                rrset = dns.rrset.from_text_list(f"{name}.", 300, "IN", "NAPTR", records[name])
                response.answer.append(rrset)
            else:
                response.set_rcode(dns.rcode.NXDOMAIN)
            self.transport.sendto(response.to_wire(), address)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Answering, local_addr=("127.0.0.1", port))
    try:
        yield port
    finally:
        transport.close()
