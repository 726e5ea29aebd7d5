"""``qulink ledger schedules``: on which days the machines of an enterprise are meant to work."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.ledger.one_template import write_one_template
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.tables import print_table
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.city.ledger.schedules.held import Held

_TEMPLATE_EXAMPLE = "Example: `qulink ledger schedules template schedules.xlsx`"
_IMPORT_EXAMPLE = "Example: `qulink ledger schedules import 2026-排班.xlsx`"
_LIST_EXAMPLE = "Example: `qulink ledger schedules list --json`"
_WITHDRAW_EXAMPLE = "Example: `qulink ledger schedules withdraw 3 --reason 恢复双休`"


def register(ledger: typer.Typer) -> None:
    """Add the commands."""
    schedules = typer.Typer(no_args_is_help=True, help="Shift schedules (排班日历).")
    schedules.command("template", epilog=_TEMPLATE_EXAMPLE)(_template)
    schedules.command("import", epilog=_IMPORT_EXAMPLE)(_import)
    schedules.command("list", epilog=_LIST_EXAMPLE)(_list)
    schedules.command("withdraw", epilog=_WITHDRAW_EXAMPLE)(_withdraw)
    ledger.add_typer(schedules, name="schedules")


def _template(
    out: Annotated[Path, typer.Argument(help="The table to write, .xlsx or .csv.")],
) -> None:
    """Write an empty table of shift schedules, with what may stand in it."""
    from gateway.city.ledger.schedules.table import COLUMNS, SHEET
    from gateway.city.ledger.schedules.week import EXAMPLE

    write_one_template(out, SHEET, COLUMNS)
    typer.echo(f"wrote {out}; 工作日 working days: {EXAMPLE}")


def _import(
    files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
    config: CityFile = DEFAULT,
) -> None:
    """Import shift schedules: all or nothing; one that was entered before stays one.

    A schedule takes the place of the official week in rates that leave out days of rest, for the
    whole enterprise or for one site, from its first day on. A day of work is one on which a shift
    begins.
    """
    from gateway.city.ledger.schedules.entering import enter_schedules
    from gateway.city.ledger.sheet.problems import LedgerError

    with opened(load(config)) as database:
        try:
            made = database.run_now(enter_schedules, files, system_ms(), made_by=system_user())
        except LedgerError as error:
            fail(f"{error}\nnothing was imported")
    typer.echo(f"schedules: {made.added} added, {made.unchanged} unchanged")
    if made.late:
        typer.echo(
            f"事后补录 {made.late}: of {made.late} days were over when they were entered; days "
            "that are otherwise by them are told as late"
        )


def _list(
    enterprise: Annotated[str, typer.Option(help="USCC; default: all enterprises.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
    config: CityFile = DEFAULT,
) -> None:
    """List the shift schedules that stand, and which were entered when their days were over."""
    import json

    from rich.console import Console
    from rich.table import Table

    from gateway.city.ledger.schedules.held import held_schedules

    with opened(load(config)) as database:
        found = database.read_now(held_schedules, enterprise.upper() or None)
    if as_json:
        typer.echo(json.dumps([_told(one) for one in found], ensure_ascii=False, indent=2))
        return
    table = Table("编号", "企业", "厂区", "起", "止", "工作日", "节假日")
    for head in ("原因", "依据", "填报人", "录入日期", "事后补录"):
        table.add_column(head)
    for one in found:
        told = _told(one)
        names = ("reason", "document", "said_by", "entered_on")
        table.add_row(
            str(one.number), told["uscc"], told["site_no"] or "全部 all", told["first_day"],
            told["last_day"] or "—", told["work_days"], told["holidays_name"],
            *(told[name] for name in names), "是 late" if one.is_late else "",
        )  # fmt: skip
    print_table(Console(soft_wrap=True), table)


def _told(one: "Held") -> dict[str, Any]:
    from dataclasses import asdict

    from gateway.city.ledger.schedules.table import HOLIDAYS
    from gateway.city.ledger.schedules.week import shown

    said, last = one.schedule, one.schedule.last_day
    return {
        "number": one.number,
        **asdict(said),
        "first_day": said.first_day.isoformat(),
        "last_day": last and last.isoformat(),
        "work_days": shown(said.weeks),
        "holidays_name": HOLIDAYS[said.on_holidays].zh,
        "entered_on": one.entered_on.isoformat(),
        "made_by": one.made_by,
        "late": one.is_late,
    }


def _withdraw(
    number: Annotated[int, typer.Argument(help="Number of the schedule, as the list has it.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    config: CityFile = DEFAULT,
) -> None:
    """Withdraw a shift schedule: what stood before it holds; frozen months stay as they are."""
    from gateway.city.ledger.schedules.entering import withdraw_schedule
    from gateway.city.ledger.stops.entering import StopError

    with opened(load(config)) as database:
        try:
            database.run_now(withdraw_schedule, number, reason, system_ms(), made_by=system_user())
        except StopError as error:
            fail(str(error))
    typer.echo(f"schedule {number} is withdrawn")
