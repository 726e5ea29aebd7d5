"""A node is killed while identifiers are registered natively."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gateway.identifier.node.keeping import records
from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.registering.registry import Outcome, Registry
from tests.identifier.node.acting import Node
from tests.identifier.node.natively import Served, with_key
from tests.identifier.node.test_administering import RECORD
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

MANY = [replace(RECORD, handle=f"88.999.QZ01/k{number:03d}") for number in range(30)]


@contextmanager
def process(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The node, until the block ends."""
    command = (sys.executable, "-m", "tests.identifier.node.node_process")
    started = subprocess.Popen([*command, str(folder), str(port)])
    try:
        wait_for_port(port)
        yield started
    finally:
        started.kill()
        started.wait()


async def test_what_a_killed_node_confirmed_is_there(tmp_path: Path) -> None:
    port = free_port()
    database = open_database("sqlite:///node.db", tmp_path, {})
    with_key(Node(database), tmp_path)
    here = Served(port, None, Tally(), [])
    async with here.registry() as registry:
        with process(tmp_path, port) as node:
            registering = asyncio.create_task(registry.create(MANY))
            await until(lambda: database.run_now(records.count) >= 3, 60)
            node.send_signal(signal.SIGKILL)
            results = await registering
        assert {one.outcome for one in results} > {Outcome.OK}
        with process(tmp_path, port):
            held = [await is_held(registry, one.handle) for one in results]
            told = list(zip((one.outcome for one in results), held, strict=True))
            assert (Outcome.OK, False) not in told  # what was confirmed is there
            assert (Outcome.UNREACHABLE, True) not in told  # what was not asked for is not
            assert {outcome for outcome, _ in told} <= {
                Outcome.OK,
                Outcome.UNKNOWN,
                Outcome.UNREACHABLE,
            }
            again = [one.outcome for one in await registry.create(MANY)]
    expected = [Outcome.EXISTS if one else Outcome.OK for one in held]
    assert again == expected
    assert database.run_now(records.count) == len(MANY)
    database.close()


async def is_held(registry: Registry, handle: str) -> bool:
    """Whether a node holds the record that was sent."""
    reading = await registry.read(handle)
    assert reading.outcome in (Outcome.OK, Outcome.NOT_FOUND), reading
    if reading.record is None:
        return False
    assert reading.record == replace(RECORD, handle=handle)
    return True
