"""``qulink evidence audit``: recount evidence from the store, and name every difference."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.evidence.progress import progress_bar
from gateway.cli.city.noting import Purpose, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.wording import counted, visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from edge_config.models.city import CityConfig
    from gateway.city.evidence.auditing.audit import Compared
    from gateway.city.evidence.auditing.differences import Difference
    from gateway.city.ledger.names import MachineName
    from gateway.relational.database import Database

EXAMPLE = "Example: `qulink evidence audit --month 2026-10 --enterprise 91330822MA0000015W`"
_MASKS = {"good_hours": "good", "uncertain_hours": "uncertain", "replayed_hours": "repeated"}
_HOURS = 24


def audit(
    month: Annotated[str, typer.Option(help="YYYY-MM; default: the running month.")] = "",
    enterprise: Annotated[str, typer.Option(help="USCC; default: all enterprises.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON Lines: a line a difference, the sum last.")
    ] = False,
    purpose: Purpose = "",
    config: CityFile = DEFAULT,
) -> None:
    """Compare evidence with the time-series store, both ways, and name every difference.

    Each comes with the likely cause. Nothing is changed, and the city may run meanwhile; hours
    that are not over are left out. Memory does not grow with the city.

    Exit code 1: a difference that nothing explains, no such month or enterprise, or database or
    store cannot be used.
    """
    import asyncio

    from gateway.city.rates.period import MonthError
    from gateway.city.stores.api import StoreError

    city = load(config)
    with opened(city) as database:
        try:
            usccs, days = _what(database, month, enterprise)
            what = f"{month} {enterprise or 'all'}".strip()
            note_rows(database, "qulink evidence audit", what, purpose)
            found = asyncio.run(_compare(city, database, usccs, days, as_json=as_json))
        except (MonthError, StoreError) as error:
            fail(f"qulink evidence audit: {error}")
    typer.echo(found.as_json() if as_json else found.as_text())
    if found.unexplained:
        fail(f"{counted(found.unexplained, 'difference')} that nothing explains")


def _what(
    database: "Database", month: str, enterprise: str
) -> "tuple[Sequence[str], Sequence[date]]":
    from gateway.city.db.operation import began_on
    from gateway.city.evidence.auditing.audit import enterprises_with_evidence
    from gateway.city.rates.period import days_of, period_of

    period = period_of(month or None, system_ms(), database.read_now(began_on))
    usccs = database.read_now(enterprises_with_evidence, enterprise or None)
    if enterprise and not usccs:
        fail(f"no machine or gateway of {visible(enterprise)} is known; write its USCC in full")
    return usccs, days_of(period)


class _Sum:
    """What was compared, and what of it differs."""

    def __init__(self) -> None:
        self.machine_days = 0
        self.causes: Counter[str] = Counter()
        self.unexplained = 0
        self.unnamed: set[MachineName] = set()
        self.unknown: set[tuple[str, str]] = set()

    def add(self, one: "Compared") -> None:
        self.machine_days += one.machines
        self.causes.update(difference.cause.value for _, difference in one.found)
        self.unexplained += sum(not difference.cause.is_explained for _, difference in one.found)
        self.unnamed |= one.unnamed
        self.unknown |= one.unknown

    def as_json(self) -> str:
        return json.dumps(
            {
                "machine_days": self.machine_days,
                "causes": dict(sorted(self.causes.items())),
                "unexplained": self.unexplained,
                "unnamed": ["/".join(one) for one in sorted(self.unnamed)],
                "no_schema": ["/".join(one) for one in sorted(self.unknown)],
            },
            ensure_ascii=False,
        )

    def as_text(self) -> str:
        lines = [
            f"device {visible(device)} of {gateway}: no schema tells what it is; it was left out"
            for gateway, device in sorted(self.unknown)
        ]
        lines += [
            f"{visible('/'.join(one))}: the store has it and nobody has named it; run "
            "`qulink evidence rebuild`"
            for one in sorted(self.unnamed)
        ]
        causes = ", ".join(f"{cause} {number:,}" for cause, number in sorted(self.causes.items()))
        days = f"{counted(self.machine_days, 'day')} of machines compared"
        return "\n".join([*lines, f"{days}: {causes or 'no difference'}"])


async def _compare(
    city: "CityConfig",
    database: "Database",
    usccs: "Sequence[str]",
    days: "Sequence[date]",
    *,
    as_json: bool,
) -> _Sum:
    from gateway.city.evidence.auditing.audit import Audit
    from gateway.city.evidence.auditing.reach import reach
    from gateway.city.stores.choose import make_store

    store, total = make_store(city.store, city.data_dir), _Sum()
    try:
        await store.open()
        kept = await reach(store, city.retention.telemetry_days, system_ms())
        work = Audit(database, store, system_ms(), kept.audited_days)
        with progress_bar("audit", len(days) * len(usccs)) as advance:
            async for one in work.run(usccs, days, advance):
                total.add(one)
                for name, difference in one.found:
                    typer.echo((_line_json if as_json else _line)(name, difference))
    finally:
        await store.close()
    return total


def _line(name: "MachineName", one: "Difference") -> str:
    from gateway.city.evidence.auditing.differences import ADVICE

    kind = one.source + ", synthetic" * one.synthetic
    head = f"{one.day}  {visible('/'.join(name))}  {kind}"
    if one.side == "month":
        return f"{head}: {one.cause}: {ADVICE[one.cause]}"
    hours = "; ".join(f"{_MASKS[mask]} {_ranges(bits)}" for mask, bits in one.hours.items())
    says = {"claims": "only evidence has", "holds": "only the store has"}[one.side]
    return f"{head} by {one.gateway}: {says} hours {hours} – {one.cause}: {ADVICE[one.cause]}"


def _line_json(name: "MachineName", one: "Difference") -> str:
    return json.dumps(
        {
            "day": one.day.isoformat(),
            "machine": name._asdict(),
            "source": one.source,
            "synthetic": one.synthetic,
            "gateway": one.gateway,
            "side": one.side.value,
            "hours": dict(one.hours),
            "cause": one.cause.value,
            "explained": one.cause.is_explained,
        },
        ensure_ascii=False,
    )


def _ranges(bits: int) -> str:
    """Hours of a day, those that follow one another as one: ``0, 3-5``."""
    spans: list[list[int]] = []
    for hour in range(_HOURS):
        if not bits >> hour & 1:
            continue
        if spans and spans[-1][-1] == hour - 1:
            spans[-1][1:] = [hour]
        else:
            spans.append([hour])
    return ", ".join("-".join(map(str, span)) for span in spans)
