"""``qulink driver new``: the beginning of a driver for a device that none is installed for."""

from pathlib import Path
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(no_args_is_help=True, help="Write a driver.")
    group.command("new", epilog="Example: `qulink driver new acme --into ~/drivers`")(new)
    group.callback()(_group)
    root.add_typer(group, name="driver")


def _group() -> None:
    """Write a driver for a device that none is installed for."""


def new(
    name: Annotated[str, typer.Argument(help="The word after `driver:` in a configuration.")],
    into: Annotated[
        Path, typer.Option(help="Folder that gets the folder of the new package.")
    ] = Path(),
) -> None:
    """Write a package with a driver that works: code, tests with the kit, sample and README.

    It speaks lines of text to a simulator of its own. Put your device's protocol in their place;
    the tests say when a rule of the driver contract breaks.
    """
    from gateway.drivers import scaffold
    from gateway.drivers.registry import installed

    if name in installed():
        place = installed().reference(name)
        typer.echo(f"a driver {name!r} is installed already: {place}", err=True)
        raise typer.Exit(1)
    try:
        folder = scaffold.write(name, into)
    except FileExistsError as error:
        typer.echo(f"{error.filename} is there already; give another name or folder", err=True)
        raise typer.Exit(1) from error
    except (ValueError, OSError) as error:
        typer.echo(f"cannot write driver {name!r}: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(_NEXT.format(folder=folder, package=folder.name))


_NEXT = """\
{folder} holds a driver that works, for the simulator in its tests. Go on with:

    cd {folder}
    pip install -e '.[dev]'
    ruff check && mypy && pytest
    qulink check sample.yaml

README.md says what is where; docs/driver-contract.md of qulink, what a driver must do."""
