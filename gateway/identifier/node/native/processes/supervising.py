"""Several processes answer natively on one port; one that dies is started again."""

import asyncio
import contextlib
import logging
import sys
from dataclasses import replace

from gateway.children import child
from gateway.identifier.node.native.processes.order import Order, write_order
from gateway.retry import Retry
from gateway.web.listen import Shared, bind_shared

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "gateway.identifier.node.native.processes")
STEADY_S = 60.0
"""A process that answered for so long has got over what ended the one before."""


async def keep_reading(
    order: Order, listen: str, count: int, patience_s: float, within: str = ""
) -> None:
    """Keep processes answering until cancelled.

    Args:
        order: what they answer from; its sockets are put in.
        listen: address, of TCP and UDP.
        count: of processes.
        patience_s: how long to wait for the address while something else has it.
        within: what stands before its key in the configuration.

    Raises:
        ListenError: the address cannot be taken.
    """
    shared = await bind_shared(listen, "node", count, patience_s, f"{within}native_listen")
    async with asyncio.TaskGroup() as tasks:
        for one in shared:
            tasks.create_task(_keep(order, one))


async def _keep(order: Order, shared: Shared) -> None:
    """The node keeps the sockets open, so that who comes waits while a process starts again."""
    retry = Retry(
        log, "a process that answers natively ended", "it is steady again",
        first_ms=500, longest_ms=60_000, level=logging.ERROR,
    )  # fmt: skip
    with shared.listener, shared.datagrams:
        fds = shared.listener.fileno(), shared.datagrams.fileno()
        own = replace(order, listener=fds[0], datagrams=fds[1])
        while True:
            async with child(COMMAND, write_order(own), fds) as process:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STEADY_S):
                        await process.wait()
                if process.returncode is None:
                    retry.succeeded()
                retry.failed(f"exit code {await process.wait()}")
            await asyncio.sleep(retry.pause_s())
