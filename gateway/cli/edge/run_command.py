"""``qulink run``: an edge."""

import os
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
    from edge_config.loading.load import load_gateway
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed, searchers
    from gateway.edge.process.handover import Handover, hand_over
    from gateway.private import begin_private

    try:
        loaded = load_gateway(config, installed())
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    begin_private()
    # NumPy's linear algebra is not used; its threads would only cost memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    named = {device.config.driver for device in loaded.devices}
    drivers = {name: installed().reference(name) for name in sorted(named)}
    console = loaded.config.console
    may_search = console is not None and console.token is not None
    searching = searchers() if may_search else ()
    references = {name: installed().reference(name) for name in searching}
    hand_over(Handover(loaded, drivers, drain_s, references))
