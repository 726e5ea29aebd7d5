"""Who asks natively too often is told to come later, and nothing is looked up for him."""

import asyncio
import time
from pathlib import Path

import pytest

from edge_config.models.identifiers.node import NodeLimits
from gateway.identifier.irp.bodies import Question, read_fault, write_handle, write_question
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message, decode, encode
from gateway.identifier.native.peers import TcpPeer, UdpPeer
from gateway.identifier.node import program
from gateway.relational.database import Database
from tests.identifier.node.acting import Node, machine
from tests.identifier.node.natively import TIMEOUT_S, served, with_key
from tests.identifier.node.running import configured
from tests.support.peers import free_port, wait_for_port

HANDLE = "88.999.QZ01/1"
RESOLVE = encode(Message(Op.RESOLVE, 7, write_question(Question(HANDLE)), 0, Flag.PUBLIC_ONLY))
DELETE = encode(Message(Op.DELETE, 7, write_handle(HANDLE), 0, 0))


@pytest.mark.parametrize("url", ["sqlite:///node.db"])
async def test_over_the_limit_the_answer_is_busy(database: Database, tmp_path: Path) -> None:
    node = Node(database)
    assert node.create("qz01", machine("1")) == ["ok"]
    async with served(node, with_key(node, tmp_path), per_minute=10) as here:
        tcp, udp = (kind("127.0.0.1", here.port, TIMEOUT_S) for kind in (TcpPeer, UdpPeer))
        codes = [decode(await tcp.ask(RESOLVE)).rc for _ in range(10)]
        assert codes == [Rc.OK] * 10
        for peer in (tcp, udp):
            for op, request in ((Op.RESOLVE, RESOLVE), (Op.DELETE, DELETE)):
                told = decode(await peer.ask(request))
                assert (told.rc, told.op, told.request_id) == (Rc.BUSY, op, 7)
                assert "later" in read_fault(told.body).message
        here.clock[0] += 6.0
        assert decode(await udp.ask(RESOLVE)).rc == Rc.OK, "one more, by datagram"
        assert decode(await tcp.ask(RESOLVE)).rc == Rc.BUSY, "one visitor, whatever the way"
        assert {what.outcome: count for what, count in here.tally.totals.items()} == {"ok": 11}
        tcp.close()
        udp.close()


async def test_a_nodes_configuration_says_how_often(tmp_path: Path) -> None:
    port = free_port()
    config = configured(
        tmp_path,
        native_listen=f"127.0.0.1:{port}",
        limits=NodeLimits(requests_per_minute=10),
    )
    task = asyncio.create_task(program.run(config, lambda: time.time_ns() // 1_000_000))
    try:
        await asyncio.to_thread(wait_for_port, port)
        peer = TcpPeer("127.0.0.1", port, TIMEOUT_S)
        codes = [decode(await peer.ask(RESOLVE)).rc for _ in range(30)]
        peer.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert codes[:10] == [Rc.HANDLE_NOT_FOUND] * 10
    assert Rc.BUSY in codes
