"""``qulink evidence``: show what rates rest on, and recount it from the store."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.evidence import (
    audit_command,
    findings_command,
    sample_command,
    size_command,
    values_command,
)
from gateway.cli.city.evidence.progress import progress_bar
from gateway.cli.city.noting import Purpose, note_look
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.wording import counted
from gateway.core.days import day_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_config.models.city import CityConfig
    from gateway.city.evidence.rebuild import Added
    from gateway.city.rates.proving.proof import Proof
    from gateway.relational.database import Database

_EXAMPLE = "Example: `qulink evidence rebuild --from 2026-10-01 --to 2026-10-31 --dry-run`"
_SHOW_EXAMPLE = "Example: `qulink evidence show 91330822MA0000015W/1/BR-001 --month 2026-10`"
_DATE = ["%Y-%m-%d"]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    evidence = typer.Typer(
        no_args_is_help=True, help="What rates rest on: the hours in which machines were read."
    )
    evidence.command("rebuild", epilog=_EXAMPLE)(_rebuild)
    evidence.command("verify", epilog="Example: `qulink evidence verify -c city.yaml`")(_verify)
    evidence.command("show", epilog=_SHOW_EXAMPLE)(_show)
    evidence.command("audit", epilog=audit_command.EXAMPLE)(audit_command.audit)
    evidence.command("findings", epilog=findings_command.EXAMPLE)(findings_command.findings)
    evidence.command("values", epilog=values_command.EXAMPLE)(values_command.values)
    evidence.command("size", epilog=size_command.EXAMPLE)(size_command.size)
    sample_command.register(evidence)
    root.add_typer(evidence, name="evidence")


def _show(
    machine: Annotated[str, typer.Argument(help="USCC/site/asset_no, or the identifier.")],
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    known: Annotated[
        datetime | None,
        typer.Option(formats=_DATE, help="Raw days alone, as known at the end of this day."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Why a machine is counted or not: what is known of each of its days, and every verdict.

    Verdicts follow what ledger and evidence say now; what was published is in `qulink rates`.
    With --known, what came later is left out, and no verdict is given: only raw days are dated.
    A day is known with what comes until the end of the next one.

    Exit code 1: no such machine or month, a day that is still to come, or the database cannot be
    used.
    """
    from gateway.cli.city.evidence import proof_output

    on, city = _day_known(known), load(config)
    with opened(city) as database:
        found = _proof(city, database, machine, month or None)
        uscc, *place = found.machine
        note_look(database, f"qulink evidence show {'/'.join(place)} {found.month}", uscc, purpose)
    proof_output.show(found, on, as_json=as_json)


def _proof(city: "CityConfig", database: "Database", machine: str, month: str | None) -> "Proof":
    from gateway.city.rates.definitions import DefinitionError, definition_of, load_definitions
    from gateway.city.rates.period import MonthError
    from gateway.city.rates.proving.proof import ProofError, proof_of

    try:
        known = load_definitions(city.definitions.file, city.calendar.file)
        return database.read_now(
            proof_of,
            machine,
            month,
            system_ms(),
            demonstration=city.demonstration,
            headline=definition_of(known, city.definitions.headline),
            definitions=known,
        )
    except (ProofError, MonthError, DefinitionError) as error:
        fail(f"qulink evidence show: {error}")


def _day_known(known: datetime | None) -> date | None:
    """The day of ``--known``, which must have come."""
    today = day_of(system_ms())
    if known is not None and known.date() > today:
        fail(f"qulink evidence show: --known {known.date()} is still to come; today is {today}")
    return None if known is None else known.date()


def _verify(config: CityFile = DEFAULT) -> None:
    """Whether the evidence kept with published rates is what was stored; recomputes every digest.

    Compare the root printed on a report with the one that `qulink rates` prints for its vintage.

    Exit code 1: something was changed, or the database cannot be used.
    """
    from gateway.city.rates.daymaps.verifying import verify

    with opened(load(config)) as database:
        broken = database.read_now(lambda connection: list(verify(connection)))
    for one in broken:
        whose = f"map of {one.uscc}" if one.uscc else "month"
        typer.echo(f"{one.month} taking {one.taking}, {whose}: {one.what}")
    if broken:
        fail(f"{counted(len(broken), 'difference')}: the evidence of published rates was changed")
    typer.echo("the evidence of all published rates is as it was stored")


def _rebuild(
    first: Annotated[
        datetime, typer.Option("--from", formats=_DATE, help="First day (Asia/Shanghai).")
    ],
    last: Annotated[datetime, typer.Option("--to", formats=_DATE, help="Last day, included.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added; change nothing.")
    ] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Recount evidence from the store, for example after a copy of the database was restored.

    What is missing is added and nothing is taken away, so it may be repeated, and the city may
    run meanwhile. Rates that are published already stay as they are.

    Exit code 1: database or store cannot be used, or the city had not begun on these days.
    """
    import asyncio

    from gateway.city.evidence.rebuild import RebuildError
    from gateway.city.stores.api import StoreError

    city = load(config)
    with opened(city) as database:
        try:
            asyncio.run(_recount(city, database, first.date(), last.date(), dry_run=dry_run))
        except (RebuildError, StoreError) as error:
            fail(f"qulink evidence rebuild: {error}")


async def _recount(
    city: "CityConfig", database: "Database", first: date, last: date, *, dry_run: bool
) -> None:
    from gateway.city.evidence import rebuild
    from gateway.city.stores.choose import make_store

    now_ms = system_ms()
    days = database.run_now(rebuild.days_to_recount, first, last, now_ms)
    gateways = database.run_now(rebuild.all_gateways)
    store = make_store(city.store, city.data_dir)
    try:
        await store.open()
        work = rebuild.Rebuild(database, store, now_ms, dry_run)
        with progress_bar("evidence", len(days) * len(gateways)) as advance:
            found = [one async for one in _printed(work.run(gateways, days, advance))]
    finally:
        await store.close()
    _sum_up(found, database, dry_run=dry_run)


async def _printed(days: "AsyncIterator[Added]") -> "AsyncIterator[Added]":
    """Print what each day gains."""
    async for one in days:
        if one.machines:
            hours = ", ".join(f"{count} {_MASKS[name]}" for name, count in one.hours.items())
            typer.echo(f"{one.day}: {counted(len(one.machines), 'machine')}, hours added: {hours}")
        yield one


_MASKS = {"good_hours": "good", "uncertain_hours": "uncertain", "replayed_hours": "replayed"}


def _sum_up(found: "list[Added]", database: "Database", *, dry_run: bool) -> None:
    from gateway.city.evidence.rebuild import published_months

    changed = [one.day for one in found if one.machines]
    for gateway, device in sorted(set().union(*(one.unknown for one in found))):
        typer.echo(f"device {device} of {gateway}: no schema tells what it is; it was left out")
    recounted = f"{counted(len(found), 'day')} recounted"
    if dry_run:
        typer.echo(f"dry run, nothing was changed: {recounted}, {len(changed)} would gain evidence")
    else:
        typer.echo(f"{recounted}, {len(changed)} gained evidence")
    for month in database.run_now(published_months, changed):
        typer.echo(
            f"rates of {month} are published and stay; to publish them anew: "
            f"qulink rates correct {month} --reason late_data --note … --by …"
        )
