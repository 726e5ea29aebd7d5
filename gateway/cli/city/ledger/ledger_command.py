"""``qulink ledger``: template, import and list of enterprises and equipment."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.ledger import (
    acts_command,
    papers_command,
)
from gateway.cli.city.ledger.spoken import Language, Spoken, sentence
from gateway.cli.city.noting import Purpose, note_look, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from gateway.city.ledger.bitemporal.timeline import Saying


_RENAME_EXAMPLE = (
    "Example: `qulink ledger rename --enterprise 91330822MA0000015W --from OLD-1 --to NEW-1`"
)
_IMPORT_EXAMPLE = "Example: `qulink ledger import ledger.xlsx --effective 2026-09-01 --dry-run`"
_WITHDRAW_EXAMPLE = (
    "Example: `qulink ledger withdraw --enterprise 91330822MA0000015W --asset OLD-1 "
    "--reason 同一台机床录入两次`"
)


_HISTORY_EXAMPLE = "Example: `qulink ledger history 91330822MA0000015W --asset CNC-01`"


SHOWN_PROBLEMS = 200
"""A wrong column of a large file would fill the screen for minutes."""


class HiddenRows(StrEnum):
    """Choices of ``--hidden``; known here, so that ``--help`` need not load the city."""

    REFUSE = "refuse"
    TAKE = "take"
    LEAVE = "leave"


_Hidden = Annotated[
    HiddenRows,
    typer.Option(help="What to do with hidden or filtered rows, hidden columns and sheets."),
]
_From = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="Day from which holds what rows change that name none; default: today.",
    ),
]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    ledger = typer.Typer(no_args_is_help=True, help="Enterprises and equipment (台账).")
    ledger.command("template", epilog="Example: `qulink ledger template ledger.xlsx`")(_template)
    ledger.command("import", epilog=_IMPORT_EXAMPLE)(_import)
    ledger.command("list", epilog="Example: `qulink ledger list --json`")(_list)
    ledger.command("rename", epilog=_RENAME_EXAMPLE)(_rename)
    ledger.command("withdraw", epilog=_WITHDRAW_EXAMPLE)(_withdraw)
    ledger.command("history", epilog=_HISTORY_EXAMPLE)(_history)
    acts_command.register(ledger)
    papers_command.register(ledger)
    root.add_typer(ledger, name="ledger")


def _template(
    out: Annotated[Path, typer.Argument(help="The workbook to write, .xlsx.")],
    lang: Annotated[Language, typer.Option(help="Language of the workbook.")] = Language.ZH,
) -> None:
    """Write an empty workbook with drop-downs and explanations."""
    from gateway.city.ledger.sheet.template import write_template

    if out.suffix.lower() != ".xlsx":
        fail(f"{out}: the template is a workbook; give it a name that ends in .xlsx")
    try:
        write_template(out, lang.value)
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    typer.echo(f"wrote {out}")


def _import(
    files: Annotated[list[Path], typer.Argument(help="CSV and XLSX files.")],
    config: CityFile = DEFAULT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
    hidden: _Hidden = HiddenRows.REFUSE,
    effective: _From = None,
    lang: Spoken = Language.EN,
) -> None:
    """Import enterprises and equipment: all or nothing; importing again updates."""
    from gateway.city.ledger.importer import import_ledger
    from gateway.city.ledger.importing.terms import Terms
    from gateway.city.ledger.sheet.hidden import Hidden
    from gateway.city.ledger.sheet.problems import LedgerError
    from gateway.cli.city.ledger import waiting
    from gateway.cli.city.ledger.ledger_output import refusal, summary

    city, now_ms = load(config), system_ms()
    day = _effective(effective, now_ms, lang)
    with opened(city) as database:
        try:
            with waiting.told(lang) as tell:
                report = import_ledger(
                    database,
                    files,
                    now_ms,
                    dry_run=dry_run,
                    hidden=Hidden(hidden.value),
                    made_by=system_user(),
                    effective=day,
                    terms=Terms(tell=tell),
                )
        except LedgerError as error:
            fail(refusal(error, lang))
        told = database.read_now(
            _days, report.since, now_ms, lang, demonstration=city.demonstration
        )
    typer.echo(summary(report, lang, dry_run=dry_run))
    for line in told:
        typer.echo(line)


def _days(
    connection: "Connection",
    since: "Mapping[date, int]",
    now_ms: int,
    lang: Language,
    *,
    demonstration: bool,
) -> list[str]:
    """What is to be known of the days from which an import says something."""
    from gateway.city.rates.frozen.touched import frozen_from
    from gateway.cli.city.ledger.ledger_output import told_days
    from gateway.core.days import day_of

    today = day_of(now_ms)
    frozen, before = (
        frozen_from(connection, day, demonstration=demonstration)
        for day in (min(since, default=today), date.min)
    )
    return list(told_days(since, today, frozen, before, lang))


def _effective(given: datetime | None, now_ms: int, lang: Language) -> date | None:
    """The day of ``--effective``; exits 1 if no change can hold from it."""
    from gateway.city.ledger.sheet.values import effective_day
    from gateway.core.days import day_of

    try:
        return given and effective_day(given.date().isoformat(), day_of(now_ms))
    except ValueError as error:
        fail(f"--effective: {sentence(str(error), lang)}")


def _rename(
    enterprise: Annotated[str, typer.Option(help="USCC of the enterprise.")],
    old: Annotated[str, typer.Option("--from", help="Asset number that the machine has now.")],
    new: Annotated[str, typer.Option("--to", help="Asset number that it has from today on.")],
    site: Annotated[str, typer.Option(help="Site number that the machine stands at now.")] = "1",
    to_site: Annotated[str, typer.Option(help="Site it moves to; default: it stays.")] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Give a machine another number: it stays what it is, with its data and its identifier.

    What its gateway still sends under the old number is its own, until the ledger gives that
    number to another machine.
    """
    from gateway.city.ledger.names import MachineName
    from gateway.city.ledger.renaming import RenamingError, rename_machine

    uscc = enterprise.upper()
    before, after = MachineName(uscc, site, old), MachineName(uscc, to_site or site, new)
    with opened(load(config)) as database:
        try:
            database.run_now(rename_machine, before, after, system_ms(), system_user())
        except RenamingError as error:
            fail(str(error))
    typer.echo(f"{old} is {new} from today on")


