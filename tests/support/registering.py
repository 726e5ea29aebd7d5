"""A registrar at work on a city's database, and faults between it and the node."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_config.models.city import IdentifierConfig
from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier_outbox
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.issuing import IdentifierCounts, Issuing, identifier_counts
from gateway.city.identifiers.registering.registrar import Registrar
from gateway.identifier.registering.registry import Registry
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine
from tests.support.node import NOW_MS
from tests.support.waiting import SOON_S

CONFIG = IdentifierConfig(prefix="88.999", batch=7, review_hours=0)
MACHINES = 20
PATTERN = SuffixPattern.parse(CONFIG.suffix)


def fill(database: Database, machines: int = MACHINES) -> None:
    def write(connection: Any) -> None:
        for number, uscc in enumerate(USCCS[:2]):
            add_enterprise(connection, uscc, identifier_code=f"QZ0{number}")
        for number in range(machines):
            add_machine(connection, USCCS[number % 2], f"A{number:03d}", category="451")

    database.run_now(write)


class Clock:
    """Milliseconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        return self.ms


def rules(
    pattern: SuffixPattern = PATTERN, issued: IssuedFile | None = None, review_ms: int = 0
) -> Issuing:
    """Rules without a review, on a file of issued identifiers that is new."""
    return Issuing(CONFIG.prefix, pattern, review_ms, issued or new_file())


def new_file() -> IssuedFile:
    """A file of issued identifiers that ends with the tests."""
    folder = tempfile.mkdtemp(prefix="qulink-issued-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return IssuedFile(Path(folder) / "issued.db")


def made(
    database: Database,
    registry: Registry,
    clock: Clock,
    by: Issuing | None = None,
    batch: int = CONFIG.batch,
) -> Registrar:
    config = replace(CONFIG, batch=batch)
    return Registrar(database, registry, config, by or rules(), clock)


async def work_off(one: Registrar) -> None:
    async with asyncio.timeout(SOON_S):
        while await one.step():
            pass


def counts(database: Database) -> IdentifierCounts:
    return database.run_now(identifier_counts)


def complete(machines: int = MACHINES) -> IdentifierCounts:
    return IdentifierCounts(machines, machines, machines, machines, 0, 0)


def states(database: Database) -> list[tuple[str, str, int]]:
    box = identifier_outbox.c
    query = select(box.operation, box.state, box.attempts).order_by(box.id)
    return database.run_now(lambda c: [tuple(row) for row in c.execute(query)])


Wrap = Callable[[ASGIApp], ASGIApp]
Action = Callable[[Scope, Receive, Send], Awaitable[None]]


def on_batch(action: Callable[[ASGIApp], Action]) -> Wrap:
    """Put ``action`` between the node and its callers, on batches only."""

    def wrap(app: ASGIApp) -> ASGIApp:
        special = action(app)

        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            batch = "/batch" in scope.get("path", "")
            await (special if batch else app)(scope, receive, send)

        return routed

    return wrap


async def nowhere(_message: Any) -> None:
    """Swallow an answer."""


def gateway_timeouts(left: list[int]) -> Wrap:
    """The node does the work of batches, but a proxy answers 504, as often as ``left`` says."""

    def action(app: ASGIApp) -> Action:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            if left[0] == 0:
                await app(scope, receive, send)
                return
            left[0] -= 1
            await app(scope, receive, nowhere)
            await PlainTextResponse("gateway timeout", 504)(scope, receive, send)

        return faulty

    return on_batch(action)
