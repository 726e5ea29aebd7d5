"""The ``qulink`` command: imports only the subcommand that is asked for."""

import gc
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from gateway import __version__

_HELP = """qulink (衢联): networked factory equipment, from the machine to the city.

At a factory: check, run, device, read, watch, write, trace, test. At the city: city, ledger, rates,
evidence, id. Where identifiers are kept: node. To try it: demo, simulate. To write a configuration:
probe, points, decode, check, schema, drivers; a driver: driver. The command line speaks English;
what is made for others to read (consoles, reports, templates of ledgers and point tables) speaks
Chinese and English.

Exit codes: 0 done; 1 refused, and the reason is printed; 2 wrong usage, or a part failed while
running.
"""

COMMANDS = {
    "check": "edge.check_command",
    "schema": "edge.schema_command",
    "drivers": "edge.drivers_command",
    "driver": "edge.driver_command",
    "run": "edge.run_command",
    "device": "edge.device_command",
    "read": "edge.asking.read_command",
    "watch": "edge.asking.watch_command",
    "trace": "edge.asking.trace_command",
    "test": "edge.asking.test_command",
    "points": "survey.points_command",
    "write": "edge.asking.write_command",
    "commands": "edge.commands_command",
    "decode": "survey.decode_command",
    "probe": "survey.probe_command",
    "city": "city.city_command",
    "ledger": "city.ledger.ledger_command",
    "rates": "city.rates_command",
    "evidence": "city.evidence.evidence_command",
    "id": "identifier.id_command",
    "node": "node.node_command",
    "simulate": "simulate_command",
    "demo": "demo_command",
}
"""Subcommands and their modules in ``gateway/cli``; each has a ``register(root)``."""


_NEW_OBJECTS = 50_000
"""After so many new objects the garbage collector looks for cycles. A command makes objects that
stay until it ends: Python's 700 cost a sixth of ``qulink check``. Who runs for long has another."""


def build(arguments: list[str]) -> typer.Typer:
    """The command line with the subcommand that ``arguments`` begin with, or with all of them."""
    root = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        help=_HELP,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_root)
    wanted = arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS
    for name in wanted:
        import_module(f"gateway.cli.{COMMANDS[name]}").register(root)
    return root


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qulink {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options before the command."""


def main() -> None:
    """Entry point of the ``qulink`` command."""
    gc.set_threshold(_NEW_OBJECTS)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack Chinese
    build(sys.argv[1:])(prog_name="qulink")
