"""``qulink rates``: equipment networking rates by county, industry or enterprise."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gateway.cli.city import reproduce_command
from gateway.cli.city.noting import Purpose, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, system_ms
from gateway.cli.city.published_rates import EXAMPLE as _PUBLISHED_EXAMPLE
from gateway.cli.city.published_rates import published
from gateway.cli.city.rates import (
    correct_command,
    declared_command,
    engine_command,
    sensitivity_command,
    workbook_command,
)
from gateway.cli.city.rates.asking import answer
from gateway.cli.city.rates.output import print_rates
from gateway.cli.city.rates.wording import Lang, LangOption, words_of
from gateway.cli.city.rates_notes import print_notes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.rates.comparing.breaks import Break
    from gateway.city.rates.comparing.spans import SpanRates
    from gateway.city.rates.frozen.late import Late
    from gateway.city.rates.reports.table import RateTable
    from gateway.relational.database import Database

_HELP = """Equipment networking rates (设备联网率): a table with the integers they come from.

Exit code 1: the database, the definition or the month cannot be used.
"""


class By(StrEnum):
    """Dimension of the lines, as ``cells/dimensions.py``."""

    COUNTY = "county"
    INDUSTRY = "industry"
    INDUSTRY3 = "industry3"
    INDUSTRY2 = "industry2"
    SECTION = "section"
    COUNTY_INDUSTRY = "county-industry"
    AREA = "area"
    SIZE = "size"
    ENTERPRISE = "enterprise"


def register(root: typer.Typer) -> None:
    """Add the command."""
    rates = typer.Typer()
    rates.callback(
        invoke_without_command=True,
        help=_HELP,
        epilog="Example: `qulink rates --by enterprise --month 2026-10 --csv --lang zh`",
    )(_rates)
    correct_command.register(rates)
    rates.command("published", epilog=_PUBLISHED_EXAMPLE)(published)
    reproduce_command.register(rates)
    sensitivity_command.register(rates)
    declared_command.register(rates)
    workbook_command.register(rates)
    engine_command.register(rates)
    root.add_typer(rates, name="rates")


def _rates(
    context: typer.Context,
    by: Annotated[By, typer.Option(help="Lines of the table.")] = By.COUNTY,
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    quarter: Annotated[str, typer.Option(help="YYYY-Qn: the value of its last month.")] = "",
    year: Annotated[str, typer.Option(help="YYYY: the value of its last month.")] = "",
    as_known: Annotated[
        str,
        typer.Option(
            help="Compute it by the ledger as it was known then, as 2026-11-05T12:00+08:00."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    lang: LangOption = Lang.EN,
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Print a table of rates with the integers they come from."""
    if context.invoked_subcommand is not None:
        return
    known_ms = reproduce_command.moment(as_known) if as_known else None
    if known_ms is not None and known_ms > system_ms():
        fail(f"{as_known} has yet to come; nobody knows what the ledger will be known to say then")
    asked = _Asked(by, definition, month, known_ms, lang, purpose)
    if not (quarter or year):
        _show(asked, config, as_json=as_json, as_csv=as_csv)
    elif month or as_known or as_csv or (quarter and year):
        fail("--quarter and --year stand alone, and take --by, --definition and --json")
    else:
        _show_span(asked, quarter, year, config, as_json=as_json)


class _Asked(NamedTuple):
    """What table is asked for; ``known_ms``: as the ledger was known then, UTC ms.

    ``lang`` is of the headings of a CSV file.
    """

    by: By
    definition: str
    month: str
    known_ms: int | None
    lang: Lang
    purpose: str = ""


