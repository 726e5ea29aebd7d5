"""Nodes of every dialect on loopback, and faults between them and who registers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_config.models.base import Secret
from edge_config.models.identifiers.registries import (
    HandleJsonNode,
    IdhubNode,
    PasswordLogin,
    PrivateKeyLogin,
    SecretKeyLogin,
)
from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.irp.data import USUAL_RIGHTS, Admin
from gateway.identifier.native.administering import Administrator
from gateway.identifier.node.http.application import application
from gateway.identifier.node.http.handles.sessions import KNOWN_S
from gateway.identifier.node.http.login import TOKEN_LIFE_MS
from gateway.identifier.node.http.snms_face import LISTING
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.rights import templates
from gateway.identifier.registering.handle_json import HandleJsonRegistry
from gateway.identifier.registering.idhub import IdhubRegistry
from gateway.identifier.registering.native.registry import Habits, NativeRegistry
from gateway.identifier.registering.registry import Outcome, Registry
from gateway.identifier.registering.snms.meanings import Paths
from gateway.identifier.registering.snms.registry import Manner, SnmsRegistry
from gateway.identifier.registering.snms.templates import template_body
from gateway.identifier.template import TEMPLATE_ITEMS
from tests.identifier.node import natively
from tests.identifier.node.acting import TERMS, Node
from tests.identifier.registering.json_server import HandleJsonServer, IdhubServer
from tests.support.node import NOW_MS, served
from tests.support.peers import free_port, wait_for_port

PREFIX = "88.999.QZ01"
VERSION = "qulink-equipment-1"
IDENTITY = f"300:{PREFIX}/ADMIN"
APPLICATION = f"{PREFIX}/App_qulink"
SECRET = "correct horse:battery staple"
TIMEOUT_S = 30.0

Act = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]


class Clock:
    """Milliseconds that stand still until they are moved."""

    ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


class Faults:
    """Between a node and its callers: ``act`` is done instead of passing requests on.

    Logins pass, unless ``logins`` is set.
    """

    def __init__(self, app: ASGIApp, is_login: Callable[[str], bool]) -> None:
        self._app = app
        self._is_login = is_login
        self.act: Act | None = None
        self.logins = False
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passes = self._is_login(scope["path"]) and not self.logins
        if self.act is None or passes:
            await self._app(scope, receive, send)
            return
        self.requests += 1
        await self.act(self._app, scope, receive, send)


def answered(response: Response) -> Act:
    """The node does nothing, and this is answered."""

    async def act(_app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    return act


def done_then(response: Response | None) -> Act:
    """The node does its work, and this is answered; None: nothing."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def nowhere(_message: Message) -> None:
            """Swallow the answer."""

        await app(scope, receive, nowhere)
        if response is not None:
            await response(scope, receive, send)

    return act


def reworded(old: bytes, new: bytes) -> Act:
    """Answers have other octets, as many."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def other(message: Message) -> None:
            if "body" in message:
                message["body"] = message["body"].replace(old, new)
            await send(message)

        await app(scope, receive, other)

    return act


async def dripping(_app: ASGIApp, _scope: Scope, receive: Receive, send: Send) -> None:
    """An answer that never ends."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"9999")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    gone = asyncio.create_task(_gone(receive))
    while not gone.done():
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.wait([gone], timeout=0.05)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


HUGE = answered(PlainTextResponse(b" " * 5_000_000, media_type="application/json"))


@dataclass
class Dialect:
    """A node that runs.

    Attributes:
        registry: of a client with the time-out that is given.
        expire: ends all logins at the node.
        tells_withdrawn: a withdrawn identifier is told, with the reason; else it is not found.
    """

    registry: Callable[[float], Registry]
    expire: Callable[[], None]
    tells_withdrawn: bool = field(default=False, kw_only=True)


@dataclass
class Place(Dialect):
    """A node that is asked by HTTP.

    Attributes:
        faults: between node and clients.
        quota: how the node says that no more is taken.
        denied: how it says that this is not permitted.
        refused_token: what a token comes to that is new and refused.
    """

    faults: Faults
    quota: Response
    denied: Response
    refused_token: Outcome = Outcome.LOGIN


Opened = AbstractAsyncContextManager[Place]
KEY: RSAPrivateKey = generate_private_key(65_537, 2_048)


def secret(folder: Path, text: str) -> Secret:
    file = folder / "secret"
    file.write_text(text, encoding="utf-8")
    return Secret(file=file)


def key_file(folder: Path, key: RSAPrivateKey = KEY) -> Secret:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    return Secret(file=folder / "key.pem")


@asynccontextmanager
async def serving(app: ASGIApp, **tls: str | int) -> AsyncIterator[str]:
    """An application at an address of its own."""
    port = free_port()
    options = uvicorn.Config(
        app, "127.0.0.1", port, log_level="error", lifespan="off", interface="asgi3", **tls
    )  # type: ignore[arg-type]
    server = uvicorn.Server(options)
    task = asyncio.create_task(server.serve())
    try:
        await asyncio.to_thread(wait_for_port, port)
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def handle_json(folder: Path) -> AsyncIterator[Place]:
    """Another maker's Handle server by its JSON interface, and a session by a secret key."""
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_json_place(server.app, folder, SECRET, server.expire) as place:
        place.tells_withdrawn = True
        yield place


