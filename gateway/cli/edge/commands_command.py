"""``qulink commands``: the record of what was written to devices."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gateway.cli.wording import visible

if TYPE_CHECKING:
    from gateway.edge.commands.lines import Entry

Config = Annotated[Path, typer.Argument(help="The configuration that the gateway runs (YAML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Each line as JSON, as it was recorded.")]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    commands = typer.Typer(no_args_is_help=True, help="The record of what was written to devices.")
    commands.command("audit", epilog="Example: `qulink commands audit gateway.yaml`")(audit)
    root.add_typer(
        commands, name="commands", epilog="Example: `qulink commands audit gateway.yaml`"
    )


def audit(config: Config, as_json: AsJson = False) -> None:
    """Print the record, and verify that no line was changed, removed or inserted.

    Lines that were cut off at the end are seen by comparing the last hash with one that was
    noted elsewhere. Exit code 1: the chain is broken, and where; or there is no record.
    """
    from edge_config.loading.local import load_local
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.commands.audit import audit_path, entries, verify

    try:
        path = audit_path(load_local(config)[1].path)
        for entry in entries(path):
            typer.echo(_json(entry) if as_json else _line(entry))
        verdict = verify(path)
    except ConfigError as error:
        _fail(str(error))
    except FileNotFoundError:
        _fail("nothing was ever written to a device: there is no record")
    except OSError as error:
        _fail(f"the record {path} cannot be read: {error.strerror}")
    if verdict.broken:
        _fail(f"{path}: the chain is broken: {verdict.broken}; the lines before it are whole")
    typer.echo(f"{path}: {verdict.lines} lines, the chain is whole; last hash {verdict.hash}")


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def _json(entry: "Entry") -> str:
    import msgspec

    return msgspec.json.encode(entry).decode()


def _line(entry: "Entry") -> str:
    from gateway.cli.edge.asking.wording import local_time

    what = f"{entry.device} {entry.tag} = {entry.value}" if entry.device else ""
    whose = f"by {entry.who} ({entry.origin})" if entry.who or entry.origin else ""
    raw = f"raw {entry.raw}, was {entry.before}" if entry.event == "write" else ""
    shows = "" if entry.shows is None else f"shows {entry.shows}"
    state = entry.state or entry.event
    parts = (what, raw, shows, entry.words, whose, entry.id)
    told = "; ".join(part for part in parts if part)
    return visible(f"{local_time(entry.at_ms)} {state}: {told}")
