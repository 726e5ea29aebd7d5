"""A node that answers by its JSON interface, in tests."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp

from gateway.identifier.irp.values import Reference
from gateway.identifier.node.http.application import application
from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.rights import accounts
from tests.identifier.node.acting import NOW_MS, TERMS, Node

SECRET = "geheim-秘密"
PREFIX = "88.999.QZ01"


@dataclass
class Client:
    """Asks a node by HTTP."""

    node: Node
    seal: Seal
    http: httpx.AsyncClient
    clock: list[float]
    tally: Tally
    app: ASGIApp

    async def ask(
        self, method: str, path: str, key: str | None = None, **request: Any
    ) -> tuple[int, dict[str, Any]]:
        """HTTP status and body of an answer; a key is ``index:handle`` and its secret."""
        headers = {} if key is None else {"Authorization": basic(key, SECRET)}
        headers |= request.pop("headers", {})
        answer = await self.http.request(method, f"/api{path}", headers=headers, **request)
        body: dict[str, Any] = answer.json()
        return answer.status_code, body


async def post(client: Client, path: str, **fields: Any) -> httpx.Response:
    """Send a form as a page of the node does."""
    if "qulink_csrf" not in client.http.cookies:
        await client.http.get("/login")
    csrf = client.http.cookies["qulink_csrf"]
    return await client.http.post(path, data={"csrf": csrf, **fields})


def basic(identity: str, secret: str) -> str:
    """An ``Authorization`` as Handle.Net wants it."""
    pair = f"{quote(identity, safe='')}:{secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def key_of(user: str) -> str:
    """Where the key of an enterprise stands."""
    return f"300:88.999.{user.upper()}/ADMIN"


def give_key(
    node: Node, seal: Seal, user: str, index: int = 300, key: AdminKey | None = None
) -> None:
    """Give an enterprise a key."""
    place = Reference(f"88.999.{user.upper()}/ADMIN", index)
    given = key or AdminKey(user, "HS_SECKEY", SECRET.encode())
    done = node.do(accounts.set_key, node.principal(user), seal, (place.handle, place.index), given)
    assert done.outcome == "ok", done


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[Client]:
    """A node with two enterprises, each of which has a secret key."""
    clock = [0.0]
    with closing(open_database("sqlite:///node.db", folder, {})) as database:
        node, seal = Node(database), Seal(folder)
        for user in ("qz01", "qz02"):
            give_key(node, seal, user)
        parts = Parts(database, TERMS, seal, lambda: NOW_MS, lambda: clock[0])
        app = application(parts)
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as http:
            yield Client(node, seal, http, clock, parts.tally, app)
