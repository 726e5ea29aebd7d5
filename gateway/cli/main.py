"""The ``qulink`` command: imports only the subcommand that is asked for."""

import sys
from importlib import import_module

import typer

COMMANDS = (
    "check",
    "schema",
    "drivers",
    "run",
    "city",
    "ledger",
    "rates",
    "simulate",
    "demo",
)
"""Subcommands; each is ``gateway/cli/<name>_command.py`` with a ``register(root)``."""


def build(arguments: list[str]) -> typer.Typer:
    """The command line with the subcommand that ``arguments`` begin with, or with all of them."""
    root = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="qulink (衢联): networked factory equipment, from the machine to the city.",
    )
    root.callback()(_root)
    wanted = arguments[:1] if arguments[:1] and arguments[0] in COMMANDS else COMMANDS
    for name in wanted:
        import_module(f"gateway.cli.{name}_command").register(root)
    return root


def _root() -> None:
    """Make a lone subcommand keep its name."""


def main() -> None:
    """Entry point of the ``qulink`` command."""
    build(sys.argv[1:])(prog_name="qulink")
