"""Answer natively for a node until it ends, and change nothing."""

import asyncio
import logging
import signal
import sys
import time
from contextlib import closing
from socket import socket

from gateway.identifier.node.counting import keep_counting
from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.native.face import NativeFace
from gateway.identifier.node.native.processes.order import Order, read_order
from gateway.identifier.node.native.serving import NativeNode
from gateway.identifier.node.visitors import limit
from gateway.relational.database import connect


def main() -> None:
    """Read the order, answer, end with the node."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the node, too
    logging.basicConfig(level=logging.INFO)
    try:
        order = read_order(sys.stdin.buffer)
    except EOFError:
        return  # the node ended before it said anything
    asyncio.run(_run(order))


async def _run(order: Order) -> None:
    tally = Tally()
    with (
        closing(connect(order.url, order.data_dir, order.password)) as database,
        closing(Lookup(database)) as lookup,
        socket(fileno=order.listener) as listener,
        socket(fileno=order.datagrams) as datagrams,
    ):
        may_ask = limit(order.per_minute, time.monotonic)
        node = NativeNode(database, lookup, order.directory, None, tally, _now_ms, may_ask)
        await node.refresh()
        async with asyncio.TaskGroup() as tasks:
            started = [
                tasks.create_task(NativeFace(node.answer).serve(listener, datagrams)),
                tasks.create_task(node.keep_current()),
                tasks.create_task(keep_counting(database, tally, _now_ms)),
            ]
            await _end_of_node()
            for task in started:
                task.cancel()


async def _end_of_node() -> None:
    """Wait for SIGTERM, or for the end of standard input: then the node has ended, or wants it."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    loop.add_signal_handler(signal.SIGTERM, reader.feed_eof)
    await reader.read()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
