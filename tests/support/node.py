"""The embedded enterprise node, served over HTTP on loopback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import delete
from starlette.types import ASGIApp

from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.node.credentials import NodeCredentials, node_credentials
from gateway.identifier.node.embedded import settle
from gateway.identifier.node.http.application import application
from gateway.identifier.node.keeping import records, templates
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.keeping.tables import record
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.rights.principal import Terms
from gateway.identifier.registering.snms.registry import Manner, SnmsRegistry
from gateway.identifier.visibility import EQUIPMENT
from gateway.relational.database import Database
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import SOON_S

PREFIX = "88.999"
NOW_MS = 1_795_000_000_000


@dataclass(frozen=True, slots=True)
class ServedNode:
    """A running node."""

    url: str
    credentials: NodeCredentials
    database: Database

    def count(self) -> int:
        """How many identifiers live."""
        return self.database.run_now(records.count)

    def template(self, prefix: str, version: str) -> dict[str, Any] | None:
        """A template's body."""
        return self.database.run_now(templates.find, prefix, version)

    def put_template(self, body: dict[str, Any]) -> None:
        """Make or replace a template, as no client could."""
        self.database.run_now(templates.put, body, EQUIPMENT)

    def forget(self, like: str = "%") -> None:
        """Lose identifiers, as no node should."""
        lost = delete(record).where(record.c.handle.like(like))
        self.database.run_now(lambda connection: connection.execute(lost))

    @asynccontextmanager
    async def registry(
        self,
        *,
        today: Callable[[], date] | None = None,
        secret: str = "",
        timeout_s: float = SOON_S,
        manner: Manner | None = None,
    ) -> AsyncIterator[SnmsRegistry]:
        """The node as a registry, to which the city logs in."""
        registry = SnmsRegistry(
            Caller(self.url, timeout_s),
            self.credentials.username,
            lambda: secret or self.credentials.secret,
            today or (lambda: day_of(NOW_MS)),
            manner,
        )
        try:
            yield registry
        finally:
            await registry.close()


@asynccontextmanager
async def served(
    folder: Path,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    now_ms: Callable[[], int] = lambda: NOW_MS,
    clock_s: Callable[[], float] = time.monotonic,
) -> AsyncIterator[ServedNode]:
    """Serve a node; ``wrap`` may put faults between it and its callers."""
    database = open_database("sqlite:///node.db", folder, EQUIPMENT)
    credentials = node_credentials(folder)
    database.run_now(settle, credentials, PREFIX, now_ms())
    port = free_port()
    parts = Parts(database, Terms(PREFIX, visibility=EQUIPMENT), Seal(folder), now_ms, clock_s)
    app = wrap(application(parts))
    options = uvicorn.Config(app, "127.0.0.1", port, log_level="error", lifespan="off")
    server = uvicorn.Server(options)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.to_thread(wait_for_port, port)
        yield ServedNode(f"http://127.0.0.1:{port}", credentials, database)
    finally:
        server.should_exit = True
        await serving
        database.close()
