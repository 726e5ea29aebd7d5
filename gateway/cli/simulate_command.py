"""``qulink simulate``: a simulated factory line in place of this process."""

import os
import sys
from importlib.util import find_spec

import typer

_ANY = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_NEEDED = ("simulators", "asyncua", "pymodbus", "yaml")
_EXIT_MISSING = 2


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("simulate", help="Run a simulated factory line.", context_settings=_ANY)(simulate)


def simulate(context: typer.Context) -> None:
    """Become ``python -m simulators`` with the same arguments."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        typer.echo(f"qulink simulate needs {names}; install qulink[demo]", err=True)
        sys.exit(_EXIT_MISSING)
    os.execv(sys.executable, [sys.executable, "-m", "simulators", *context.args])  # noqa: S606 - our own module
