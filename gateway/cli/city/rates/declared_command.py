"""``qulink rates declare`` and ``declared``: 申报值 beside 采集值."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from gateway.cli.city.noting import Purpose, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.tables import print_table
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.web.tables import Table

_DECLARE = "Example: `qulink rates declare declared.xlsx --dry-run`"
_DECLARED = "Example: `qulink rates declared --month 2026-10 --definition ENR-B --csv`"
_SHOWN = 200


def register(rates: typer.Typer) -> None:
    """Add the commands."""
    rates.command("declare", epilog=_DECLARE)(_declare)
    rates.command("declared", epilog=_DECLARED)(_declared)


def _declare(
    files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be new; write nothing.")
    ] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Import what enterprises declare (申报值): all rows or nothing.

    Columns: 统一社会信用代码, 月份, 申报联网台数, 申报设备台数, 申报人, 来源. Neither collected
    nor earlier declared values are overwritten. Exit code 1: a file or the database cannot be used.
    """
    from gateway.city.ledger.sheet.problems import LedgerError
    from gateway.city.rates.declared.importing import import_declared, read_declared

    now_ms, user = system_ms(), system_user()
    with opened(load(config)) as database:
        try:
            sheets = read_declared(files)
            done = database.run_now(import_declared, sheets, now_ms, user, dry_run=dry_run)
        except LedgerError as error:
            lines = [str(one) for one in error.problems[:_SHOWN]]
            fail("\n".join([*lines, f"mistakes: {len(error.problems)}; nothing was imported"]))
    what = "would be new" if dry_run else "new"
    typer.echo(f"rows: {done.rows}, {what}: {done.new}")


def _declared(
    month: Annotated[str, typer.Option(help="YYYY-MM.")],
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    enterprise: Annotated[str, typer.Option(help="USCC; default: all that declared.")] = "",
    as_known: Annotated[
        str, typer.Option(help="What was declared by then, as 2026-11-05T12:00+08:00.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Print 申报值 beside 采集值 of a month, and what may explain the difference.

    Exit code 1: the database, the definition or the month cannot be used.
    """
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.rates.period import MonthError
    from gateway.cli.city.reproduce_command import moment
    from gateway.web.tables import csv_text, json_text

    if as_json and as_csv:
        fail("choose one of --json and --csv")
    city = load(config)
    asked = _Asked(definition, month, enterprise, moment(as_known) if as_known else None)
    with opened(city) as database:
        try:
            head, file = database.read_now(_beside, city, asked)
        except (DefinitionError, MonthError) as error:
            fail(str(error))
        what = f"{definition or city.definitions.headline} {month} {enterprise}".strip()
        note_rows(database, "qulink rates declared", what, purpose)
    if as_json:
        typer.echo(json_text(file, demonstration=city.demonstration))
    elif as_csv:
        typer.echo(csv_text(file, demonstration=city.demonstration), nl=False)
    else:
        _print(file, head)


class _Asked(NamedTuple):
    """Definition, month and enterprise that are asked for, as known when."""

    definition: str
    month: str
    enterprise: str
    known_ms: int | None


def _beside(connection: "Connection", city: "CityConfig", asked: _Asked) -> "tuple[str, Table]":
    """What is told above the lines, and the lines."""
    from gateway.city.rates.declared.report import as_file, beside
    from gateway.city.rates.definitions import definition_of, load_definitions

    records = load_definitions(city.definitions.file, city.calendar.file)
    record = definition_of(records, asked.definition or city.definitions.headline)
    found = beside(
        connection,
        record.id,
        asked.month,
        system_ms(),
        demonstration=city.demonstration,
        definitions=records,
        uscc=asked.enterprise or None,
        known_ms=asked.known_ms,
    )
    head = f"{record.id} {record.name_zh} · {record.name_en} · {asked.month}"
    return head, as_file(found, record, asked.month)


def _print(file: "Table", head: str) -> None:
    from rich.console import Console
    from rich.table import Table as Lines

    console = Console(soft_wrap=True)
    console.print(head)
    if not file.rows:
        console.print("没有申报值 nothing was declared; qulink rates declare FILE imports it")
        return
    rows = Lines("企业 USCC")
    for name in ("申报 declared", "%", "采集 collected", "%", "差 points"):
        rows.add_column(name, justify="right")
    for name in ("来源 source", "差异原因 what may explain it"):
        rows.add_column(name)
    for row in file.rows:
        rows.add_row(
            str(row["uscc"]),
            f"{row['declared_networked']}/{row['declared_equipment']}",
            str(row["declared_percent"] or "—"),
            f"{row['collected_networked']}/{row['collected_equipment']}",
            str(row["collected_percent"] or "—"),
            str(row["points"] or "—"),
            f"{row['declared_by']} · {row['source']}",
            f"{row['reasons_zh']} {row['reasons_en']}",
        )
    print_table(console, rows)
