"""``qulink rates``: equipment networking rates by county, industry or enterprise."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city_config import DEFAULT, CityFile, fail, load, opened, system_ms

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.city import CityConfig
    from gateway.city.rates.report import RateCell, RateTable


class By(StrEnum):
    """Dimension of the lines."""

    COUNTY = "county"
    INDUSTRY = "industry"
    ENTERPRISE = "enterprise"


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("rates", help="Equipment networking rates (设备联网率).")(_rates)


def _rates(
    by: Annotated[By, typer.Option(help="Lines of the table.")] = By.COUNTY,
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Print a table of rates with the integers they come from."""
    from gateway.city.rates.definitions import DefinitionError  # noqa: PLC0415
    from gateway.city.rates.period import MonthError  # noqa: PLC0415
    from gateway.city.rates.tallies import NotComputableError  # noqa: PLC0415

    if as_json and as_csv:
        fail("choose one of --json and --csv")
    city = load(config)
    with opened(city) as database:
        try:
            table = database.run_now(_table, city, definition, month, by)
        except (DefinitionError, MonthError, NotComputableError) as error:
            fail(str(error))
    _print(table, as_json=as_json, as_csv=as_csv)


def _table(
    connection: "Connection", city: "CityConfig", definition: str, month: str, by: By
) -> "RateTable":
    from gateway.city.rates.answering import answering_now  # noqa: PLC0415
    from gateway.city.rates.definitions import load_definitions  # noqa: PLC0415
    from gateway.city.rates.report import rate_table  # noqa: PLC0415

    now_ms = system_ms()
    return rate_table(
        connection,
        definition or city.definitions.headline,
        month or None,
        by.value,
        now_ms,
        demonstration=city.demonstration,
        answering=answering_now(connection, now_ms, city.silence_ms),
        definitions=load_definitions(city.definitions.file),
    )


def _print(table: "RateTable", *, as_json: bool, as_csv: bool) -> None:
    from gateway.city.rates.export import table_csv, table_json  # noqa: PLC0415

    if as_json:
        typer.echo(json.dumps(table_json(table), ensure_ascii=False, indent=2))
    elif as_csv:
        typer.echo(table_csv(table), nl=False)
    else:
        _print_table(table)


_NUMBERS = (
    "联网 networked",
    "设备 equipment",
    "企业 enterprises",
    "合并 pooled %",
    "平均 mean %",
)


def _print_table(table: "RateTable") -> None:
    from datetime import datetime  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from gateway.city.rates.export import DEMONSTRATION  # noqa: PLC0415
    from gateway.core.books import SHANGHAI  # noqa: PLC0415

    record = table.definition
    as_of = datetime.fromtimestamp(table.as_of_ms / 1000, SHANGHAI).isoformat(" ", "minutes")
    status = "终值 final" if table.status == "F" else "初值 provisional"
    console = Console(soft_wrap=True)
    if table.demonstration:
        console.print(f"{DEMONSTRATION} · demonstration data", style="bold")
    console.print(f"{record.id} {record.name_zh} · {record.name_en}")
    console.print(f"{table.month} · {status} · 截至 as of {as_of[:16]}")
    rows = Table("代码 key", "名称 name")
    for head in (
        "联网 networked",
        "设备 equipment",
        "企业 enterprises",
        "合并 pooled %",
        "平均 mean %",
    ):
        rows.add_column(head, justify="right")
    for cell in table.cells:
        rows.add_row(*_row(cell, record.decimals))
    rows.add_section()
    rows.add_row(*_row(table.city, record.decimals), style="bold")
    console.print(rows)


def _row(cell: "RateCell", decimals: int) -> list[str]:
    from gateway.city.rates.compute import percent_text  # noqa: PLC0415

    name = cell.name_zh if cell.name_en == cell.name_zh else f"{cell.name_zh} {cell.name_en}"
    counts = (cell.networked, cell.equipment, cell.enterprises)
    rates = (percent_text(rate, decimals) for rate in (cell.pooled, cell.mean))
    return [cell.key, name, *map(str, counts), *rates]
