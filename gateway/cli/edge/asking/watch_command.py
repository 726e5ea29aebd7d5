"""``qulink watch``: values of a device as they change."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.edge.asking.opening import (
    AsJson,
    Config,
    Device,
    alone,
    ask,
    ask_running,
    load,
    refuse,
)
from gateway.cli.edge.asking.wording import Row, local_time, value_of, why
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from gateway.edge.device.asking.alone import Alone

LOOK_S = 0.2
"""Between two looks at what a running gateway has read."""

Names = Annotated[list[str] | None, typer.Argument(help="Tags; left out: all tags of the device.")]
Count = Annotated[int, typer.Option(min=0, help="End after so many changes; 0: go on.")]
Show = Callable[[list[Row]], bool]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("watch", epilog="Example: `qulink watch gateway.yaml press-1 speed`")(watch)


def watch(
    config: Config,
    device: Device,
    tags: Names = None,
    changes: Count = 0,
    as_json: AsJson = False,
) -> None:
    """Show each change of a device's values, one a line, until Ctrl-C.

    Shows what the gateway that runs has read, looked at five times a second, and costs its
    devices nothing. Where none runs, the device is opened and read at the intervals of its tags.
    """
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError, NoGatewayError

    show = _Changes(device, changes, as_json)
    try:
        rows = ask_running(config, "values", device=device, tags=tags or [])
    except NoGatewayError:
        _alone(config, device, tags or [], show)
        return
    except (ConfigError, ControlError) as error:
        refuse(error)
    while show(rows):
        time.sleep(LOOK_S)
        rows = ask(config, "values", device=device, tags=tags or [])


class _Changes:
    """Prints what has changed since the last time; False: enough."""

    def __init__(self, device: str, wanted: int, as_json: bool) -> None:
        self._device, self._left, self._as_json = device, wanted or -1, as_json
        self._before: dict[str, tuple[Any, ...]] = {}

    def __call__(self, rows: list[Row]) -> bool:
        for row in rows:
            now = row["value"], row["quality"], row["reason"], row["raw"]
            if not row["time_ms"] or self._before.get(row["tag"]) == now:
                continue
            self._before[row["tag"]] = now
            self._print(row)
            self._left -= 1
            if not self._left:
                return False
        return True

    def _print(self, row: Row) -> None:
        import json

        if self._as_json:
            typer.echo(json.dumps({"device": self._device, **row}, ensure_ascii=False))
            return
        raw = "" if row["raw"] is None else f"  raw {visible(str(row['raw']))}"
        reason = f" ({why(row)})" if why(row) else ""
        when = local_time(row["time_ms"], "milliseconds")
        value = f"{self._device} {row['tag']} = {value_of(row)}"
        typer.echo(f"{when}  {value}  {row['quality']}{reason}{raw}")


def _alone(config: Any, device: str, names: list[str], show: Show) -> None:
    import asyncio

    import msgspec

    from gateway.edge.control.values import tags_to_read, values_now
    from gateway.edge.device.asking.reading import read_once

    async def work(opened: "Alone") -> None:
        tags = tags_to_read(opened.model, names, ())
        pause_s = min(group.interval_ms for group in opened.model.groups) / 1000
        while True:
            found = await read_once(opened, tags, lambda: time.time_ns() // 1_000_000)
            if not show(msgspec.to_builtins(values_now(found, tags))):
                return
            await asyncio.sleep(pause_s)

    alone(load(config), device, work)
