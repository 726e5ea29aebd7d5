"""``qulink rates sensitivity``: the same month by other rules of continuity."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.tables import print_table

if TYPE_CHECKING:
    from gateway.city.rates.comparing.sensitivity import Variant
    from gateway.city.rates.reports.table import PublishedMonth

_EXAMPLE = "Example: `qulink rates sensitivity --month 2026-10`"


def register(rates: typer.Typer) -> None:
    """Add the command."""
    rates.command("sensitivity", epilog=_EXAMPLE)(_sensitivity)


def _sensitivity(
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Print what other rules of continuity would make of a month: no source gives the rule.

    Exit code 1: the database, the definition or the month cannot be used.
    """
    from gateway.city.rates.comparing.sensitivity import sensitivity
    from gateway.city.rates.definitions import DefinitionError, load_definitions
    from gateway.city.rates.period import MonthError

    city = load(config)
    name = definition or city.definitions.headline
    with opened(city) as database:
        try:
            found = database.read_now(
                sensitivity,
                name,
                month or None,
                system_ms(),
                demonstration=city.demonstration,
                definitions=load_definitions(city.definitions.file, city.calendar.file),
            )
        except (DefinitionError, MonthError) as error:
            fail(str(error))
    own = next((one.month for one in found if one.is_own), None)
    if own is None:
        fail(f"{name} asks for no data of a month, so no rule of continuity changes it")
    _print(found, own, as_json=as_json)


def _print(found: "tuple[Variant, ...]", own: "PublishedMonth", *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from gateway.city.rates.comparing.sensitivity import NO_SHIFTS
    from gateway.city.rates.comparing.shown import variants_file
    from gateway.web.tables import DEMONSTRATION, json_text

    file = variants_file(found, own)
    if as_json:
        typer.echo(json_text(file, demonstration=own.demonstration))
        return
    console = Console(soft_wrap=True)
    if own.demonstration:
        console.print(DEMONSTRATION, style="bold")
    console.print(f"{own.definition.id} {own.definition.name_zh} · {own.definition.name_en}")
    console.print(f"{own.month} · ★ 本口径 the definition's own rule")
    rows = Table("连续性规则 rule of continuity")
    for head in ("联网 networked", "设备 equipment", "合并 pooled %", "差 points"):
        rows.add_column(head, justify="right")
    for row in file.rows:
        mark = "★ " if row["is_own"] else ""
        shown = (row[key] for key in ("networked", "equipment", "pooled_percent", "points"))
        texts = ("—" if one is None else str(one) for one in shown)
        rows.add_row(f"{mark}{row['rule_zh']} {row['rule_en']}", *texts)
    print_table(console, rows)
    console.print(f"{found[-1].name.zh}：{NO_SHIFTS.zh} · {NO_SHIFTS.en}")
