"""``qulink device``: the devices of a gateway that runs."""

from collections.abc import Iterator
from typing import Any

import typer

from gateway.cli.edge.asking.opening import AsJson, Config, Device, ask, print_json
from gateway.cli.edge.asking.wording import fault_line, local_time
from gateway.cli.tables import print_table
from gateway.cli.wording import counted

SHOWN_NAMES = 5
"""Tags that a line names; ``--json`` names more."""


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    device = typer.Typer(no_args_is_help=True, help="Devices of a gateway that runs on this box.")
    for name, command in (("list", _list), ("status", _status)):
        device.command(name, epilog=f"Example: `qulink device {name} gateway.yaml`")(command)
    for name, change in (("stop", _stop), ("start", _start), ("restart", _restart)):
        example = f"Example: `qulink device {name} gateway.yaml press-1`"
        device.command(name, epilog=example)(change)
    root.add_typer(device, name="device", epilog="Example: `qulink device list gateway.yaml`")


def _list(config: Config, as_json: AsJson = False) -> None:
    """List the devices: whether they are read, when a value came last, and why not."""
    devices = ask(config, "devices")
    if as_json:
        print_json(devices)
    else:
        _print_table(devices)


def _status(config: Config, as_json: AsJson = False) -> None:
    """Tell how the gateway is: devices, faults of single tags, the broker, what waits."""
    status = ask(config, "status")
    if as_json:
        print_json(status)
        return
    broker = "connected" if status["is_connected"] else "not connected"
    typer.echo(f"gateway   {status['gateway']}, qulink {status['software']}, pid {status['pid']}")
    typer.echo(f"devices   {status['up']} of {status['devices']} up, {status['stopped']} stopped")
    typer.echo(f"broker    {broker}")
    typer.echo(f"buffer    {counted(status['pending_frames'], 'frame')} not acknowledged yet")
    for line in _doubts(status):
        typer.echo(line)


def _doubts(status: dict[str, Any]) -> Iterator[str]:
    """What is wrong with single values and tags of devices that are read."""
    if status["uncertain"]:
        reasons = ", ".join(f"{code} {count:,}" for code, count in status["uncertain"].items())
        total = sum(status["uncertain"].values())
        yield f"uncertain {counted(total, 'value')} since the buffer was made: {reasons}"
    if status["faulty_tags"]:
        yield f"bad       {counted(status['faulty_tags'], 'tag')} of devices that are up"
    for fault in status["faults"]:
        yield "  " + _fault(fault)
    untold = status["faulty_tags"] - sum(fault["count"] for fault in status["faults"])
    if untold > 0:
        yield f"  and {counted(untold, 'tag')} of further devices: see the pages of these"
    if status["notices"]:
        yield "notices"
    for notice in status["notices"]:
        yield f"  {notice}"


def _fault(fault: dict[str, Any]) -> str:
    names = ", ".join(fault["tags"][:SHOWN_NAMES])
    left = fault["count"] - min(SHOWN_NAMES, len(fault["tags"]))
    tags = " and ".join(part for part in (names, f"{left:,} more" if left > 0 else "") if part)
    why = ": ".join(part for part in (fault["cause"], fault["detail"]) if part)
    return f"{fault['device']} {tags}: {why}" + (f"; {fault['advice']}" if fault["advice"] else "")


def _stop(config: Config, device: Device) -> None:
    """Read a device no more, until it is started or the gateway is; the books say `stopped`."""
    _print_table([ask(config, "stop", device=device)])


def _start(config: Config, device: Device) -> None:
    """Read a device that was stopped."""
    _print_table([ask(config, "start", device=device)])


def _restart(config: Config, device: Device) -> None:
    """Stop a device and start it over a new connection."""
    _print_table([ask(config, "restart", device=device)])


def _print_table(devices: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("device", "state", "since", "newest value", "endpoint", "unit")
    for head in ("readable", "polls", "failures"):
        table.add_column(head, justify="right")
    table.add_column("why, and what to do")
    for one in devices:
        times = (local_time(one["since_ms"]), local_time(one["newest_ms"]))
        plain = (one["id"], one["state"], *times, one["endpoint"], one["unit_name"])
        readable = f"{one['readable']:,} of {one['tags']:,}"
        counts = (readable, f"{one['polls']:,}", f"{one['failures']:,}")
        table.add_row(*map(Text, (*plain, *counts, fault_line(one))))  # Text: it may hold brackets
    print_table(Console(soft_wrap=True), table)
