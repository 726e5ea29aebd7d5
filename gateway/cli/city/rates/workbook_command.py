"""``qulink rates workbook``: a table of rates as XLSX, with what it means and its revisions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.city.rates.wording import Lang
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.rates.cells.dimensions import Dimension
    from gateway.relational.database import Database

_EXAMPLE = "Example: `qulink rates workbook 联网率.xlsx --by county --month 2026-10`"


def register(rates: typer.Typer) -> None:
    """Add the command."""
    rates.command("workbook", epilog=_EXAMPLE)(_workbook)


def _workbook(
    out: Annotated[Path, typer.Argument(help="The file to write; one that is there is replaced.")],
    by: Annotated[str, typer.Option(help="Lines, as of qulink rates --by.")] = "county",
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    lang: Annotated[Lang, typer.Option("--lang", help="Of sheets and words.")] = Lang.ZH,
    config: CityFile = DEFAULT,
) -> None:
    """Write a workbook of three sheets: figures, what they mean, revisions. The audit log says so.

    Exit code 1: the database, the definition or the month cannot be used, or the file not written.
    """
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.rates.period import MonthError
    from gateway.city.rates.tallies import NotComputableError

    city = load(config)
    dimension = _dimension(by)
    asked = definition or city.definitions.headline, month or None, dimension
    with opened(city) as database:
        try:
            body = database.read_now(lambda connection: _made(connection, city, asked, lang))
        except (DefinitionError, MonthError, NotComputableError) as error:
            fail(str(error))
        _noted(database, f"{asked[0]} {month or 'running month'} by {by}")
    try:
        out.write_bytes(body)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}; name a file in a folder that is yours")
    typer.echo(f"{out}: {len(body):,} bytes")


def _dimension(by: str) -> "Dimension":
    from gateway.city.rates.cells.dimensions import DIMENSIONS

    found = next((one for one in DIMENSIONS if one == by), None)
    if found is None:
        fail(f"there are no lines by {by!r}: choose one of {', '.join(DIMENSIONS)}")
    return found


def _made(
    connection: "Connection",
    city: "CityConfig",
    asked: "tuple[str, str | None, Dimension]",
    lang: Lang,
) -> bytes:
    from gateway.city.rates.definitions import load_definitions
    from gateway.city.rates.exports.explanation import Made, explanation
    from gateway.city.rates.exports.revisions import revisions
    from gateway.city.rates.exports.workbook import workbook
    from gateway.city.rates.publishing.operational import rate_table
    from gateway.city.rates.reports.answering import answering_now
    from gateway.city.rates.reports.export import as_table

    now_ms, demonstration = system_ms(), city.demonstration
    known = load_definitions(city.definitions.file, city.calendar.file)
    up = answering_now(connection, now_ms, city.silence_ms, demonstration=demonstration)
    table = rate_table(
        connection, *asked, now_ms, demonstration=demonstration, answering=up, definitions=known
    )
    record, file = table.definition, as_table(table)
    changes = revisions(connection, record.id, table.month, demonstration=demonstration, names=True)
    explained = explanation(file, record, Made(system_user(), now_ms), lang.value)
    return workbook(file, explained, changes, lang.value, demonstration=demonstration)


def _noted(database: "Database", subject: str) -> None:
    from gateway.city.access.audit import Action, note

    database.run_now(note, system_ms(), system_user(), Action.EXPORTED, subject, "xlsx")
