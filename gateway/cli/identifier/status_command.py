"""``qulink id status``: how far machines are on their way to an identifier."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, load, opened, system_ms
from gateway.cli.tables import print_table
from gateway.cli.wording import counted, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.city.identifiers.progress.standing import Progress
    from gateway.city.identifiers.registering.pausing import Pause
    from gateway.relational.database import Database

_WATCH_S = 2.0
_MEANINGS = {
    "no code": "their enterprise has no 标识企业代码 in the ledger: import it with one",
    "withdrawn": "entered by mistake: they get none; one that they had is withdrawn at the node",
    "review": "wait for their release: `qulink id approve`, or `qulink id import --apply`",
    "issuing": "get their identifier with the city's next pass",
    "pending": "the node is yet to be asked",
    "unknown": "the node was asked, what came of it is not known; it is asked again",
    "refused": "a person must act; the reasons follow",
    "confirmed": "by the node, and yet to be read back",
    "read back": "and found equal at the node",
}


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id status --enterprise 91330822MA0000015W`"
    group.command("status", epilog=example)(status)


def status(
    config: CityFile = DEFAULT,
    enterprise: Annotated[str, typer.Option(help="Only this enterprise, by USCC.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON; a line each time.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Tell again every 2 s until nothing is under way.")
    ] = False,
) -> None:
    """Say how far machines are: by state, by enterprise, and why the node refuses some.

    Exit code 1: the node refuses some, so a person must act.
    """
    city = load(config)
    review_ms = city.identifier.review_ms
    with opened(city) as database:
        while True:
            found, pauses = _read(database, review_ms, enterprise.strip().upper())
            if as_json:
                typer.echo(json.dumps(told(found, pauses), ensure_ascii=False))
            else:
                _print(found)
                _print_pauses(pauses)
            if not (watch and _is_under_way(found)):
                break
            time.sleep(_WATCH_S)
    if found.refusals:
        raise typer.Exit(1)


def _read(database: "Database", review_ms: int, uscc: str) -> "tuple[Progress, list[Pause]]":
    from gateway.city.identifiers.progress.standing import progress
    from gateway.city.identifiers.registering.pausing import pauses_now

    now_ms = system_ms()
    found = database.read_now(progress, review_ms, now_ms, uscc)
    return found, database.read_now(pauses_now, now_ms)


def _is_under_way(found: "Progress") -> bool:
    from gateway.city.identifiers.progress.standing import Standing

    moving = (Standing.ISSUING, Standing.PENDING, Standing.UNKNOWN, Standing.CONFIRMED)
    return any(found.counts[one] for one in moving)


def told(found: "Progress", pauses: "Sequence[Pause]") -> dict[str, Any]:
    """The figures for JSON."""
    return {
        "machines": found.counts.total(),
        "counts": _keys(found.counts),
        "changes_waiting": found.changes,
        "refusals": [{"reason": one.reason, "machines": one.machines} for one in found.refusals],
        "pauses": [
            {
                "prefix": one.prefix,
                "outcome": one.outcome.value,
                "reason": one.reason,
                "until_ms": one.until_ms,
            }
            for one in pauses
        ],
        "enterprises": [
            {"uscc": one.uscc, "name": one.name, "counts": _keys(one.counts)}
            for one in found.enterprises
        ],
    }


def _keys(counts: "Mapping[Any, int]") -> dict[str, int]:
    return {name.replace(" ", "_"): counts.get(name, 0) for name in _MEANINGS}


def _print(found: "Progress") -> None:
    counts = {str(one): number for one, number in found.counts.items()}
    for name, meaning in _MEANINGS.items():
        if number := counts.get(name):
            typer.echo(f"{number:>8,} {name:<10} {meaning}")
    typer.echo(f"{sum(counts.values()):>8,} machines")
    if found.changes:
        typer.echo(f"{counted(found.changes, 'change')} of the ledger the node is yet to be told")
    for one in found.refusals:
        typer.echo(f"refused, {counted(one.machines, 'machine')}: {visible(one.reason)}")
    if len(found.enterprises) > 1:
        _print_enterprises(found)


def _print_pauses(pauses: "Sequence[Pause]") -> None:
    from gateway.city.identifiers.registering.pausing import WHAT_TO_DO, until

    for one in pauses:
        whose = f"identifiers of {one.prefix}" if one.prefix else "registering"
        why = f"{one.outcome.value}: {visible(one.reason)}; {WHAT_TO_DO[one.outcome]}"
        typer.echo(f"{whose} paused until {until(one)}: {why}")


def _print_enterprises(found: "Progress") -> None:
    from rich.console import Console
    from rich.table import Table

    shown = [name for name in _MEANINGS if any(one == name for one in found.counts)]
    table = Table("企业 enterprise", "USCC")
    for name in shown:
        table.add_column(name, justify="right")
    for one in found.enterprises:
        counts = {str(at): number for at, number in one.counts.items()}
        table.add_row(visible(one.name), one.uscc, *(str(counts.get(name, 0)) for name in shown))
    print_table(Console(soft_wrap=True), table)
