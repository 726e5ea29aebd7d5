"""``qulink city command``: one value for a device of a gateway."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.access.audit import Action
    from gateway.wire.commands import Command, CommandAnswer

_EXAMPLE = "Example: `qulink city command gw-7 press-1 speed 12.5`"
Gateway = Annotated[str, typer.Argument(help="Gateway id.")]
Device = Annotated[str, typer.Argument(help="Device id within the gateway.")]
Tag = Annotated[str, typer.Argument(help="Name of the tag.")]
Value = Annotated[str, typer.Argument(help="What it is to show: scaled, in its unit.")]
ExpireS = Annotated[
    float,
    typer.Option(min=1, max=600, help="Seconds after which nobody wants it any more."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def register(city: typer.Typer) -> None:
    """Add the command."""
    # Else -5 would be taken for an option.
    numbers = {"ignore_unknown_options": True}
    city.command("command", epilog=_EXAMPLE, context_settings=numbers)(command)


def command(
    gateway: Gateway,
    device: Device,
    tag: Tag,
    value: Value,
    config: CityFile = DEFAULT,
    expire_s: ExpireS = 10.0,
    yes: Yes = False,
) -> None:
    """Have a gateway write one value to a device, and wait for what becomes of it.

    The gateway decides: it writes tags with `access: read-write` only, and only if its own
    configuration enables commands. What was asked and answered is in the city's audit log.

    Exit code 0: written and read back; 1: refused, nothing was written; 2: it is or may be
    written, but the device does not show it, or there was no answer.
    """
    loaded = load(config)
    _demand_enrolled(loaded, gateway)
    if not yes and not typer.confirm(f"write {device} {tag} = {value} by gateway {gateway}?"):
        fail("nothing was sent")
    order = _order(device, tag, value, expire_s)
    _note(loaded, _actions().COMMANDED, gateway, f"{device} {tag} = {value} ({order.id})")
    answer = _sent(loaded, gateway, order)
    words = f"{answer.state}: {answer.words}" if answer.words else str(answer.state)
    _note(loaded, _actions().ANSWERED, gateway, f"{words} ({order.id})")
    shows = "" if answer.shows is None else f"; {device} {tag} shows {answer.shows}"
    typer.echo(visible(f"{words}{shows}"))
    raise typer.Exit({"verified": 0, "refused": 1}.get(str(answer.state), 2))


def _order(device: str, tag: str, value: str, expire_s: float) -> "Command":
    from uuid import uuid4

    from gateway.wire.commands import Command

    now_ms = system_ms()
    expires_ms = now_ms + round(expire_s * 1000)
    return Command(f"city-{uuid4().hex}", device, tag, value, now_ms, expires_ms, system_user())


def _demand_enrolled(config: "CityConfig", gateway: str) -> None:
    from gateway.city.registry import enrolment

    with opened(config) as database:
        known = {one.id: one for one in database.run_now(enrolment.listed)}
    if gateway not in known:
        fail(f"no gateway {gateway} is enrolled; `qulink city gateway list` shows them")
    if known[gateway].revoked_ms is not None:
        fail(f"gateway {gateway} is revoked: it is not commanded")


def _sent(config: "CityConfig", gateway: str, order: "Command") -> "CommandAnswer":
    import asyncio

    from gateway.city.commands.sending import send
    from gateway.mqtt.client import LOSSES
    from gateway.mqtt.faults import reason
    from gateway.wire.commands import CommandAnswer, CommandState

    def tell(answer: "CommandAnswer") -> None:
        typer.echo(str(answer.state), err=True)

    try:
        return asyncio.run(send(config.broker, gateway, order, tell))
    except LOSSES as error:
        words = f"the city's broker {config.broker.url}: {reason(error)}; it may have been written"
        return CommandAnswer(order.id, CommandState.UNKNOWN, words)


def _actions() -> "type[Action]":
    from gateway.city.access.audit import Action

    return Action


def _note(config: "CityConfig", action: "Action", gateway: str, detail: str) -> None:
    from gateway.city.access.audit import note

    def write(connection: "Connection") -> None:
        note(connection, system_ms(), system_user(), action, gateway, detail)

    with opened(config) as database:
        database.run_now(write)
