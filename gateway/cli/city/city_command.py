"""``qulink city CONFIG`` runs a city."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.city import access_command, broker_command, gateway_command, order_command
from gateway.cli.city.opening import fail, load

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable


class _RunByDefault(TyperGroup):
    """``qulink city city.yaml`` means ``qulink city run city.yaml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    city = typer.Typer(
        cls=_RunByDefault,
        no_args_is_help=True,
        help="Run a city, and keep its registry of gateways.",
        epilog="Example: `qulink city city.yaml`",
    )
    city.command("run", epilog="Example: `qulink city city.yaml`")(_run)
    gateway_command.register(city)
    broker_command.register(city)
    access_command.register(city)
    order_command.register(city)
    root.add_typer(city, name="city")


def _run(
    config: Annotated[Path, typer.Argument(help="The city's YAML file.")],
    *,
    worker: Annotated[
        bool,
        typer.Option("--worker", help="One of several that share the gateways; needs PostgreSQL."),
    ] = False,
) -> None:
    """Run the city until SIGTERM or Ctrl-C; the word 'run' may be left out.

    Its log goes to standard error. Exit code 1: the configuration is wrong; 2: a part failed.
    """
    import asyncio

    from gateway.city import app
    from gateway.city.console import log
    from gateway.private import begin_private

    loaded = load(config, "")
    if worker and loaded.database.url.startswith("sqlite"):
        fail(f"qulink city: {config}: several workers need PostgreSQL; set 'database.url' to one")
    begin_private()
    log.begin()
    faults: list[BaseException] = []
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(app.run(loaded))
    except* _expected() as group:
        faults += _flat(group)  # to exit here would be wrapped in a group before Python 3.11.4
    for fault in faults:
        typer.echo(f"qulink city: {fault}", err=True)
    if faults:
        sys.exit(2)


def _loop_factory() -> "Callable[[], AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:  # not on Windows
        return None
    return uvloop.new_event_loop


def _expected() -> tuple[type[Exception], ...]:
    """Faults whose message says enough; anything else is a defect and shows where it is."""
    from edge_config.models.base import SecretUnavailableError
    from gateway.city.console.supervisor import ConsoleUnusableError
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.stores.api import StoreError
    from gateway.identifier.node.credentials import CredentialsError
    from gateway.identifier.node.keeping.secrets import SealError
    from gateway.relational.database import DatabaseUnusableError
    from gateway.web.listen import ListenError

    return (
        DatabaseUnusableError,
        DefinitionError,
        SecretUnavailableError,
        StoreError,
        CredentialsError,
        SealError,
        ListenError,
        ConsoleUnusableError,
        OSError,
    )


def _flat(group: BaseExceptionGroup[Exception]) -> list[BaseException]:
    return [
        one
        for error in group.exceptions
        for one in (_flat(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]
