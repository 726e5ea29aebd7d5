"""``qulink read``: values of a device once, now."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.edge.asking.opening import (
    AsJson,
    Config,
    Device,
    alone,
    ask_running,
    load,
    print_json,
    refuse,
)
from gateway.cli.edge.asking.points import points_of
from gateway.cli.edge.asking.wording import local_time, value_of, why
from gateway.cli.tables import print_table
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from edge_config.loading.resolved import LoadedGateway
    from gateway.edge.device.asking.alone import Alone

Points = Annotated[
    list[str] | None,
    typer.Argument(help="Tags, or addresses as in a profile; left out: all tags of the device."),
]


def register(root: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink read gateway.yaml press-1 speed holding:7:float32`"
    root.command("read", epilog=example)(read)


def read(config: Config, device: Device, points: Points = None, as_json: AsJson = False) -> None:
    """Read tags of a device once, now, or addresses that no tag has.

    Asks the gateway that runs, which reads between its own readings. Where none runs, the device
    is opened by its configuration for the time of the command. Nothing is recorded or sent.
    Exit code 1: the device could not be read.
    """
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError, NoGatewayError

    loaded = load(config)
    asked = points_of(loaded, device, points or [])
    try:
        rows = ask_running(config, "read", **asked)
    except NoGatewayError:
        rows = _alone(loaded, asked)
    except (ConfigError, ControlError) as error:
        refuse(error)
    if as_json:
        print_json(rows)
    else:
        _print(rows)


def _alone(loaded: "LoadedGateway", asked: dict[str, Any]) -> Any:
    import time

    import msgspec

    from gateway.edge.control.values import tags_to_read, values_now
    from gateway.edge.device.asking.reading import read_once

    async def work(device: "Alone") -> Any:
        tags = tags_to_read(device.model, asked["tags"], asked["addresses"])
        found = await read_once(device, tags, lambda: time.time_ns() // 1_000_000)
        return msgspec.to_builtins(values_now(found, tags))

    return alone(loaded, asked["device"], work)


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("tag", "value", "quality", "why", "raw", "address", "time")
    for row in rows:
        raw = "–" if row["raw"] is None else visible(str(row["raw"]))
        time = local_time(row["time_ms"], "milliseconds")
        cells = (row["tag"], value_of(row), row["quality"], why(row), raw, row["address"], time)
        table.add_row(*map(Text, cells))
    print_table(Console(soft_wrap=True), table)
