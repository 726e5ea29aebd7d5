"""``qulink ledger stops``: planned stops of machines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.ledger.one_template import write_one_template
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.tables import print_table
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.city.ledger.stops.held import Standing

_TEMPLATE_EXAMPLE = "Example: `qulink ledger stops template stops.xlsx`"
_IMPORT_EXAMPLE = "Example: `qulink ledger stops import 2026-10-检修.csv`"
_WITHDRAW_EXAMPLE = "Example: `qulink ledger stops withdraw 7 --reason 检修取消`"


def register(ledger: typer.Typer) -> None:
    """Add the commands."""
    stops = typer.Typer(no_args_is_help=True, help="Planned stops (计划停机).")
    stops.command("template", epilog=_TEMPLATE_EXAMPLE)(_template)
    stops.command("import", epilog=_IMPORT_EXAMPLE)(_import)
    stops.command("list", epilog="Example: `qulink ledger stops list --json`")(_list)
    stops.command("withdraw", epilog=_WITHDRAW_EXAMPLE)(_withdraw)
    ledger.add_typer(stops, name="stops")


def _template(
    out: Annotated[Path, typer.Argument(help="The table to write, .xlsx or .csv.")],
) -> None:
    """Write an empty table of planned stops, with what may stand in it."""
    from gateway.city.ledger.stops.table import COLUMNS, REASONS, SHEET

    write_one_template(out, SHEET, COLUMNS)
    reasons = ", ".join(f"{name.zh} {name.en}" for name in REASONS.values())
    typer.echo(f"wrote {out}; 停机原因 reasons: {reasons}")


def _import(
    files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
    config: CityFile = DEFAULT,
) -> None:
    """Import planned stops: all or nothing; a stop that was entered before stays one.

    Site, workshop, line and number narrow a stop down; without any it is of the whole enterprise.
    It is of the machines that stand there now. Its days are on neither side of rates that leave
    out days of rest.
    """
    from gateway.city.ledger.sheet.problems import LedgerError
    from gateway.city.ledger.stops.entering import enter_stops

    with opened(load(config)) as database:
        try:
            made = database.run_now(enter_stops, files, system_ms(), made_by=system_user())
        except LedgerError as error:
            fail(f"{error}\nnothing was imported")
    typer.echo(f"stops: {made.added} added, {made.unchanged} unchanged")
    if made.late:
        typer.echo(
            f"事后补录 {made.late}: of {made.late} days were over when they were entered; lists "
            "and machines say so"
        )


def _list(
    enterprise: Annotated[str, typer.Option(help="USCC; default: all enterprises.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
    config: CityFile = DEFAULT,
) -> None:
    """List the planned stops that stand, and which were entered when their days were over."""
    import json

    from rich.console import Console
    from rich.table import Table

    from gateway.city.ledger.stops.held import standing

    with opened(load(config)) as database:
        found = database.read_now(standing, enterprise.upper() or None)
    if as_json:
        typer.echo(json.dumps([_told(one) for one in found], ensure_ascii=False, indent=2))
        return
    table = Table(
        "编号", "企业", "范围", "起", "止", "原因", "依据", "填报人", "录入日期", "事后补录"
    )
    for one in found:
        told = _told(one)
        until = told["last_day"] or "直至撤销 until withdrawn"
        late = "是 late" if one.is_late else ""
        names = ("first_day", "reason_name", "document", "said_by", "entered_on")
        first, *rest = (told[name] for name in names)
        table.add_row(str(one.number), told["uscc"], _scope(one), first, until, *rest, late)
    print_table(Console(soft_wrap=True), table)


def _scope(one: "Standing") -> str:
    stop = one.stop
    parts = [part for part in (stop.site_no, stop.workshop, stop.line, stop.asset_no) if part]
    return " / ".join(parts) or "全企业 all"


def _told(one: "Standing") -> dict[str, Any]:
    from dataclasses import asdict

    from gateway.city.ledger.stops.table import REASONS

    days = {
        name: day and day.isoformat() for name, day in asdict(one.stop).items() if "day" in name
    }
    return {
        "number": one.number,
        **asdict(one.stop),
        **days,
        "reason_name": REASONS[one.stop.reason].zh,
        "entered_on": one.entered_on.isoformat(),
        "made_by": one.made_by,
        "late": one.is_late,
    }


def _withdraw(
    number: Annotated[int, typer.Argument(help="Number of the stop, as the list has it.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    config: CityFile = DEFAULT,
) -> None:
    """Withdraw a planned stop: its days count again; frozen months stay as they are."""
    from gateway.city.ledger.stops.entering import StopError, withdraw_stop

    with opened(load(config)) as database:
        try:
            database.run_now(withdraw_stop, number, reason, system_ms(), made_by=system_user())
        except StopError as error:
            fail(str(error))
    typer.echo(f"stop {number} is withdrawn")
