"""``qulink ledger stops``, ``schedules`` and ``agreements``: what is said by a document.

They are entered, listed and ended alike; an agreement ends with a day and has a history.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gateway.cli.city.ledger.one_template import write_one_template
from gateway.cli.city.ledger.spoken import Language, Spoken, sentence
from gateway.cli.city.noting import Purpose, note_look, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.ledger.papers.entering import Ending
    from gateway.city.ledger.papers.sort import Sort

_END_EXAMPLE = (
    "Example: `qulink ledger agreements end 91330822MA0000015W SJ-2026-01 --on 2026-12-31 "
    "--reason 合同到期`"
)
_SHOW_EXAMPLE = "Example: `qulink ledger agreements show 91330822MA0000015W`"
_LATE = "事后补录 {count}: of {count} days were over when they were entered; lists and pages say so"


class _Words(NamedTuple):
    """How the commands of a sort explain themselves."""

    name: str
    help: str
    file: str
    importing: str
    ending: str = ""
    reason: str = ""


_SORTS = (
    _Words(
        "stops",
        "Planned stops (计划停机).",
        "2026-10-检修.csv",
        "Import planned stops: all or nothing; a stop that was entered before stays one.\n\n"
        "Site, workshop, line and number narrow a stop down; without any it is of the whole "
        "enterprise. It is of the machines that stand there now. Its days are on neither side of "
        "rates that leave out days of rest.",
        "Withdraw a planned stop: its days count again; frozen months stay as they are.",
        "检修取消",
    ),
    _Words(
        "schedules",
        "Shift schedules (排班日历).",
        "2026-排班.xlsx",
        "Import shift schedules: all or nothing; one that was entered before stays one.\n\n"
        "A schedule takes the place of the official week in rates that leave out days of rest, "
        "for the whole enterprise or for one site, from its first day on. A day of work is one on "
        "which a shift begins.",
        "Withdraw a shift schedule: what stood before it holds; frozen months stay as they are.",
        "恢复双休",
    ),
    _Words(
        "agreements",
        "Data agreements (数据协议).",
        "数据协议.csv",
        "Import data agreements: all or nothing.\n\n"
        "A number that is known says that agreement anew; what was said before stays in its "
        "history. Of an enterprise with an agreement nothing is stored that no agreement names, "
        "from now on.",
    ),
)


def register(ledger: typer.Typer) -> None:
    """Add the commands."""
    for words in _SORTS:
        own = typer.Typer(no_args_is_help=True, help=words.help)
        begin = f"Example: `qulink ledger {words.name}"
        own.command(
            "template",
            help="Write an empty table, with what may stand in it.",
            epilog=f"{begin} template {words.name}.xlsx`",
        )(_template(words.name))
        own.command("import", help=words.importing, epilog=f"{begin} import {words.file}`")(
            _import(words.name)
        )
        own.command(
            "list",
            help="List those that stand, and which were entered when their days were over.",
            epilog=f"{begin} list --json`",
        )(_list(words.name))
        if words.ending:
            example = f"{begin} withdraw 7 --reason {words.reason}`"
            own.command("withdraw", help=words.ending, epilog=example)(_withdraw(words.name))
        else:
            own.command("show", epilog=_SHOW_EXAMPLE)(_show)
            own.command("end", epilog=_END_EXAMPLE)(_end)
        ledger.add_typer(own, name=words.name)


def _sort(name: str) -> "Sort[Any]":
    from gateway.city.ledger.papers.sorts import SORTS

    return SORTS[name]


def _template(name: str) -> Callable[..., None]:
    def template(
        out: Annotated[Path, typer.Argument(help="The table to write, .xlsx or .csv.")],
    ) -> None:
        sort = _sort(name)
        write_one_template(out, sort.sheet, sort.columns)
        typer.echo(f"wrote {out}")
        for column in sort.columns:
            choices = ", ".join(f"{one.zh} {one.en}" for one in column.choices.values())
            note = "; ".join(part for part in (column.note.zh, column.note.en, choices) if part)
            if note:
                typer.echo(f"{column.header.zh}: {note}")

    return template


def _import(name: str) -> Callable[..., None]:
    def import_(
        files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
        config: CityFile = DEFAULT,
        lang: Spoken = Language.EN,
    ) -> None:
        from gateway.city.ledger.papers.entering import enter_files
        from gateway.city.ledger.sheet.problems import LedgerError
        from gateway.cli.city.ledger.ledger_output import refusal

        with opened(load(config)) as database:
            try:
                made = database.run_now(
                    enter_files, _sort(name), files, system_ms(), made_by=system_user()
                )
            except LedgerError as error:
                fail(refusal(error, lang))
        changed = f", {made.changed} changed" if made.changed else ""
        typer.echo(f"{name}: {made.added} added{changed}, {made.unchanged} unchanged")
        if made.late:
            typer.echo(_LATE.format(count=made.late))

    return import_


def _list(name: str) -> Callable[..., None]:
    def list_(
        enterprise: Annotated[str, typer.Option(help="USCC; default: all enterprises.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
        purpose: Purpose = "",
        config: CityFile = DEFAULT,
    ) -> None:
        from gateway.cli.city.ledger.papers_output import print_papers, print_standings

        loaded, sort = load(config), _sort(name)
        with opened(loaded) as database:
            note_rows(database, f"qulink ledger {name} list", purpose=purpose)
            found = database.read_now(sort.standing, enterprise.upper() or None)
            print_papers(sort, found, as_json=as_json)
            if name == "agreements" and not as_json:
                print_standings(database, is_required=loaded.agreements.required)

    return list_


def _withdraw(name: str) -> Callable[..., None]:
    def withdraw(
        number: Annotated[int, typer.Argument(help="Its number, as the list has it.")],
        reason: Annotated[str, typer.Option(help="Why, in words.")],
        config: CityFile = DEFAULT,
        lang: Spoken = Language.EN,
    ) -> None:
        from gateway.city.ledger.papers.entering import Ending

        sort = _sort(name)
        _ended(load(config), sort, Ending(number, reason), lang)
        typer.echo(f"{sort.one} {number} is withdrawn")

    return withdraw


def _show(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Show all that was ever said of an enterprise's agreements; a number's last line holds."""
    from gateway.city.ledger.agreements.held import said
    from gateway.cli.city.ledger.papers_output import print_papers

    uscc = enterprise.upper()
    with opened(load(config)) as database:
        note_look(database, "qulink ledger agreements show", uscc, purpose)
        found = database.read_now(said, uscc)
    if not found:
        fail(
            f"enterprise {uscc} has no data agreement; enter one with 'qulink ledger agreements "
            "import'"
        )
    print_papers(_sort("agreements"), found, as_json=False)


