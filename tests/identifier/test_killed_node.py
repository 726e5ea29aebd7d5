"""The node is a process of its own, and is killed with -9 in the middle of batches."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.identifiers.contents import owner_of
from gateway.core.days import day_of
from gateway.identifier.calling import Caller
from gateway.identifier.node.credentials import node_credentials
from gateway.identifier.registering.snms.registry import SnmsRegistry
from tests.support.city_db import sqlite_city
from tests.support.node import NOW_MS, served
from tests.support.peers import free_port, wait_for_port
from tests.support.registering import (
    MACHINES,
    Clock,
    complete,
    counts,
    fill,
    made,
    states,
    work_off,
)

NODE = """
import asyncio, os, signal, sys
from pathlib import Path
import tests.support.node as support
from tests.support.registering import nowhere, on_batch

folder, port, left = Path(sys.argv[1]), int(sys.argv[2]), [int(sys.argv[3])]
support.free_port = lambda: port

def dying(app):
    async def action(scope, receive, send):
        left[0] -= 1
        if left[0] != 0:
            await app(scope, receive, send)
            return
        await app(scope, receive, nowhere)
        os.kill(os.getpid(), signal.SIGKILL)
    return action

async def main():
    async with support.served(folder, on_batch(dying)):
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def node(folder: Path, port: int, batch: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A node that dies when it has done one of its batches and has not answered."""
    child = subprocess.Popen(
        [sys.executable, "-c", NODE, str(folder), str(port), str(batch)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait(30)


async def test_a_node_that_is_killed_mid_batch_has_each_machine_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, port, clock = sqlite_city(tmp_path / "city"), free_port(), Clock()
    fill(database)
    own = node_credentials(tmp_path)
    caller = Caller(f"http://127.0.0.1:{port}", 30)
    registry = SnmsRegistry(caller, own.username, lambda: own.secret, lambda: day_of(NOW_MS))
    one = made(database, registry, clock)
    with node(tmp_path, port, batch=2) as child:
        await asyncio.to_thread(wait_for_port, port)
        await work_off(one)
        assert await asyncio.to_thread(child.wait, 30) == -signal.SIGKILL
    assert 0 < counts(database).registered < MACHINES
    assert "unknown" in {row[1] for row in states(database)}
    clock.ms += 130_000
    monkeypatch.setattr("tests.support.node.free_port", lambda: port)
    async with served(tmp_path):  # the same node once more, as well in this process
        await work_off(one)
        assert counts(database) == complete()
        query = select(identifier.c.handle, equipment.c.asset_no).join(
            equipment, equipment.c.id == identifier.c.equipment_id
        )
        for handle, asset_no in database.run_now(lambda c: c.execute(query).all()):
            record = (await registry.read(handle)).record
            assert record is not None
            assert owner_of(record).asset_no == asset_no
    await registry.close()
    database.close()
