"""A child process that is told by its standard input what to do, and by its end to stop."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

STOP_S = 5.0


@asynccontextmanager
async def child(
    command: Sequence[str], order: bytes, fds: Sequence[int], *, answers: bool = False
) -> AsyncIterator[Process]:
    """A process while the block runs; it is asked to end, and killed when it does not.

    Args:
        command: program and arguments.
        order: what it reads first; its standard input stays open until it is to end.
        fds: file descriptors that it shares.
        answers: its standard output is a pipe.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE if answers else None, pass_fds=fds
    )
    assert process.stdin is not None  # noqa: S101 - a pipe
    try:
        with contextlib.suppress(OSError):  # it has died already
            process.stdin.write(order)
            await process.stdin.drain()
        yield process
    finally:
        process.stdin.close()  # the sign to end
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
