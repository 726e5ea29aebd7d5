"""``qulink drivers``: what this installation can talk to."""

import typer


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("drivers", help="List the installed drivers.", epilog="Example: `qulink drivers`")(
        drivers
    )


def drivers() -> None:
    """Print name, titles, modes and tier of every installed driver; exit 1 if one is broken."""
    from gateway.drivers.quality.page import tier_of
    from gateway.drivers.registry import installed

    is_broken = False
    for name in installed():
        try:
            spec = installed()[name]
        except (ImportError, TypeError) as error:
            typer.echo(f"{name:<12} cannot be loaded: {error}", err=True)
            is_broken = True
        else:
            told = f"{', '.join(spec.modes)}; {tier_of(spec)}"
            typer.echo(f"{name:<12} {spec.title_en} / {spec.title_zh}  ({told})")
    if is_broken:
        raise typer.Exit(1)