@asynccontextmanager
async def handle_json_place(
    app: ASGIApp, folder: Path, text: str, expire: Callable[[], None], *, listing: bool = False
) -> AsyncIterator[Place]:
    """A server of the JSON interface, whose administrator has a secret key."""
    faults = Faults(app, lambda path: path.startswith("/api/sessions"))
    login = SecretKeyLogin(type="secret-key", secret=secret(folder, text))
    async with serving(faults) as url:
        config = HandleJsonNode(
            type="handle-json", url=url, identity=IDENTITY, login=login, listing=listing
        )
        yield Place(
            registry=lambda timeout_s: HandleJsonRegistry(config, timeout_s),
            faults=faults,
            expire=expire,
            quota=JSONResponse({"responseCode": 603}, 400),
            denied=JSONResponse({"responseCode": 401}, 403),
        )


@asynccontextmanager
async def idhub(folder: Path) -> AsyncIterator[Place]:
    """An IDHub node, and an application that signs."""
    server = IdhubServer(APPLICATION, KEY.public_key())
    faults = Faults(server.app, lambda path: "/public/" in path)
    async with serving(faults) as url:
        node = IdhubNode(
            type="idhub",
            url=url,
            application=APPLICATION,
            key=key_file(folder),
            words={"配额": "quota used up"},
        )
        yield Place(
            registry=lambda timeout_s: IdhubRegistry(node, timeout_s),
            faults=faults,
            expire=server.expire,
            quota=JSONResponse({"code": 200, "message": "注册配额已用完"}),
            denied=JSONResponse({"code": 701, "message": "非本企业标识"}),
            tells_withdrawn=True,
        )


@asynccontextmanager
async def snms(folder: Path) -> AsyncIterator[Place]:
    """The product's own node, which speaks SNMS."""
    clock = Clock()
    faults: list[Faults] = []

    def wrap(app: ASGIApp) -> ASGIApp:
        faults.append(Faults(app, lambda path: path.startswith("/identity/")))
        return faults[0]

    def expire() -> None:
        clock.ms += TOKEN_LIFE_MS + 1

    async with served(folder, wrap, clock) as node:
        own = node.credentials

        def registry(timeout_s: float) -> Registry:
            caller = Caller(node.url, timeout_s)
            manner = Manner(paths=Paths(listing=LISTING))
            return SnmsRegistry(
                caller, own.username, lambda: own.secret, lambda: day_of(clock.ms), manner
            )

        yield Place(
            registry=registry,
            faults=faults[0],
            expire=expire,
            quota=JSONResponse({"status": -2, "message": "注册配额已用完"}),
            denied=JSONResponse({"status": -3, "message": "没有权限"}),
            tells_withdrawn=True,
            refused_token=Outcome.BUSY,  # "not logged in" is how such nodes say it
        )


@contextmanager
def own_node(folder: Path) -> Iterator[tuple[Node, Seal]]:
    """The product's own node, with a key of its enterprise and the template."""
    with closing(open_database("sqlite:///node.db", folder, {})) as database:
        node = Node(database)
        # Handles have no templates, so the enterprise puts its own there beforehand.
        body = template_body(PREFIX, VERSION, TEMPLATE_ITEMS)
        node.do(templates.create, node.principal("qz01"), body)
        yield node, natively.with_key(node, folder)


@asynccontextmanager
async def native(folder: Path) -> AsyncIterator[Dialect]:
    """The product's own node, asked natively."""
    with own_node(folder) as (node, seal):
        async with natively.served(node, seal) as here:

            def registry(timeout_s: float) -> Registry:
                name = natively.KEY.name
                server = Administrator(("127.0.0.1", here.port), natively.KEY, timeout_s)
                admin = Admin(int(USUAL_RIGHTS), name.handle, name.index)
                return NativeRegistry("native", server, Habits(name, admin, lists=True))

            yield Dialect(registry, lambda: None)


@asynccontextmanager
async def own_handle_json(folder: Path) -> AsyncIterator[Place]:
    """The product's own node by its JSON interface, and a session by a secret key."""
    clock = [0.0]

    def expire() -> None:
        clock[0] += KNOWN_S + 1

    with own_node(folder) as (node, seal):
        parts = Parts(node.database, TERMS, seal, lambda: NOW_MS, lambda: clock[0])
        app = application(parts)
        text = natively.SECRET.decode()
        async with handle_json_place(app, folder, text, expire, listing=True) as place:
            yield place


PLACES: dict[str, Callable[[Path], Opened]] = {
    "snms": snms,
    "handle-json": handle_json,
    "handle-json of the node": own_handle_json,
    "idhub": idhub,
}


def logins(folder: Path) -> dict[str, PasswordLogin | SecretKeyLogin | PrivateKeyLogin]:
    """Each way to show oneself to a Handle server, but by certificate."""
    held = secret(folder, SECRET)
    return {
        "password": PasswordLogin(type="password", password=held),
        "secret-key": SecretKeyLogin(type="secret-key", secret=held),
        "private-key": PrivateKeyLogin(type="private-key", key=key_file(folder)),
    }
