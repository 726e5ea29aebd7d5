"""``qulink evidence findings``: what is worth a look on site."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.evidence.progress import progress_bar
from gateway.cli.city.noting import note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.wording import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_config.models.city import CityConfig
    from gateway.city.rates.findings.model import Finding
    from gateway.relational.database import Database

EXAMPLE = "Example: `qulink evidence findings --month 2026-10 --enterprise 91330822MA0000015W`"


def findings(
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    enterprise: Annotated[str, typer.Option(help="USCC; default: all enterprises.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON Lines: a line a finding.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep them, as every night does: /findings shows them.")
    ] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Patterns of evidence and ledger that honest data rarely have, and what to check on site.

    A finding is no proof and changes no figure. A month is best looked at a week after its end.

    Exit code 1: no such month or enterprise, or the database cannot be used.
    """
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.rates.period import MonthError

    city, number = load(config), 0
    with opened(city) as database:
        try:
            for one in _found(city, database, month, enterprise, keep=keep):
                typer.echo((finding_json if as_json else finding_text)(one))
                number += 1
        except (MonthError, DefinitionError) as error:
            fail(f"qulink evidence findings: {error}")
    if not as_json:
        typer.echo(counted(number, "finding"))


def _found(
    city: "CityConfig", database: "Database", month: str, enterprise: str, *, keep: bool
) -> "Iterator[Finding]":
    from sqlalchemy import select

    from gateway.city.db.operation import began_on
    from gateway.city.db.tables import enterprise as enterprises
    from gateway.city.rates.definitions import definition_of, load_definitions
    from gateway.city.rates.findings.kept.nightly import look_at
    from gateway.city.rates.period import period_of

    now_ms = system_ms()
    records = load_definitions(city.definitions.file, city.calendar.file)
    headline = definition_of(records, city.definitions.headline)
    period = period_of(month or None, now_ms, database.read_now(began_on))
    query = select(enterprises.c.uscc).order_by(enterprises.c.uscc)
    known = database.read_now(lambda connection: list(connection.scalars(query)))
    if enterprise and enterprise not in known:
        fail(f"the ledger has no enterprise {visible(enterprise)}; write its USCC in full")
    note_rows(database, "qulink evidence findings", f"{period.month} {enterprise}".strip())
    wanted = [enterprise] if enterprise else ["", *known]  # first the counties
    with progress_bar("findings", len(wanted)) as advance:
        for uscc in wanted:
            yield from look_at(
                database, headline, period.month, now_ms,
                uscc=uscc, synthetic=city.demonstration, kept=keep,
            )  # fmt: skip
            advance()


def finding_text(one: "Finding") -> str:
    """A finding with what it rests on, an innocent reason, and what to check."""
    from gateway.web.i18n import text

    machines = f" {visible(', '.join(one.machines))}" if one.machines else ""
    what, kind = text("en", f"clue.what.{one.kind}", **one.numbers), f"clue.kind.{one.kind}"
    return (
        f"{one.whose}{machines}: {text('en', kind)}\n"
        f"  rests on: {what}\n"
        f"  innocent reason: {text('en', f'clue.innocent.{one.kind}')}\n"
        f"  check: {text('en', f'clue.check.{one.kind}')}"
    )


def finding_json(one: "Finding") -> str:
    """The same for programs, in both languages."""
    from gateway.web.i18n import text

    sentences = {
        name: {language: text(language, f"clue.{name}.{one.kind}", **one.numbers)
               for language in ("zh", "en")}
        for name in ("what", "innocent", "check")
    }  # fmt: skip
    own = {"kind": one.kind.value, "whose": one.whose, "machines": list(one.machines)}
    return json.dumps(own | {"numbers": dict(one.numbers)} | sentences, ensure_ascii=False)
