"""``qulink evidence size``: what the raw days of each month take."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, load, opened

if TYPE_CHECKING:
    from gateway.city.db.sizes import MonthSize

EXAMPLE = "Example: `qulink evidence size -c city.yaml`"
_MIB = 2**20


def size(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: CityFile = DEFAULT,
) -> None:
    """How many raw days of machines each month holds, how many came late, and what they take.

    Every row is counted: a month of a million machines takes seconds. The city may run meanwhile.

    Exit code 1: the database cannot be used.
    """
    from gateway.city.db.sizes import month_sizes

    with opened(load(config)) as database:
        found = database.read_now(month_sizes)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], indent=2))
        return
    if not found:
        typer.echo("there is no evidence yet")
        return
    typer.echo(f"{'month':7}  {'rows':>13}  {'late':>11}  {'MiB':>9}  {'bytes a row':>11}")
    for one in (*found, _sum(found)):
        name = f"{one.month // 100}-{one.month % 100:02d}" if one.month else "all"
        taken = "unknown" if one.size is None else f"{one.size / _MIB:,.1f}"
        each = f"{one.size / one.rows:.1f}" if one.rows and one.size is not None else "–"
        typer.echo(f"{name:7}  {one.rows:>13,}  {one.late:>11,}  {taken:>9}  {each:>11}")


def _sum(found: "list[MonthSize]") -> "MonthSize":
    from gateway.city.db.sizes import MonthSize

    sizes = [one.size for one in found if one.size is not None]
    whole = sum(sizes) if len(sizes) == len(found) else None
    return MonthSize(0, sum(one.rows for one in found), sum(one.late for one in found), whole)
