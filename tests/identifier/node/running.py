"""A node as it runs, within this process, and who uses it over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node import program
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.program import database_of, terms_of
from gateway.identifier.node.rights import accounts, allotting
from gateway.identifier.node.rights.principal import Visit
from tests.identifier.node.acting import NOW_MS, ROOT, machine
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import SOON_S


def configured(folder: Path, **more: Any) -> NodeConfig:
    """A node in a folder, on free ports."""
    given = {"prefix": "88.999", "data_dir": folder, "listen": f"127.0.0.1:{free_port()}"}
    return NodeConfig(**given | more)


def settled(config: NodeConfig, name: str = "qz01") -> str:
    """Make an enterprise with a prefix and an application; returns the application's secret."""
    database, visit = database_of(config), Visit(ROOT, terms_of(config), NOW_MS)
    prefix, enterprise = f"88.999.{name.upper()}", f"enterprise {name}"
    try:
        database.run_now(accounts.add, visit, name, Role.ENTERPRISE, enterprise)
        database.run_now(allotting.apply, visit, prefix, enterprise)
        database.run_now(allotting.decide, visit, prefix, State.ALLOTTED)
        result, secret = database.run_now(accounts.make_credential, visit, name, name)
    finally:
        database.close()
    assert secret, result
    return secret


@asynccontextmanager
async def running(config: NodeConfig) -> AsyncIterator[str]:
    """A node that serves; gives its URL."""
    serving = asyncio.create_task(program.run(config, lambda: NOW_MS))
    port = int(config.listen.rpartition(":")[2])
    try:
        await asyncio.to_thread(wait_for_port, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def logged_in(url: str, secret: str, name: str = "qz01") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the SNMS interface with a token."""
    async with httpx.AsyncClient(base_url=url, timeout=SOON_S, trust_env=False) as http:
        body = {"username": name, "password": secret}
        answer = (await http.post("/identity/token", json=body)).json()
        assert answer["status"] == 1, answer
        http.headers["authorization"] = f"Bearer {answer['data']['token']}"
        yield http


def body(suffix: str) -> dict[str, Any]:
    """A registration as the SNMS interface has it."""
    one = machine(suffix)
    value = [
        {
            "index": item.index,
            "type": item.type,
            "data": {"format": "string", "value": item.data.decode()},
        }
        for item in one.values
    ]
    return {"handle": one.handle, "templateVersion": "1", "value": value}
