"""``qulink city`` that kills itself with kill -9 at a stage of a batch: STAGE NUMBER CONFIG.

The stages are those between which a batch of frames can be lost or counted twice. Its console is
left out: it is a process of its own, which only reads, and half of what such a city costs.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.worker import Ingest

STAGES: dict[str, tuple[type, str]] = {
    "decoded": (FrameBatch, "seal"),
    "stored": (Ingest, "_write"),
    "committed": (Ingest, "_commit"),
}
"""Whose end is the last thing that happens: no frame is in the store, all are, all are committed;
none of them is acknowledged."""


def main() -> None:
    """Run until the stage has been passed so many times."""
    stage, number, config = sys.argv[1:]
    owner, name = STAGES[stage]
    setattr(owner, name, _ending(getattr(owner, name), int(number)))
    sys.argv = ["qulink", "city", config]
    from gateway.city import app
    from gateway.cli.main import main as command

    app.supervise = _no_console

    command()


async def _no_console(*_: object) -> None:
    await asyncio.Event().wait()


def _ending(method: Callable[..., Any], number: int) -> Callable[..., Any]:
    """The same, after which the process is gone at the ``number``-th call."""
    calls = count(1)

    def ended(result: Any) -> Any:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    async def waiting(*arguments: Any) -> Any:
        return ended(await method(*arguments))

    def working(*arguments: Any) -> Any:
        return ended(method(*arguments))

    return working if method.__name__ == "seal" else waiting


if __name__ == "__main__":
    main()
