"""``qulink evidence sample`` and ``sampled``: machines to look at on site, and what it verifies."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user
from gateway.cli.wording import counted

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.rates.sampling.design import Verified
    from gateway.city.rates.sampling.drawing import Drawn
    from gateway.city.rates.sampling.sheet import Seen
    from gateway.relational.database import Database

_EXAMPLE = "Example: `qulink evidence sample sheet.xlsx --month 2026-09 --draws 20 --machines 5`"
_SEEN = "Example: `qulink evidence sampled sheet.xlsx --month 2026-09 --draws 20 --machines 5`"
Month = Annotated[str, typer.Option(help="YYYY-MM, of which rates are published.")]
Draws = Annotated[int, typer.Option(min=2, max=500, help="Draws of enterprises.")]
Machines = Annotated[int, typer.Option(min=1, max=100, help="Machines looked at in each draw.")]
_SHOWN = 200


def register(evidence: typer.Typer) -> None:
    """Add the commands."""
    evidence.command("sample", epilog=_EXAMPLE)(_sample)
    evidence.command("sampled", epilog=_SEEN)(_sampled)


def _sample(
    file: Annotated[Path, typer.Argument(help="The sheet to write, .xlsx or .csv.")],
    month: Month,
    draws: Draws = 20,
    machines: Machines = 5,
    config: CityFile = DEFAULT,
) -> None:
    """Draw machines to look at on site, and write the sheet to take along.

    Enterprises are drawn with probability proportional to their machines. The seed is the digest
    of the month's evidence: who draws again gets the same machines, and nobody can choose them.

    Exit code 1: no rate of the month is published, or file or database cannot be used.
    """
    from edge_config.tables.csv_writing import csv_of
    from edge_config.tables.workbook_writing import workbook_of
    from gateway.city.rates.sampling.sheet import sheet_of

    if file.suffix.lower() not in (".xlsx", ".csv"):
        fail(f"{file} must end in .xlsx or .csv")
    city = load(config)
    with opened(city) as database:
        seed, drawn = _drawn(city, database, month, draws, machines)
    sheet = sheet_of(drawn, month, seed)
    body = workbook_of([sheet]) if file.suffix.lower() == ".xlsx" else csv_of(sheet)
    try:
        file.write_bytes(body)
    except OSError as error:
        fail(f"{file} cannot be written: {error}")
    firms = len({one.uscc for one in drawn})
    where = f"{counted(len(drawn), 'machine')} of {counted(firms, 'enterprise')}"
    typer.echo(f"{file}: {where}, seed {seed[:16]}…; fill in 现场找到 and 现场已联网 of every row")


def _sampled(
    files: Annotated[list[Path], typer.Argument(help="The sheets that were filled in.")],
    month: Month,
    draws: Draws = 20,
    machines: Machines = 5,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it: /samples of the console shows it.")
    ] = False,
    note: Annotated[str, typer.Option(help="With --keep: what is to be said of it.")] = "",
    config: CityFile = DEFAULT,
) -> None:
    """The rate that the look on site verifies, with a 95 % interval; changes no figure.

    Draws and machines are those that the sheet was drawn with: all that was drawn, and nothing
    else, must be filled in.

    Exit code 1: mistakes in the sheets, or database or files cannot be used.
    """
    from gateway.city.ledger.sheet.problems import LedgerError
    from gateway.city.ledger.sheet.reading import read_sheets
    from gateway.city.rates.sampling.design import verified
    from gateway.city.rates.sampling.sheet import TITLES, by_draw, looked_at
    from gateway.core.days import day_of

    city = load(config)
    with opened(city) as database:
        seed, drawn = _drawn(city, database, month, draws, machines)
        try:
            sheets = [sheet for file in files for sheet in read_sheets(file, TITLES)]
            seen = looked_at(sheets, drawn, day_of(system_ms()))
        except LedgerError as error:
            lines = [str(one) for one in error.problems[:_SHOWN]]
            fail("\n".join([*lines, f"mistakes: {len(error.problems)}; nothing was computed"]))
        found = verified(by_draw(seen))
        if keep:
            sample = (month, city.definitions.headline, city.demonstration, seed, draws, machines)
            _keep(database, sample, seen, note)
    typer.echo(_sentence(found))
    differ = sum(one.differs for one in seen)
    typer.echo(f"found otherwise than the month counts them: {differ} of {len(drawn)}")


def _keep(
    database: "Database",
    sample: tuple[str, str, bool, str, int, int],
    seen: "Sequence[Seen]",
    note: str,
) -> None:
    from gateway.city.rates.sampling.looks import Sampled, conclude

    number, _ = database.run_now(conclude, Sampled(*sample), seen, system_ms(), system_user(), note)
    typer.echo(f"kept as look {number}")


def _drawn(
    city: "CityConfig", database: "Database", month: str, draws: int, machines: int
) -> "tuple[str, Sequence[Drawn]]":
    from gateway.city.rates.definitions import DefinitionError, load_definitions
    from gateway.city.rates.period import MonthError
    from gateway.city.rates.sampling.design import SampleError
    from gateway.city.rates.sampling.drawing import draw, seed_of

    try:
        seed = database.read_now(seed_of, month, demonstration=city.demonstration)
        drawn = database.read_now(
            draw,
            month,
            draws,
            machines,
            system_ms(),
            demonstration=city.demonstration,
            definitions=load_definitions(city.definitions.file, city.calendar.file),
            definition=city.definitions.headline,
        )
    except (SampleError, MonthError, DefinitionError) as error:
        fail(f"qulink evidence sample: {error}")
    return seed, drawn


def _sentence(found: "Verified") -> str:
    from gateway.city.rates.reports.shown import percent_text

    share = f"{percent_text(100 * found.found, 2, ())} % of the machines were found"
    if found.rate is None:
        return f"{share}, so no rate can be verified"
    rate = f"verified rate {percent_text(100 * found.rate, 2, ())} %"
    if found.low is None or found.high is None:
        return f"{share}; {rate}; no interval, since all draws are alike: draw more"
    return (
        f"{share}; {rate}, 95 % interval {100 * found.low:.2f} % to {100 * found.high:.2f} % "
        f"({counted(found.draws, 'draw')})"
    )
