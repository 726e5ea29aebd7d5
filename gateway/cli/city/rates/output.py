"""A table of rates on the command line."""

from typing import TYPE_CHECKING

from gateway.cli.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from gateway.city.rates.reports.shown import Shown
    from gateway.city.rates.reports.table import RateCell, RateTable

_STATUS = {"P": "初步 provisional", "F": "最终 final", "R": "修订 revised"}
_COUNTED = {
    "networked": ("联网 networked", "设备 equipment"),
    "answering": ("在线 answering", "已接入 connected"),
    "digital": ("数字化 digital", "设备 equipment"),
    "ledger": ("已核实 verified", "应核实 in scope"),
}
"""What numerator and denominator are, by the definition's measure."""
_FIGURES = ("企业 enterprises", "合并 pooled %", "平均 mean %")


def print_rates(table: "RateTable") -> None:
    """Print a table of rates with what stands beside its figures."""
    from rich.console import Console
    from rich.markup import escape

    from gateway.city.rates.reports.aims import aim_words
    from gateway.city.rates.reports.shown import shown_by
    from gateway.city.rates.reports.statistics import statistics_words

    console = Console(soft_wrap=True)
    for line in _head(table):
        console.print(line)
    print_table(console, _lines(table))
    if not table.was_kept:
        console.print(f"该期结果未按此维度留存 not kept by {table.by}: the result is older")
    for line in statistics_words(table.city, shown_by(table.definition)):
        console.print(line)
    for cell in table.cells:
        for line in aim_words(table.aims.get(cell.key)):
            console.print(f"{cell.name.zh} {cell.name.en} · {escape(line)}")


def _head(table: "RateTable") -> "Iterator[str]":
    from rich.markup import escape

    from gateway.city.rates.reports.export import approval_words, correction_words
    from gateway.web.formats import moment
    from gateway.web.tables import DEMONSTRATION

    record = table.definition
    status = _STATUS[table.told_status]
    if table.demonstration:
        yield f"[bold]{DEMONSTRATION}[/bold]"
    yield f"{record.id} {record.name_zh} · {record.name_en}"
    yield f"{table.month} · {status} · 截至 as of {moment(table.as_of_ms)[:16]}"
    yield escape(approval_words(table.approval))
    if table.correction is not None:
        yield f"版次 vintage {table.vintage} · {escape(correction_words(table.correction))}"
    if table.root is not None:
        yield f"证据摘要 evidence root {table.root}"


def _lines(table: "RateTable") -> "Table":
    from rich.table import Table

    from gateway.city.rates.reports.shown import shown_by

    rows, write = Table("代码 key", "名称 name"), shown_by(table.definition)
    for head in (*_COUNTED[table.definition.measure], *_FIGURES):
        rows.add_column(head, justify="right")
    for cell in table.cells:
        rows.add_row(*_row(cell, write))
    rows.add_section()
    rows.add_row(*_row(table.city, write), style="bold", end_section=True)
    for cell in table.of_which:
        key, name, *figures = _row(cell, write)
        rows.add_row(key, f"其中 of which: {name}", *figures)
    return rows


def _row(cell: "RateCell", write: "Shown") -> list[str]:
    name = cell.name.zh if cell.name.en == cell.name.zh else f"{cell.name.zh} {cell.name.en}"
    counted = "—" if cell.known_networked is None else str(cell.known_networked)
    rates = (write(rate) for rate in (cell.pooled, cell.mean))
    return [cell.key, name, counted, str(cell.equipment), str(cell.enterprises), *rates]
