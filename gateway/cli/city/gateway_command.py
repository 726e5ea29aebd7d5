"""``qulink city gateway …`` keeps a city's registry of gateways."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig

_ADD_EXAMPLE = "Example: `qulink city gateway add --id gw-7 --enterprise 91330822MA0000015W`"


def register(city: typer.Typer) -> None:
    """Add the commands."""
    gateways = typer.Typer(no_args_is_help=True, help="Enrol, list and revoke gateways.")
    gateways.command("add", epilog=_ADD_EXAMPLE)(_add)
    gateways.command("list", epilog="Example: `qulink city gateway list -c city.yaml`")(_list)
    gateways.command("revoke", epilog="Example: `qulink city gateway revoke --id gw-7`")(_revoke)
    gateways.command("accounts", epilog="Example: `qulink city gateway accounts`")(_accounts)
    city.add_typer(gateways, name="gateway")


def _add(
    gateway_id: Annotated[str, typer.Option("--id", help="Gateway id; also its MQTT user.")],
    enterprise: Annotated[str, typer.Option(help="USCC of an enterprise of the ledger.")],
    site: Annotated[str, typer.Option(help="Site number of that enterprise.")] = "1",
    config: CityFile = DEFAULT,
) -> None:
    """Enrol a gateway, or give an enrolled one a new credential; prints it once."""
    from gateway.city.access.audit import Action, note
    from gateway.city.registry import credentials, enrolment

    loaded = load(config)
    user, by_password = loaded.broker.username, loaded.broker.gateway_login == "password"
    credential = credentials.new_credential()
    line = credentials.password_line(gateway_id, credential)

    def add(connection: "Connection") -> bool:
        new = enrolment.add(connection, gateway_id, enterprise, site, system_ms(), user)
        if new:
            _demand_no_account(loaded, gateway_id)
        done = Action.ENROLLED if new else Action.RENEWED
        note(connection, system_ms(), system_user(), done, gateway_id, f"{enterprise} {site}")
        _store_line(loaded, gateway_id, line)  # neither without the other
        return new

    with opened(loaded) as database:
        try:
            new = database.run_now(add)
        except enrolment.EnrolmentError as error:
            fail(str(error))
    if not by_password:
        typer.echo("enrolled" if new else "was enrolled already")
        typer.echo(
            f"Its certificate must have the name {gateway_id}: authority gateway {gateway_id}"
        )
        return
    typer.echo("enrolled" if new else "was enrolled; its old credential ends with this one")
    _show(gateway_id, credential)
    if loaded.broker.password_file is None:
        typer.echo("For mosquitto's password file, if it is the broker:")
        typer.echo(line)


def _show(gateway_id: str, credential: str) -> None:
    typer.echo(f"username: {gateway_id}")
    typer.echo(f"password: {credential}")
    typer.echo("This password is shown once and kept nowhere; put it into the gateway's secret.")


def _demand_no_account(config: "CityConfig", gateway_id: str) -> None:
    """Refuse a new gateway by whose name somebody else comes to the broker."""
    from gateway.city.registry import credentials

    file = config.broker.password_file
    if file is not None and file.exists() and gateway_id in credentials.users(file):
        fail(
            f"{file} has an account {gateway_id} that no enrolment made; choose another id, or "
            "remove the account if nobody uses it"
        )


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
    from gateway.city.access.audit import Action, note
    from gateway.city.registry import enrolment

    loaded = load(config)

    def revoke(connection: "Connection") -> None:
        enrolment.revoke(connection, gateway_id, system_ms())
        note(connection, system_ms(), system_user(), Action.REVOKED, gateway_id)
        _store_line(loaded, gateway_id, None)  # neither without the other

    with opened(loaded) as database:
        try:
            database.run_now(revoke)
        except enrolment.EnrolmentError as error:
            fail(str(error))
    typer.echo(f"revoked {gateway_id}")
    if loaded.broker.gateway_login == "certificate":
        typer.echo("The city hears it no more. Let the broker refuse its certificate, too:")
        typer.echo(f"authority revoke {gateway_id}; copy ca.crl to the broker; restart the broker")


def _accounts(config: CityFile = DEFAULT) -> None:
    """Say whose each account of the broker's password file is.

    Prints user and owner: city, gateway, revoked or unknown. Exit code 1 if there is an account
    that should not be there: of a revoked gateway, or one that no enrolment made.
    """
    from gateway.city.registry import credentials, enrolment
    from gateway.city.registry.accounts import accounts

    loaded = load(config)
    file = loaded.broker.password_file
    if file is None:
        fail("'broker.password_file' is not set: there is no file whose accounts could be told")
    try:
        users = credentials.users(file)
    except OSError as error:
        fail(f"cannot read the broker's password file {file}: {error.strerror}")
    with opened(loaded) as database:
        registered = database.run_now(enrolment.listed)
    found = accounts(users, registered, loaded.broker.username)
    for one in found:
        typer.echo(f"{one.user}\t{one.owner}")
    if strangers := [one.user for one in found if not one.is_due]:
        fail(f"{file}: remove the accounts that nobody should have: {', '.join(strangers)}")