def _show(asked: _Asked, config: Path, *, as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        fail("choose one of --json and --csv")
    city = load(config)

    def ask(database: "Database") -> _Told:
        found = database.read_now(lambda connection: _told(connection, city, asked))
        _note_enterprises(database, asked, found.table.definition.id, found.table.month)
        return found

    told = answer(city, ask)
    _print(told, asked.lang, as_json=as_json, as_csv=as_csv)


def _show_span(asked: _Asked, quarter: str, year: str, config: Path, *, as_json: bool) -> None:
    from gateway.city.rates.comparing.spans import span_rates
    from gateway.city.rates.definitions import load_definitions
    from gateway.cli.city.rates.span_output import print_span, span_asked

    city = load(config)

    def ask(database: "Database") -> "SpanRates | None":
        span = span_asked(quarter, year)
        if span is None:
            return None
        definition = asked.definition or city.definitions.headline
        _note_enterprises(database, asked, definition, quarter or year)
        return database.read_now(
            span_rates,
            definition,
            span,
            asked.by.value,
            system_ms(),
            demonstration=city.demonstration,
            definitions=load_definitions(city.definitions.file, city.calendar.file),
        )

    found = answer(city, ask)
    if found is not None:
        print_span(found, as_json=as_json)


def _note_enterprises(database: "Database", asked: _Asked, definition: str, when: str) -> None:
    """Rows of enterprises are written down; of counties and industries they are nobody's."""
    if asked.by is By.ENTERPRISE:
        what = f"{definition} {when} by enterprise"
        note_rows(database, "qulink rates", what, asked.purpose)


class _Told(NamedTuple):
    """A table, what came for its month since it was final, and breaks since the one before."""

    table: "RateTable"
    late: "Late | None" = None
    breaks: "tuple[Break, ...]" = ()


def _told(connection: "Connection", city: "CityConfig", asked: _Asked) -> _Told:
    from gateway.city.rates.comparing.breaks import breaks
    from gateway.city.rates.frozen.late import late_for

    table = _table(connection, city, asked)
    if asked.known_ms is not None:
        return _Told(table)
    record, month, now_ms = table.definition, table.month, system_ms()
    late = late_for(connection, record, month, now_ms, demonstration=city.demonstration)
    found = breaks(
        connection,
        record.id,
        month,
        now_ms,
        demonstration=city.demonstration,
        definitions={record.id: record},
    )
    return _Told(table, late, found)


def _table(connection: "Connection", city: "CityConfig", asked: _Asked) -> "RateTable":
    from gateway.city.ledger.bitemporal.knowledge import known_at
    from gateway.city.rates.definitions import load_definitions
    from gateway.city.rates.publishing.operational import rate_table
    from gateway.city.rates.reports.answering import answering_now

    now_ms = system_ms()
    return rate_table(
        connection,
        asked.definition or city.definitions.headline,
        asked.month or None,
        asked.by.value,
        now_ms,
        demonstration=city.demonstration,
        answering=answering_now(
            connection, now_ms, city.silence_ms, demonstration=city.demonstration
        ),
        definitions=load_definitions(city.definitions.file, city.calendar.file),
        as_known=None if asked.known_ms is None else known_at(connection, asked.known_ms),
    )


def _print(told: _Told, lang: Lang, *, as_json: bool, as_csv: bool) -> None:
    from gateway.city.rates.comparing.break_words import break_json, break_words
    from gateway.city.rates.reports.export import as_table, table_json
    from gateway.web.tables import csv_text

    table, record = told.table, told.table.definition
    if as_json:
        more: dict[str, Any] = {} if told.late is None else {"late": asdict(told.late)}
        if told.breaks:
            more |= {"breaks": [break_json(one, record) for one in told.breaks]}
        typer.echo(json.dumps(table_json(table) | more, ensure_ascii=False, indent=2))
    elif as_csv:
        file, demonstration = as_table(table), table.demonstration
        typer.echo(csv_text(file, demonstration=demonstration, language=words_of(lang)), nl=False)
    else:
        print_rates(table)
        for one in told.breaks:
            words = break_words(one, record)
            typer.echo(f"{words.zh} · {words.en}")
        print_notes(table, told.late)
