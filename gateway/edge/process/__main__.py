"""The running edge, started by ``qulink run`` with a configuration that is already checked."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine

from gateway.edge.app import run
from gateway.edge.buffer.storage.file import BufferFileError
from gateway.edge.control.protocol import ControlError
from gateway.edge.process.handover import Handover, taken_over
from gateway.edge.process.memory import collect_seldom, return_memory

STARTED_S = 5.0
"""After so long every device has been read once, or is waited for."""


def main() -> int:
    """Run the edge whose configuration waits in the open file that the only argument names.

    Returns:
        Exit code: 1 if its buffer, control socket or console cannot be used.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    faults: list[Exception] = []
    try:
        _in_loop(_run(taken_over(int(sys.argv[1]))))
    except* _expected() as group:
        faults += group.exceptions
    for fault in faults:
        sys.stderr.write(f"qulink run: {fault}\n")
    return 1 if faults else 0


async def _run(handover: Handover) -> None:
    loop = asyncio.get_running_loop()
    # Starting leaves cycles behind: so long they are looked for as often as Python does.
    for tidy in (return_memory, collect_seldom):
        loop.call_later(STARTED_S, tidy)
    await run(
        handover.loaded,
        handover.specs(),
        _stop_on_signal(),
        drain_s=handover.drain_s,
        searchers=handover.searchers,
    )


def _expected() -> tuple[type[Exception], ...]:
    """Faults whose message says what to do; that of the console only if there is one."""
    serving = sys.modules.get("gateway.web.listen")
    known = (BufferFileError, ControlError)
    return (*known, serving.ListenError) if serving else known


def _stop_on_signal() -> asyncio.Event:
    """Set by the first SIGTERM or Ctrl-C; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return stop


def _in_loop(main: Coroutine[None, None, None]) -> None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


if __name__ == "__main__":
    sys.exit(main())
