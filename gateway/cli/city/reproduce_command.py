"""``qulink rates reproduce``: a stored vintage, computed anew as the ledger was known then."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened

if TYPE_CHECKING:
    from gateway.city.rates.cells.cell import Cell
    from gateway.city.rates.frozen.jobs import Job
    from gateway.city.rates.frozen.reproducing import Reproduced

_EXAMPLE = "Example: `qulink rates reproduce 2026-10 --vintage 2`"
SHOWN = 50
"""Differences that are shown; a city has ten thousand cells."""


def register(rates: typer.Typer) -> None:
    """Add the command."""
    rates.command("reproduce", epilog=_EXAMPLE)(_reproduce)


def moment(text: str) -> int:
    """UTC milliseconds of a time; one without an offset is that of Asia/Shanghai."""
    from gateway.core.days import SHANGHAI

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time; write it as 2026-11-05T12:00+08:00")
    return int((at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).timestamp() * 1000)


def _reproduce(
    month: Annotated[str, typer.Argument(help="The stored month, YYYY-MM.")],
    vintage: Annotated[int, typer.Option(help="Its number; default: the newest.", min=0)] = 0,
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Compute a stored vintage anew by the ledger as it was known then, and compare.

    Evidence is taken as it is now: what came later may make a difference. Exit code 1: something
    differs, or the vintage cannot be computed anew.
    """
    from gateway.city.ledger.bitemporal.knowledge import UnknownPastError
    from gateway.city.rates.definitions import DefinitionError, load_definitions
    from gateway.city.rates.frozen.jobs import jobs_of
    from gateway.city.rates.frozen.reproducing import NotReproducibleError, reproduce
    from gateway.city.rates.period import MonthError, first_day

    city = load(config)
    name = definition or city.definitions.headline
    with opened(city) as database:
        try:
            first_day(month)
            found = database.read_now(
                reproduce,
                name,
                month,
                vintage or None,
                demonstration=city.demonstration,
                definitions=load_definitions(city.definitions.file, city.calendar.file),
            )
        except (DefinitionError, MonthError, NotReproducibleError, UnknownPastError) as error:
            fail(str(error))
        jobs = database.read_now(jobs_of, name, names=True)
    typer.echo(_told(jobs.get((found.table.month, found.table.vintage))))
    _print(found)


def _told(job: "Job | None") -> str:
    """By what it was computed then, and whether the code of now is another one."""
    from gateway.city.rates.frozen.jobs import code_digest

    if job is None:
        return "by what it was computed is not kept: it is older than that"
    same = "the code of now" if job.code == code_digest() else f"other code then: {job.code}"
    return f"job {job.number}, started by {job.started_by}, software {job.software}, {same}"


def _print(found: "Reproduced") -> None:
    name = f"{found.table.month} vintage {found.table.vintage}"
    if not found.differences:
        typer.echo(f"{name}: 一致 equal")
        return
    for one in found.differences[:SHOWN]:
        typer.echo(
            f"{one.dimension} {one.key}: stored {_said(one.stored)}, now {_said(one.computed)}"
        )
    count = len(found.differences)
    if count > SHOWN:
        typer.echo(f"… and {count - SHOWN} more")
    fail(
        f"{name}: {count} cells differ; the ledger is taken as it was known then, so look at "
        "evidence that came later (qulink rates --month says how much)"
    )


def _said(cell: "Cell | None") -> str:
    return "—" if cell is None else f"{cell.networked}/{cell.equipment}"
