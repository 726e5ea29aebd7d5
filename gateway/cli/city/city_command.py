"""``qulink city CONFIG`` runs a city."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.city import (
    access_command,
    alerts_command,
    broker_command,
    gateway_command,
    order_command,
)
from gateway.cli.city.erasing import erase_command
from gateway.cli.city.evidence import retention_command
from gateway.cli.city.opening import fail, load
from gateway.cli.city.people import token_command, user_command
from gateway.cli.running import RunByDefault, run_to_its_end


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    city = typer.Typer(
        cls=RunByDefault,
        no_args_is_help=True,
        help="Run a city, and keep its registry of gateways.",
        epilog="Example: `qulink city city.yaml`",
    )
    city.command("run", epilog="Example: `qulink city city.yaml`")(_run)
    gateway_command.register(city)
    broker_command.register(city)
    access_command.register(city)
    user_command.register(city)
    token_command.register(city)
    order_command.register(city)
    alerts_command.register(city)
    erase_command.register(city)
    retention_command.register(city)
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
    from gateway.city import app
    from gateway.city.console import log
    from gateway.private import begin_private

    loaded = load(config, "")
    if worker and loaded.database.url.startswith("sqlite"):
        fail(f"qulink city: {config}: several workers need PostgreSQL; set 'database.url' to one")
    begin_private()
    log.begin()
    run_to_its_end(lambda: app.run(loaded), "qulink city", _expected())


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