def _end(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    number: Annotated[str, typer.Argument(help="Number of the agreement, as the list has it.")],
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day on which it holds.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    config: CityFile = DEFAULT,
    lang: Spoken = Language.EN,
) -> None:
    """End a data agreement: from the day after its last one nothing new is stored by it."""
    from gateway.city.ledger.agreements.sort import entry_of
    from gateway.city.ledger.papers.entering import Ending
    from gateway.city.ledger.papers.sort import PaperError

    uscc, last_day, loaded = enterprise.upper(), on.date(), load(config)
    with opened(loaded) as database:
        try:
            entry = database.read_now(entry_of, uscc, number)
        except PaperError as error:
            fail(str(error))
    _ended(loaded, _sort("agreements"), Ending(entry, reason, last_day), lang)
    typer.echo(f"agreement {number} ends with {last_day}")
    typer.echo(f"what is stored stays; to erase it: qulink city erase {uscc}")


def _ended(config: "CityConfig", sort: "Sort[Any]", ending: "Ending", language: Language) -> None:
    """End a paper, or the command with the reason why it cannot be."""
    from gateway.city.ledger.papers.entering import end
    from gateway.city.ledger.papers.sort import PaperError

    with opened(config) as database:
        try:
            database.run_now(end, sort, ending, system_ms(), system_user())
        except PaperError as error:
            fail(sentence(str(error), language))
