"""Run the console as a child process, and start it again when it dies.

Pages and pictures cost memory and seconds of a processor; values are received in a process that
knows nothing of them. This module imports no page.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import Process

import msgspec

from edge_config.models.city import CityConfig
from gateway.children import child
from gateway.city.console.order import Answer, Order, write_order
from gateway.retry import Retry
from gateway.web.listen import bind_soon

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "gateway.city.console")
STEADY_S = 60.0
"""A console that served for so long has got over what ended the one before."""


class ConsoleUnusableError(Exception):
    """The console cannot start as it is configured; the message says why."""


async def supervise(config: CityConfig, patience_s: float = 0) -> None:
    """Keep a console running until cancelled.

    Args:
        config: of the city.
        patience_s: how long to wait for its address while something else has it.

    Raises:
        ListenError: the console's address cannot be taken.
        ConsoleUnusableError: its configuration keeps it from starting the first time.
    """
    retry = Retry(
        log, "the console ended", "the console is steady again",
        first_ms=500, longest_ms=60_000, level=logging.ERROR,
    )  # fmt: skip
    with await bind_soon(config.console.listen, "console", patience_s) as listener:
        served = False
        while True:
            fd = listener.fileno()
            order = write_order(Order(config, fd))
            async with child(COMMAND, order, (fd,), answers=True) as process:
                answer = await _answer(process)
                served = served or answer == Answer()
                # A first start that cannot be is the operator's to mend; later it is tried again.
                if answer is not None and not served:
                    raise ConsoleUnusableError(answer.fault)
                await _end(process, retry)
                code = await process.wait()
                retry.failed((answer and answer.fault) or f"exit code {code}")
            await asyncio.sleep(retry.pause_s())


async def _answer(process: Process) -> Answer | None:
    """What a console says of its start; None if it died over it."""
    assert process.stdout is not None  # noqa: S101 - a pipe
    try:
        return msgspec.json.decode(await process.stdout.readline(), type=Answer)
    except msgspec.DecodeError:
        return None


async def _end(process: Process, retry: Retry) -> None:
    """Wait until a console ends; one that is steady makes good for those that died before."""
    try:
        async with asyncio.timeout(STEADY_S):
            await process.wait()
    except TimeoutError:
        retry.succeeded()
        await process.wait()
