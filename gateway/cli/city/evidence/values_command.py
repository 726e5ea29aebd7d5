"""``qulink evidence values``: machines whose values are those of another machine, or day."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.evidence.findings_command import finding_json, finding_text
from gateway.cli.city.evidence.progress import progress_bar
from gateway.cli.city.noting import note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.wording import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_config.models.city import CityConfig
    from gateway.city.rates.findings.envelope import Envelopes
    from gateway.city.rates.findings.model import Finding
    from gateway.city.rates.findings.values import Sketch, ValuesDay
    from gateway.relational.database import Database

EXAMPLE = (
    "Example: `qulink evidence values --enterprise 91330822MA0000015W --from 2026-10-12 "
    "--to 2026-10-14`"
)
_DATE = ["%Y-%m-%d"]
_MOST_DAYS = 31


def values(
    enterprise: Annotated[
        list[str], typer.Option(help="USCC; given several times they are compared, too.")
    ],
    first: Annotated[datetime, typer.Option("--from", formats=_DATE, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=_DATE, help="Last day, inclusive.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON Lines: a line a finding.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep what is found: /findings shows it.")
    ] = False,
    config: CityFile = DEFAULT,
) -> None:
    """Look at the values in the time-series store: copies, replays, and what no machine can give.

    Sequences of values are compared with those of other machines and days, whatever the tags are
    called and however they are shifted in time; single values with the range that the profile of
    their machine has, if it came with the product. How many tags have none is said. A finding is
    no proof and changes no figure.

    Exit code 1: no such enterprise or days, or database or store cannot be used.
    """
    import asyncio

    from gateway.city.stores.api import StoreError

    city, days = load(config), _days(first.date(), last.date())
    with opened(city) as database:
        usccs = _known(database, enterprise)
        note_rows(database, "qulink evidence values", " ".join(usccs))
        try:
            known, envelopes = asyncio.run(_looked(city, database, usccs, days))
        except StoreError as error:
            fail(f"qulink evidence values: {error}")
        found = [*_repeated(known), *envelopes.findings()]
        if keep:
            _keep(city, database, days[-1], found)
    _print(known, found, as_json=as_json)
    if not as_json:
        judged, unknown = len(envelopes.judged), len(envelopes.unknown)
        tags = counted(judged + unknown, "tag")
        typer.echo(f"{tags}: {judged} judged by a range, {unknown} not judged, as none is known")


def _repeated(known: "Sequence[ValuesDay]") -> "list[Finding]":
    from gateway.city.rates.findings.gathering import builtin_rules
    from gateway.city.rates.findings.values import repeated_values

    return repeated_values(known, builtin_rules())


def _keep(city: "CityConfig", database: "Database", last: date, found: "Sequence[Finding]") -> None:
    """Of each enterprise that a finding names; days that were not looked at say nothing."""
    from gateway.city.rates.findings.gathering import builtin_rules
    from gateway.city.rates.findings.kept.keeping import Looked, keep, of_each
    from gateway.city.rates.period import month_of

    version, now_ms = builtin_rules().version, system_ms()
    for uscc, own in of_each(found).items():
        looked = Looked(
            month_of(last), city.demonstration, version, now_ms, uscc, judged=frozenset()
        )
        database.run_now(keep, looked, own)


def _print(known: "Sequence[ValuesDay]", found: "Sequence[Finding]", *, as_json: bool) -> None:
    for one in found:
        typer.echo((finding_json if as_json else finding_text)(one))
    if not as_json:
        told = sum(bool(one.sketches) for one in known)
        days = f"{counted(len(known), 'machine day')}, {told} with values that say enough"
        typer.echo(f"{counted(len(found), 'finding')}; {days}")


def _days(first: date, last: date) -> list[date]:
    days = [first + timedelta(days=one) for one in range((last - first).days + 1)]
    if not 0 < len(days) <= _MOST_DAYS:
        fail(f"{first} to {last} are not 1 to {_MOST_DAYS} days")
    return days


def _known(database: "Database", wanted: "Sequence[str]") -> list[str]:
    from gateway.city.evidence.auditing.audit import enterprises_with_evidence

    usccs = list(dict.fromkeys(one.upper() for one in wanted))
    for one in usccs:
        if not database.read_now(enterprises_with_evidence, one):
            fail(f"no machine or gateway of {visible(one)} is known; write its USCC in full")
    return usccs


async def _looked(
    city: "CityConfig", database: "Database", usccs: "Sequence[str]", days: "Sequence[date]"
) -> "tuple[list[ValuesDay], Envelopes]":
    from edge_config.points.ranges import built_in_ranges
    from gateway.city.evidence.auditing.values import stored_values
    from gateway.city.rates.findings.envelope import Envelopes
    from gateway.city.rates.findings.gathering import builtin_rules
    from gateway.city.rates.findings.values import sketch
    from gateway.city.stores.choose import make_store

    store, rules = make_store(city.store, city.data_dir), builtin_rules()
    found: defaultdict[tuple[str, str, str, int], dict[str, Sketch]] = defaultdict(dict)
    envelopes = Envelopes(built_in_ranges, rules)
    try:
        await store.open()
        with progress_bar("values", len(usccs)) as advance:
            for uscc in usccs:
                async for tag in stored_values(database, store, uscc, days):
                    one = tag.series
                    number, place = f"{one.site}/{one.equipment}", f"{one.gateway}/{one.device}"
                    machine, day = (one.enterprise, number), tag.day.toordinal()
                    envelopes.look(machine, one.measurement, tag.field, day, tag.values)
                    own = found[one.enterprise, number, place, day]
                    if told := sketch(tag.values, rules):
                        own[tag.field] = told
                advance()
    finally:
        await store.close()
    return list(_machine_days(found)), envelopes


def _machine_days(
    found: "dict[tuple[str, str, str, int], dict[str, Sketch]]",
) -> "Iterator[ValuesDay]":
    from gateway.city.rates.findings.values import ValuesDay

    for (uscc, number, place, day), sketches in sorted(found.items()):
        yield ValuesDay(uscc, number, place, day, sketches)
