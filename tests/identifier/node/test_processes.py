"""Several processes answer natively on one port; one takes changes, at another port."""

import asyncio
import os
import signal
import time
from pathlib import Path

from edge_config.models.identifiers.node import NodeConfig, NodeLimits
from gateway.identifier.irp.bodies import Held, Question, write_handle, write_held, write_question
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.data import ADMINISTER, ASK, read_site
from gateway.identifier.irp.values import Value
from gateway.identifier.native.administering import Administrator
from gateway.identifier.node import program
from gateway.identifier.node.keeping import counts
from gateway.identifier.node.keeping.opening import open_database
from tests.identifier.node.acting import Node
from tests.identifier.node.natively import KEY, TIMEOUT_S, with_key
from tests.identifier.node.test_three_levels import asked
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

HANDLE = "88.999.QZ01/m1"
_MODULE = b"gateway.identifier.node.native.processes"


def children() -> set[int]:
    """Processes of ours that answer."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (
                int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
            )
            if is_ours and _MODULE in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
        except OSError:
            continue
    return found


async def codes(port: int, count: int = 16) -> list[int]:
    """What is answered to a question over so many connections at once."""
    question = write_question(Question(HANDLE))
    answers = await asyncio.gather(*(asked(port, Op.RESOLVE, question) for _ in range(count)))
    return [one.rc for one in answers]


async def test_processes_answer_beside_each_other(tmp_path: Path) -> None:
    native, admin = free_port(), free_port()
    config = NodeConfig(
        prefix="88.999",
        data_dir=tmp_path,
        listen=f"127.0.0.1:{free_port()}",
        native_listen=f"127.0.0.1:{native}",
        processes=2,
        limits=NodeLimits(requests_per_minute=100),
        native_admin_listen=f"127.0.0.1:{admin}",
    )
    database = open_database("sqlite:///node.db", tmp_path, {})
    with_key(Node(database), tmp_path)
    running = asyncio.create_task(program.run(config, lambda: time.time_ns() // 1_000_000))
    try:
        await asyncio.to_thread(wait_for_port, admin)
        assert await codes(native) == [Rc.HANDLE_NOT_FOUND] * 16
        server = Administrator(("127.0.0.1", admin), KEY, TIMEOUT_S)
        created = await server.ask(Op.CREATE, write_held(Held(HANDLE, (Value(1, "URL", b"a"),))))
        server.close()
        assert created.rc == Rc.OK
        assert await codes(native) == [Rc.OK] * 16
        assert (await asked(native, Op.DELETE, write_handle(HANDLE))).rc == Rc.READ_ONLY

        site = read_site((await asked(native, Op.GET_SITE, write_handle("/"))).body)
        uses = {(one.use, one.port) for one in site.servers[0].interfaces}
        assert uses == {(ASK, native), (ADMINISTER, admin)}

        before = children()
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        assert await codes(native) == [Rc.OK] * 16  # who comes to the dead one waits for the next
        await until(lambda: len(children() - before) == 1, 60)
        flood = [one for _ in range(4) for one in await codes(native, 100)]
        assert set(flood) == {Rc.OK, Rc.BUSY}
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert children() == set()
    told = {one.action: one for one in database.run_now(counts.figures, 0)}
    assert told["resolve"].outcomes["ok"] >= 16  # what a process has counted when it ends
    database.close()
