"""``qulink device``: the devices of a gateway that runs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.tables import print_table

Config = Annotated[Path, typer.Argument(help="The configuration that the gateway runs (YAML).")]
Device = Annotated[str, typer.Argument(help="Device id.")]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    device = typer.Typer(no_args_is_help=True, help="Devices of a gateway that runs on this box.")
    for name, command in (("list", _list), ("stop", _stop), ("start", _start)):
        arguments = "gateway.yaml" if name == "list" else "gateway.yaml press-1"
        device.command(name, epilog=f"Example: `qulink device {name} {arguments}`")(command)
    device.command("restart", epilog="Example: `qulink device restart gateway.yaml press-1`")(
        _restart
    )
    root.add_typer(device, name="device", epilog="Example: `qulink device list gateway.yaml`")


def _list(
    config: Config,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the devices: whether they are read, and why not."""
    devices = _ask(config, "devices")
    if as_json:
        import json

        typer.echo(json.dumps(devices, ensure_ascii=False, indent=2))
        return
    _print_table(devices)


def _stop(config: Config, device: Device) -> None:
    """Read a device no more, until it is started or the gateway is; the books say `stopped`."""
    _print_table([_ask(config, "stop", device=device)])


def _start(config: Config, device: Device) -> None:
    """Read a device that was stopped."""
    _print_table([_ask(config, "start", device=device)])


def _restart(config: Config, device: Device) -> None:
    """Stop a device and start it over a new connection."""
    _print_table([_ask(config, "restart", device=device)])


def _ask(config: Path, command: str, **arguments: str) -> Any:
    """What the gateway of a configuration answers; exits 1 if there is no answer."""
    from edge_config.loading.load import load_gateway
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed
    from gateway.edge.control.client import ask
    from gateway.edge.control.place import socket_path
    from gateway.edge.control.protocol import ControlError

    try:
        loaded = load_gateway(config, installed()).config
        return ask(socket_path(loaded.control_socket, loaded.buffer.path), command, **arguments)
    except (ConfigError, ControlError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _print_table(devices: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("device", "state", "since", "endpoint")
    for head in ("polls", "failures"):
        table.add_column(head, justify="right")
    table.add_column("why")
    for one in devices:
        why = ": ".join(part for part in (one["cause"], one["detail"]) if part)
        plain = (one["id"], one["state"], _local(one["since_ms"]), one["endpoint"])
        counts = (f"{one['polls']:,}", f"{one['failures']:,}")
        table.add_row(*map(Text, (*plain, *counts, why)))  # as Text: a fault may hold brackets
    print_table(Console(soft_wrap=True), table)


def _local(time_ms: int) -> str:
    from datetime import datetime

    if not time_ms:
        return "–"
    return datetime.fromtimestamp(time_ms / 1000).astimezone().isoformat(" ", "seconds")
