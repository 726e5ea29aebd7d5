"""``qulink rates published``: what the public may see of a final month."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened
from gateway.cli.city.rates.wording import Lang, LangOption, words_of
from gateway.cli.tables import print_table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.rates.model import Definition
    from gateway.city.rates.publishing.publish import PublishedCell, PublishedTable

EXAMPLE = "Example: `qulink rates published --by county-industry --month 2026-10 --csv`"
_WITHHELD = "不予公布 withheld"


class Format(StrEnum):
    """Formats of other statistical systems."""

    SDMX_CSV = "sdmx-csv"
    SDMX_STRUCTURE = "sdmx-structure"


class Lines(StrEnum):
    """What the lines are."""

    COUNTY = "county"
    INDUSTRY = "industry"
    COUNTY_INDUSTRY = "county-industry"


def published(
    by: Annotated[Lines, typer.Option(help="Lines of the table.")] = Lines.COUNTY,
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the newest final one.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="SDMX-CSV 2.0 of all lines, or the structure that it has."),
    ] = None,
    lang: LangOption = Lang.EN,
    config: CityFile = DEFAULT,
) -> None:
    """Print what the public may see of a final month; what would show an enterprise is withheld.

    Exit code 1: the month is not final, or the database or the definition cannot be used.
    """
    from gateway.city.rates.publishing.lines import as_file
    from gateway.web.tables import csv_text, json_text

    if as_json + as_csv + (form is not None) > 1:
        fail("choose one of --json, --csv and --format")
    city = load(config)
    record, table = _read(city, definition or city.definitions.headline, month)
    if form is not None:
        typer.echo(_sdmx(city, record, table, form), nl=False)
        return
    file = as_file(table, by.value, record)
    if as_json:
        typer.echo(json_text(file, demonstration=city.demonstration))
    elif as_csv:
        words = words_of(lang)
        typer.echo(csv_text(file, demonstration=city.demonstration, language=words), nl=False)
    else:
        _print(record, table, by, demonstration=city.demonstration)


def _sdmx(city: "CityConfig", record: "Definition", table: "PublishedTable", form: Format) -> str:
    from gateway.city.ledger.codes import Name
    from gateway.city.rates.exports.sdmx import sdmx_csv, sdmx_structure

    own = city.city
    if form is Format.SDMX_CSV:
        return sdmx_csv(table, record, own.region)
    return sdmx_structure(table, record, own.region, Name(own.name_zh, own.name_en))


def _read(city: "CityConfig", name: str, month: str) -> "tuple[Definition, PublishedTable]":
    from gateway.city.rates.definitions import DefinitionError, definition_of, load_definitions
    from gateway.city.rates.period import MonthError, first_day
    from gateway.city.rates.publishing.stored import (
        NotPublishedError,
        demand_machines,
        publication,
        record_for,
    )

    def ask(connection: "Connection") -> "tuple[Definition, PublishedTable]":
        known = load_definitions(city.definitions.file, city.calendar.file)
        record = definition_of(known, name)
        demand_machines(record)
        if month:
            first_day(month)
        public = publication(connection, known, demonstration=city.demonstration)
        table = public.table(record.id, month or None)
        return record_for(table, record), table

    with opened(city) as database:
        try:
            return database.read_now(ask)
        except (DefinitionError, MonthError, NotPublishedError) as error:
            fail(str(error))


def _print(
    record: "Definition", table: "PublishedTable", by: Lines, *, demonstration: bool
) -> None:
    from rich.console import Console
    from rich.table import Table

    from gateway.city.rates.period import last_day
    from gateway.city.rates.publishing.lines import lines, place
    from gateway.city.rates.reports.export import approval_words
    from gateway.web.tables import DEMONSTRATION

    console = Console(soft_wrap=True)
    if demonstration:
        console.print(DEMONSTRATION, style="bold")
    console.print(f"{record.id} {record.name_zh} · {record.name_en}")
    console.print(f"{table.table.month} · 版次 vintage {table.table.vintage} · 公开 public")
    console.print(approval_words(record.approval_on(last_day(table.table.month))))
    rows = Table("县(市、区) county", "行业 industry")
    for head in ("联网 networked", "设备 equipment", "企业 enterprises", "合并 %", "平均 %"):
        rows.add_column(head, justify="right")
    for key, one in lines(table, by.value):
        rows.add_row(*(name.zh for name in place(key)), *_figures(one, record))
    print_table(console, rows)


def _figures(one: "PublishedCell", record: "Definition") -> list[str]:
    from gateway.city.rates.reports.shown import shown_by

    if one.figures is None:
        return [_WITHHELD, *[""] * 4]
    cell, write = one.figures, shown_by(record)
    counts = (cell.networked, cell.equipment, cell.enterprises)
    return [*map(str, counts), write(cell.pooled), write(cell.mean)]
