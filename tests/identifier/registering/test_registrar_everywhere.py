"""A city registers its machines at a node of every dialect, also when answers are lost."""

from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse

from gateway.relational.database import Database
from tests.identifier.registering.places import PLACES, TIMEOUT_S, done_then
from tests.support.registering import Clock, complete, counts, fill, made, work_off

MACHINES = 3


@pytest.mark.parametrize("dialect", ["snms", "handle-json", "idhub"])
async def test_machines_are_registered(database: Database, tmp_path: Path, dialect: str) -> None:
    fill(database, MACHINES)
    clock = Clock()
    async with PLACES[dialect](tmp_path) as place:
        registry = place.registry(TIMEOUT_S)
        try:
            registrar = made(database, registry, clock)
            await work_off(registrar)
            assert counts(database) == complete(MACHINES)
        finally:
            await registry.close()


async def test_lost_answers_issue_nothing_twice(database: Database, tmp_path: Path) -> None:
    fill(database, MACHINES)
    clock = Clock()
    async with PLACES["handle-json"](tmp_path) as place:
        registry = place.registry(TIMEOUT_S)
        try:
            registrar = made(database, registry, clock)
            place.faults.act = done_then(PlainTextResponse("", 504))
            await work_off(registrar)
            assert counts(database) != complete(MACHINES)
            place.faults.act = None
            clock.ms += 600_000
            await work_off(registrar)
            assert counts(database) == complete(MACHINES)
        finally:
            await registry.close()
