"""``qulink run``: an edge."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("run", epilog="Example: `qulink run gateway.yaml --drain-s 10`")(run)


def run(
    config: Annotated[Path, typer.Argument(help="The configuration of the gateway (YAML).")],
    drain_s: Annotated[
        float,
        typer.Option(
            min=0, help="After SIGTERM: stop reading and send for at most so many seconds."
        ),
    ] = 0.0,
) -> None:
    """Run an edge gateway until it is told to stop.

    Its log goes to standard error. SIGTERM or Ctrl-C ends it in order, a second one at once.
    Exit code 1: the configuration is wrong, or its buffer or console cannot be used.
    """
    # NumPy's linear algebra is not used; its threads would only cost memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    sys.exit(_run(config, drain_s))


def _run(config: Path, drain_s: float) -> int:
    from edge_config.loading.load import load_gateway  # noqa: PLC0415
    from edge_config.mistakes.problems import ConfigError  # noqa: PLC0415
    from gateway.drivers.registry import installed  # noqa: PLC0415

    try:
        loaded = load_gateway(config, installed())
    except ConfigError as error:
        typer.echo(str(error), err=True)
        return 1

    async def main() -> None:
        from gateway.edge.app import run as run_edge  # noqa: PLC0415

        await run_edge(loaded, installed(), _stop_on_signal(), drain_s=drain_s)

    faults: list[Exception] = []
    try:
        _runner(main())
    except* _expected() as group:
        faults += group.exceptions
    for fault in faults:
        typer.echo(f"qulink run: {fault}", err=True)
    return 1 if faults else 0


def _expected() -> tuple[type[Exception], ...]:
    """Faults whose message says what to do; imported when there is one, to spare memory."""
    from gateway.edge.buffer.storage.file import BufferFileError  # noqa: PLC0415
    from gateway.web.listen import ListenError  # noqa: PLC0415

    return BufferFileError, ListenError


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    return stop


def _runner(main: Coroutine[None, None, None]) -> None:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)
