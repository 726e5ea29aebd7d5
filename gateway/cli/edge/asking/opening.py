"""What commands about devices share: the configuration, the running gateway, a device alone."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from edge_config.loading.resolved import LoadedGateway
    from gateway.edge.device.asking.alone import Alone

Config = Annotated[Path, typer.Argument(help="The configuration that the gateway runs (YAML).")]
Device = Annotated[str, typer.Argument(help="Device id.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]

T = TypeVar("T")


def refuse(why: object) -> NoReturn:
    """Say why nothing was done, and exit 1."""
    typer.echo(str(why), err=True)
    raise typer.Exit(1)


def ask(config: Path, command: str, **arguments: Any) -> Any:
    """What the gateway of a configuration answers; exits 1 if there is no answer."""
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError

    try:
        return ask_running(config, command, **arguments)
    except (ConfigError, ControlError) as error:
        refuse(error)


def ask_running(config: Path, command: str, **arguments: Any) -> Any:
    """The same for whoever goes on where no gateway runs.

    Raises:
        ConfigError: the configuration does not say where the gateway is reached.
        NoGatewayError: no gateway runs.
        ControlError: it refuses.
    """
    from edge_config.loading.local import load_local
    from gateway.edge.control.client import ask as ask_at
    from gateway.edge.control.place import socket_path

    control_socket, buffer = load_local(config)
    return ask_at(socket_path(control_socket, buffer.path), command, **arguments)


def load(config: Path) -> "LoadedGateway":
    """The whole configuration; exits 1 with its mistakes."""
    from edge_config.loading.load import load_gateway
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed

    try:
        return load_gateway(config, installed())
    except ConfigError as error:
        refuse(error)


def alone(loaded: "LoadedGateway", device: str, work: "Callable[[Alone], Awaitable[T]]") -> T:
    """Open a device of a configuration and do something with it; says so, exits 1 on a fault."""
    from gateway.drivers.registry import installed
    from gateway.edge.device.asking.alone import opened_alone

    async def opened() -> T:
        async with opened_alone(loaded, installed(), device) as one:
            return await work(one)

    typer.echo(f"no gateway runs: {device} is opened for this command", err=True)
    return run(opened())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what talks to a device; exits 1 on a fault whose message says all."""
    from gateway.edge.control.command import REFUSALS
    from gateway.edge.control.protocol import ControlError

    try:
        return asyncio.run(work)
    except (*REFUSALS, ControlError) as error:
        refuse(error)


def print_json(answer: Any) -> None:
    """An answer for scripts."""
    import json

    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
