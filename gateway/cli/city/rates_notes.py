"""What ``qulink rates`` says below a table."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gateway.city.rates.frozen.late import Late
    from gateway.city.rates.reports.table import RateTable


def print_notes(table: "RateTable", late: "Late | None") -> None:
    """Say what came for a month since it was stored, and which days of rest are in question."""
    if late is not None:
        _print_late(table, late)
    if table.unknown_years:
        years = ", ".join(map(str, table.unknown_years))
        typer.echo(
            f"{years} 年节假日安排未录入，联网率未知 days of rest of {years} are not known, so the "
            "rate is not: write the arrangement into the file that calendar.file names"
        )
    if table.only_rest:
        typer.echo("本月尚无工作日，联网率未知 no working day of the month has come yet: unknown")
    if table.rest_changed:
        typer.echo(
            "休息日安排在冻结后有变 days of rest are arranged otherwise since this was stored. "
            f"To publish the month anew: qulink rates correct {table.month} --definition "
            f"{table.definition.id} --reason calendar --note … --by …"
        )


def _print_late(table: "RateTable", late: "Late") -> None:
    lost = f"; {late.lost_days} 天已不在证据中 days are gone" if late.lost_days else ""
    typer.echo(
        f"迟到数据 late data since vintage {late.vintage}: "
        f"{late.machines} 台 machines, {late.days} 天 days{lost}. To publish the month anew: "
        f"qulink rates correct {table.month} --definition {late.definition} --reason late_data "
        "--note … --by …"
    )