def _withdraw(
    enterprise: Annotated[str, typer.Option(help="USCC of the enterprise.")],
    asset: Annotated[str, typer.Option(help="Asset number of the row.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger and at the node.")],
    site: Annotated[str, typer.Option(help="Site number of the row.")] = "1",
    config: CityFile = DEFAULT,
) -> None:
    """Take back a row that was entered by mistake: there never was such a machine.

    No rate counts it on any day, and it gets no identifier; one that it has is withdrawn at the
    node and never given to another machine. Importing the machine again brings it back.
    """
    from gateway.city.ledger.names import MachineName
    from gateway.city.ledger.withdrawal import WithdrawalError, withdraw_machine

    name = MachineName(enterprise.upper(), site, asset)
    with opened(load(config)) as database:
        try:
            identified = database.run_now(
                withdraw_machine, name, reason, system_ms(), system_user()
            )
        except WithdrawalError as error:
            fail(str(error))
    told = "; its identifier is withdrawn at the node" if identified else ""
    typer.echo(f"{asset} is withdrawn{told}")


def _history(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    asset: Annotated[str, typer.Option(help="Asset number; default: the enterprise.")] = "",
    site: Annotated[str, typer.Option(help="Site number of the machine.")] = "1",
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Show what the ledger said: from which day it holds, known since when, by whom.

    A later line holds where two speak of one day; — is what was taken back.
    """
    from gateway.city.ledger.bitemporal.timeline import said_of_enterprise, said_of_machine
    from gateway.city.ledger.machines import find
    from gateway.city.ledger.names import MachineName
    from gateway.cli.city.ledger.ledger_output import print_history
    from gateway.core.days import day_of

    name = MachineName(enterprise.upper(), site, asset)

    def ask(connection: "Connection") -> "list[Saying]":
        if not asset:
            return said_of_enterprise(connection, name.uscc)
        number = find(connection, [name], day_of(system_ms())).get(name)
        return [] if number is None else said_of_machine(connection, number)

    with opened(load(config)) as database:
        found = database.read_now(ask)
        note_look(database, f"qulink ledger history {asset}".strip(), name.uscc, purpose)
    if not found:
        fail(f"nothing was ever said of {asset or 'the enterprise'} {name.uscc}")
    print_history(found)


def _list(
    config: CityFile = DEFAULT,
    enterprise: Annotated[str, typer.Option(help="Only this enterprise, by USCC.")] = "",
    enterprises: Annotated[
        bool, typer.Option("--enterprises", help="The enterprises, with their size class.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    purpose: Purpose = "",
) -> None:
    """List the machines of the ledger with their status today and their identifier."""
    from gateway.city.ledger.listing import listed, listed_enterprises
    from gateway.cli.city.ledger.ledger_output import print_enterprises, print_machines

    uscc = enterprise.upper() or None
    with opened(load(config)) as database:
        note_rows(database, "qulink ledger list", uscc or "all", purpose)
        if enterprises:
            found = database.read_now(listed_enterprises, uscc=uscc)
        else:
            found = database.read_now(listed, system_ms(), uscc=uscc)
    if as_json:
        import json

        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif enterprises:
        print_enterprises(found)
    else:
        print_machines(found)
