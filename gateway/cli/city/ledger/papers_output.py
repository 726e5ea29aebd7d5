"""Papers as the command line shows them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.city.access.principal import EVERYTHING
from gateway.city.ledger.agreements.report import lines
from gateway.city.ledger.papers.sort import Sort
from gateway.city.ledger.papers.standing import Standing
from gateway.cli.city.opening import system_ms
from gateway.cli.tables import print_table
from gateway.core.days import day_of
from gateway.relational.database import Database

_HEADS = ("编号", "录入日期", "事后补录")


def print_papers(sort: Sort[Any], found: Sequence[Standing[Any]], *, as_json: bool) -> None:
    """Print papers as a table or as JSON."""
    if as_json:
        told = [_told(sort, one) for one in found]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table(_HEADS[0], *(column.header.zh for column in sort.columns), *_HEADS[1:])
    for one in found:
        texts = sort.texts(one.what)
        cells = (
            column.choices[texts[column.key]].zh if column.choices else texts[column.key] or "—"
            for column in sort.columns
        )
        late = "是 late" if one.is_late else ""
        table.add_row(str(one.number), *cells, one.entered_on.isoformat(), late)
    print_table(Console(soft_wrap=True), table)


def _told(sort: Sort[Any], one: Standing[Any]) -> dict[str, Any]:
    said = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(one.what).items()
    }
    texts = sort.texts(one.what)
    names = {
        f"{sort.field_of(column)}_name": column.choices[texts[column.key]].zh
        for column in sort.columns
        if column.choices
    }
    words = {key: texts[key] for key in sort.shown if key not in said}
    entered = {"entered_on": one.entered_on.isoformat(), "made_by": one.made_by}
    return {"number": one.number, **said, **names, **words, **entered, "late": one.is_late}


def print_standings(database: Database, *, is_required: bool) -> None:
    """Print how each enterprise that sends stands to its agreements, where there is a point."""
    for one in database.read_now(lines, EVERYTHING, day_of(system_ms())):
        if one.is_weak:
            until = f" {one.until}" if one.until else ""
            typer.echo(
                f"{one.uscc} {one.name}: {one.standing}{until}, {one.outside} values not kept"
            )
    if not is_required:
        typer.echo("of enterprises without any agreement all is kept (agreements.required: false)")
