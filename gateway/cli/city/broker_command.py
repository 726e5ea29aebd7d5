"""``qulink city broker-account`` writes an account into a mosquitto password file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.city.opening import fail

MIN_PASSWORD = 16
"""A password that nobody types has no reason to be shorter."""


def register(city: typer.Typer) -> None:
    """Add the command."""
    epilog = "Example: `qulink city broker-account --user city --file passwords < secret`"
    city.command("broker-account", epilog=epilog)(_set)


def _set(
    user: Annotated[str, typer.Option(help="User of the account.")],
    file: Annotated[Path, typer.Option(help="mosquitto's password file; made if missing.")],
) -> None:
    """Write an account into mosquitto's password file; the password comes by standard input.

    So it stands in no list of processes and in no history. The file keeps its owner and mode.
    """
    from gateway.city.registry.credentials import password_line, set_line

    if not user or any(sign in user for sign in ":\r\n"):
        fail(f"{user!r} can be no user of a password file")
    password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < MIN_PASSWORD:
        fail(
            f"the password has {len(password)} characters; at least {MIN_PASSWORD} are needed: "
            "make one with openssl rand -base64 24"
        )
    try:
        set_line(file, user, password_line(user, password))
    except OSError as error:
        fail(f"cannot change the broker's password file {file}: {error.strerror}")
    typer.echo(f"{file} has the account {user}; make mosquitto read it: systemctl reload mosquitto")
