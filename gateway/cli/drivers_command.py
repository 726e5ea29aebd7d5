"""``qulink drivers``: what this installation can talk to."""

import typer


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("drivers", help="List the installed drivers.", epilog="Example: `qulink drivers`")(
        drivers
    )


def drivers() -> None:
    """Print name, titles and modes of every installed driver."""
    from gateway.drivers.registry import installed  # noqa: PLC0415

    for name, spec in installed().items():
        modes = ", ".join(spec.modes)
        typer.echo(f"{name:<12} {spec.title_en} / {spec.title_zh}  ({modes})")
