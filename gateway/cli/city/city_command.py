"""``qulink city CONFIG`` runs a city; ``qulink city gateway …`` keeps its registry of gateways."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig


_ADD_EXAMPLE = "Example: `qulink city gateway add --id gw-7 --enterprise 91330822MA0000015W`"


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
    gateways = typer.Typer(no_args_is_help=True, help="Enrol, list and revoke gateways.")
    gateways.command("add", epilog=_ADD_EXAMPLE)(_add)
    gateways.command("list", epilog="Example: `qulink city gateway list -c city.yaml`")(_list)
    gateways.command("revoke", epilog="Example: `qulink city gateway revoke --id gw-7`")(_revoke)
    city.add_typer(gateways, name="gateway")
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

    loaded = load(config, "")
    if worker and loaded.database.url.startswith("sqlite"):
        fail(f"qulink city: {config}: several workers need PostgreSQL; set 'database.url' to one")
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
    from gateway.city.db.upgrade import DatabaseUnusableError
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.stores.api import StoreError
    from gateway.identifier.credentials import CredentialsError
    from gateway.identifier.node_store import NodeStoreError
    from gateway.web.listen import ListenError

    return (
        DatabaseUnusableError,
        DefinitionError,
        SecretUnavailableError,
        StoreError,
        CredentialsError,
        NodeStoreError,
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


def _add(
    gateway_id: Annotated[str, typer.Option("--id", help="Gateway id; also its MQTT user.")],
    enterprise: Annotated[str, typer.Option(help="USCC of an enterprise of the ledger.")],
    site: Annotated[str, typer.Option(help="Site number of that enterprise.")] = "1",
    config: CityFile = DEFAULT,
) -> None:
    """Enrol a gateway, or give an enrolled one a new credential; prints it once."""
    from gateway.city.registry import credentials, enrolment

    loaded = load(config)
    credential = credentials.new_credential()
    line = credentials.password_line(gateway_id, credential)

    def add(connection: "Connection") -> bool:
        new = enrolment.add(connection, gateway_id, enterprise, site, system_ms())
        _store_line(loaded, gateway_id, line)  # neither without the other
        return new

    with opened(loaded) as database:
        try:
            new = database.run_now(add)
        except enrolment.EnrolmentError as error:
            fail(str(error))
    typer.echo("enrolled" if new else "was enrolled; its old credential ends with this one")
    _show(gateway_id, credential)
    if loaded.broker.password_file is None:
        typer.echo("For mosquitto's password file, if it is the broker:")
        typer.echo(line)


def _show(gateway_id: str, credential: str) -> None:
    typer.echo(f"username: {gateway_id}")
    typer.echo(f"password: {credential}")
    typer.echo("This password is shown once and kept nowhere; put it into the gateway's secret.")


def _store_line(config: "CityConfig", gateway_id: str, line: str | None) -> None:
    from gateway.city.registry import credentials

    file = config.broker.password_file
    if file is None:
        return
    try:
        credentials.set_line(file, gateway_id, line)
    except OSError as error:
        fail(f"cannot change the broker's password file {file}: {error.strerror}")
    typer.echo(f"{file} is changed; make mosquitto read it: systemctl reload mosquitto", err=True)


def _list(config: CityFile = DEFAULT) -> None:
    """List all gateways: id, enterprise, site, state, last message."""
    from gateway.city.registry import enrolment

    with opened(load(config)) as database:
        gateways = database.run_now(enrolment.listed)
    for one in gateways:
        state = "revoked" if one.revoked_ms is not None else "enrolled"
        fields = (one.id, one.uscc, one.enterprise, one.site_no, state, _moment(one.last_seen_ms))
        typer.echo("\t".join(fields))


def _moment(time_ms: int | None) -> str:
    from datetime import datetime

    from gateway.core.days import SHANGHAI

    if time_ms is None:
        return "never"
    return datetime.fromtimestamp(time_ms / 1000, SHANGHAI).isoformat(" ", "seconds")


def _revoke(
    gateway_id: Annotated[str, typer.Option("--id", help="Gateway id.")],
    config: CityFile = DEFAULT,
) -> None:
    """Revoke a gateway: its messages are quarantined, its credential is removed."""
    from gateway.city.registry import enrolment

    loaded = load(config)

    def revoke(connection: "Connection") -> None:
        enrolment.revoke(connection, gateway_id, system_ms())
        _store_line(loaded, gateway_id, None)  # neither without the other

    with opened(loaded) as database:
        try:
            database.run_now(revoke)
        except enrolment.EnrolmentError as error:
            fail(str(error))
    typer.echo(f"revoked {gateway_id}")
