"""``qulink id``: machines that wait for their identifiers, a word for them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.identifier import (
    carrier_command,
    classify_command,
    import_command,
    labels_command,
    resolve_command,
    status_command,
)
from gateway.cli.tables import print_table
from gateway.cli.user import system_user
from gateway.core.days import SHANGHAI

if TYPE_CHECKING:
    from collections.abc import Sequence

Enterprise = Annotated[str, typer.Option(help="Only this enterprise, by USCC.")]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    identifier = typer.Typer(no_args_is_help=True, help="Identifiers of machines (标识).")
    identifier.command("waiting", epilog="Example: `qulink id waiting`")(_waiting)
    identifier.command(
        "approve", epilog="Example: `qulink id approve --enterprise 91330822MA0000015W`"
    )(_approve)
    classify_command.register(identifier)
    import_command.register(identifier)
    resolve_command.register(identifier)
    labels_command.register(identifier)
    carrier_command.register(identifier)
    status_command.register(identifier)
    root.add_typer(identifier, name="id")


def _waiting(
    config: CityFile = DEFAULT,
    enterprise: Enterprise = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List new machines of the ledger that get their identifiers when their review is over.

    An identifier is never taken back: correct what is wrong with `qulink ledger import`, withdraw
    what is no machine with `qulink ledger withdraw`.
    """
    from gateway.city.identifiers.review import waiting

    city = load(config)
    review_ms = city.identifier.review_ms
    with opened(city) as database:
        rows = database.run_now(waiting, review_ms, system_ms(), uscc=enterprise.upper())
    machines = [_waiting_machine(row, review_ms) for row in rows]
    if as_json:
        import json

        typer.echo(json.dumps(machines, ensure_ascii=False, indent=2))
        return
    _print_waiting(machines)


def _waiting_machine(row: Any, review_ms: int) -> dict[str, Any]:
    from edge_config.models.city import NEVER_MS

    until = ""  # the city has not seen it yet
    if review_ms == NEVER_MS:
        until = "放行后 when released"
    elif row.since_ms is not None:
        due = datetime.fromtimestamp((row.since_ms + review_ms) / 1000, SHANGHAI)
        until = due.isoformat(" ", "minutes")
    return {
        "uscc": row.uscc,
        "enterprise": row.enterprise,
        "site_no": row.site_no,
        "asset_no": row.asset_no,
        "name": row.name,
        "issued_after": until,
    }


def _print_waiting(machines: "Sequence[dict[str, Any]]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("企业 enterprise", "厂区 site", "资产编号 asset", "名称 name")
    table.add_column("发码时间 issued after")
    for one in machines:
        table.add_row(
            *(one[key] for key in ("enterprise", "site_no", "asset_no", "name", "issued_after"))
        )
    console = Console(soft_wrap=True)
    print_table(console, table)
    console.print(f"{len(machines)} 台 machines")


def _approve(
    config: CityFile = DEFAULT,
    enterprise: Enterprise = "",
    everything: Annotated[bool, typer.Option("--all", help="Of all enterprises.")] = False,
) -> None:
    """Let the machines that wait have their identifiers at once."""
    from gateway.city.identifiers.progress.acts import release_waiting

    if bool(enterprise) == everything:
        fail("say whose machines are approved: --enterprise USCC, or --all")
    city, now_ms = load(config), system_ms()
    review_ms, uscc = city.identifier.review_ms, enterprise.upper()
    who = (system_user(), "qulink id approve")
    with opened(city) as database:
        number = database.run_now(release_waiting, review_ms, now_ms, *who, uscc=uscc)
    typer.echo(f"{number} machines approved; a running city gives them identifiers within 30 s")
