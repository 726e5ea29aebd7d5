"""``qulink ledger agreements``: which points of an enterprise may be collected, and until when."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.noting import Purpose, note_look, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.tables import print_table
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.city.ledger.agreements.held import Said

_EXAMPLES = {
    name: f"Example: `qulink ledger agreements {rest}`"
    for name, rest in (
        ("template", "template agreements.csv"),
        ("import", "import 数据协议.csv"),
        ("list", "list --json"),
        ("show", "show 91330822MA0000015W"),
        ("end", "end 91330822MA0000015W SJ-2026-01 --on 2026-12-31 --reason 合同到期"),
    )
}
_HEADS = ("企业", "协议编号", "依据文件", "用途", "起", "止", "采集点位", "填报人", "录入日期")


def register(ledger: typer.Typer) -> None:
    """Add the commands."""
    agreements = typer.Typer(no_args_is_help=True, help="Data agreements (数据协议).")
    for name, command in (
        ("template", _template),
        ("import", _import),
        ("list", _list),
        ("show", _show),
        ("end", _end),
    ):
        agreements.command(name, epilog=_EXAMPLES[name])(command)
    ledger.add_typer(agreements, name="agreements")


def _template(
    out: Annotated[Path, typer.Argument(help="The table to write, .csv.")],
) -> None:
    """Write an empty table of data agreements, with what may stand in it."""
    from gateway.city.ledger.agreements.table import COLUMNS

    heads = ",".join(column.header.zh for column in COLUMNS)
    try:
        out.write_text(heads + "\n", encoding="utf-8-sig")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    typer.echo(f"wrote {out}")
    for column in COLUMNS:
        if column.note.zh:
            typer.echo(f"{column.header.zh}: {column.note.zh}; {column.note.en}")


def _import(
    files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
    config: CityFile = DEFAULT,
) -> None:
    """Import data agreements: all or nothing.

    A number that is known says that agreement anew; what was said before stays in its history.
    Of an enterprise with an agreement nothing is stored that no agreement names, from now on.
    """
    from gateway.city.ledger.agreements.entering import enter_agreements
    from gateway.city.ledger.sheet.problems import LedgerError

    with opened(load(config)) as database:
        try:
            made = database.run_now(enter_agreements, files, system_ms(), made_by=system_user())
        except LedgerError as error:
            fail(f"{error}\nnothing was imported")
    typer.echo(
        f"agreements: {made.added} added, {made.changed} changed, {made.unchanged} unchanged"
    )


def _list(
    as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """List the agreements, and how each enterprise that sends stands to its own."""
    import json

    from gateway.city.access.principal import EVERYTHING
    from gateway.city.ledger.agreements.held import standing
    from gateway.city.ledger.agreements.report import lines
    from gateway.core.days import day_of

    loaded = load(config)
    with opened(loaded) as database:
        note_rows(database, "qulink ledger agreements list", purpose=purpose)
        found = database.read_now(standing)
        enterprises = database.read_now(lines, EVERYTHING, day_of(system_ms()))
    if as_json:
        typer.echo(
            json.dumps([_told(one) for one in found], ensure_ascii=False, indent=2, default=str)
        )
        return
    _print(found)
    for one in enterprises:
        if one.is_weak:
            until = f" {one.until}" if one.until else ""
            typer.echo(
                f"{one.uscc} {one.name}: {one.standing}{until}, {one.outside} values not kept"
            )
    if not loaded.agreements.required:
        typer.echo("of enterprises without any agreement all is kept (agreements.required: false)")


def _show(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Show all that was ever said of an enterprise's agreements; a number's last line holds."""
    from gateway.city.ledger.agreements.held import said

    uscc = enterprise.upper()
    with opened(load(config)) as database:
        note_look(database, "qulink ledger agreements show", uscc, purpose)
        found = database.read_now(said, uscc)
    if not found:
        fail(
            f"enterprise {uscc} has no data agreement; enter one with 'qulink ledger agreements "
            "import'"
        )
    _print(found)


def _end(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    number: Annotated[str, typer.Argument(help="Number of the agreement, as the list has it.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    config: CityFile = DEFAULT,
) -> None:
    """End a data agreement: from the day after its last one nothing new is stored by it."""
    from gateway.city.ledger.agreements.entering import AgreementError, end_agreement

    key, last_day = (enterprise.upper(), number), on.date()
    with opened(load(config)) as database:
        try:
            database.run_now(
                end_agreement, key, last_day, reason, system_ms(), made_by=system_user()
            )
        except AgreementError as error:
            fail(str(error))
    typer.echo(f"agreement {number} ends with {last_day}")
    typer.echo(f"what is stored stays; to erase it: qulink city erase {key[0]}")


def _told(one: "Said") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(one.agreement), "entered_on": one.entered_on, "made_by": one.made_by}


def _print(found: "list[Said]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*_HEADS)
    for one in found:
        said = one.agreement
        days = (str(said.first_day), _day(said.last_day))
        points = " ".join(said.points)
        table.add_row(
            *(said.uscc, said.number, said.document, said.purposes),
            *(*days, points, said.said_by, str(one.entered_on)),
        )
    print_table(Console(soft_wrap=True), table)


def _day(day: date | None) -> str:
    return str(day) if day else "直至另行终止 until ended"
