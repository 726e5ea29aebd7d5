"""``qulink rates correct``: a frozen month is published anew."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, system_ms
from gateway.cli.city.rates.asking import answer
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.rates.frozen.freezing import Frozen
    from gateway.city.rates.frozen.results import Correction
    from gateway.relational.database import Database

_EXAMPLE = (
    "Example: `qulink rates correct 2026-10 --reason late_data --note 网关断网三天后补传 --by 李四`"
)


class Why(StrEnum):
    """Reasons of a correction, as ``stored.CORRECTIONS``."""

    LATE_DATA = "late_data"
    LEDGER = "ledger"
    DEFINITION = "definition"
    CALENDAR = "calendar"
    ROSTER = "roster"
    ERROR = "error"


def register(rates: typer.Typer) -> None:
    """Add the command."""
    rates.command("correct", epilog=_EXAMPLE)(_correct)


def _correct(
    month: Annotated[str, typer.Argument(help="The frozen month, YYYY-MM.")],
    reason: Annotated[Why, typer.Option(help="Why it is published anew.")],
    note: Annotated[str, typer.Option(help="What happened, for the reader.")],
    by: Annotated[str, typer.Option(help="Who answers for it.")],
    definition: Annotated[
        str, typer.Option(help="Definition id; default: the city's headline.")
    ] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Compute a frozen month anew and store it as a further vintage; the old one stays."""
    from gateway.city.rates.frozen.results import Correction

    if not note.strip() or not by.strip():
        fail("a correction needs a note and a name")
    made = Correction(reason.value, note.strip()[:300], by.strip()[:100])
    city = load(config)
    frozen = answer(city, lambda database: _freeze(database, city, definition, month, made))
    if frozen is None:
        fail(f"{month} is not frozen: a month is provisional from day 5 of the next")
    typer.echo(f"{frozen.definition} {frozen.month}: vintage {frozen.vintage} ({frozen.status})")


def _freeze(
    database: "Database", city: "CityConfig", definition: str, month: str, made: "Correction"
) -> "Frozen | None":
    from gateway.city.access.audit import Action, note
    from gateway.city.rates.definitions import load_definitions
    from gateway.city.rates.engines.opening import engine_of
    from gateway.city.rates.frozen.freezing import freeze_month

    def noted(connection: "Connection", frozen: "Frozen") -> None:
        subject = f"{frozen.definition} {frozen.month} vintage {frozen.vintage}"
        why = f"{made.corrected_by}: {made.reason}, {made.note}"
        note(connection, system_ms(), system_user(), Action.CORRECTED, subject, why)

    return freeze_month(
        database,
        definition or city.definitions.headline,
        month,
        system_ms(),
        demonstration=city.demonstration,
        correction=made,
        definitions=load_definitions(city.definitions.file, city.calendar.file),
        noted=noted,
        engine=engine_of(city),
    )
