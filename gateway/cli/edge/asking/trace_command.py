"""``qulink trace``: the last frames between a running gateway and a device."""

import time
from typing import Annotated, Any

import typer

from gateway.cli.edge.asking.opening import AsJson, Config, Device, ask, print_json
from gateway.cli.edge.asking.wording import local_time

LOOK_S = 0.5
"""Between two looks for further frames."""

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with those that come.")]
Hex = Annotated[bool, typer.Option("--hex", help="Show the bytes too.")]
Fault = Annotated[
    bool, typer.Option("--fault", help="Those from before the device was lost last, instead.")
]
_ARROWS = {"sent": "→", "received": "←", "note": "·"}


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("trace", epilog="Example: `qulink trace gateway.yaml press-1 --follow`")(trace)


def trace(
    config: Config,
    device: Device,
    follow: Follow = False,
    show_hex: Hex = False,
    fault: Fault = False,
    as_json: AsJson = False,
) -> None:
    """Show the last frames that went to a device and came from it, in words.

    They are kept always, some fifty exchanges a device, and cost nothing until they are looked
    at. What led to the last loss of a device is kept until it is lost again: --fault.
    """
    answer = ask(config, "frames", device=device, before_fault=fault)
    if as_json:
        print_json(answer)
        return
    if not answer["frames"]:
        typer.echo(_nothing(device, answer, fault), err=True)
    _print(answer, show_hex)
    while follow and not fault:
        time.sleep(LOOK_S)
        answer = ask(config, "frames", device=device, since=answer["count"])
        _print(answer, show_hex)


def _nothing(device: str, answer: dict[str, Any], fault: bool) -> str:
    if not answer["is_recording"]:
        return f"the driver of {device} keeps no frames"
    return f"{device} was not lost since the start" if fault else f"no frames of {device} yet"


def _print(answer: dict[str, Any], show_hex: bool) -> None:
    for frame in answer["frames"]:
        when = local_time(frame["time_ms"], "milliseconds")
        typer.echo(f"{when}  {_ARROWS[frame['direction']]}  {frame['words']}")
        if show_hex and frame["data"]:
            typer.echo(f"{'':31}{bytes.fromhex(frame['data']).hex(' ')}")
