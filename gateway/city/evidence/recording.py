"""Evidence that a machine was read: per machine and Asia/Shanghai day, from committed data.

A sample counts if its time is plausible: not before 2020, and not more than a minute ahead of the
city's clock when it came (a gateway's clock may differ by so much; more is a clock fault). Only
machines of the ledger have evidence; the others – orphans – are listed apart.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Table, case, select

from gateway.city.db.tables import equipment, evidence, orphan
from gateway.city.db.upsert import insert_for
from gateway.city.stores.api import Rows, Series
from gateway.core.schema import Schema

EARLIEST_MS = 1_577_836_800_000
"""2020-01-01T00:00Z."""
MAX_AHEAD_MS = 60_000

_CHUNK = 500
"""Machines in one query."""
_ZONE_MS = 8 * 3_600_000
_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)

Machine = tuple[str, str, str]
"""(USCC, site number, asset number)."""
Refused = Counter[tuple[Series, int]]
"""Values that the store refused, by series and time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of one machine on one day from one kind of source."""

    machine: Machine
    day: date
    source: str
    synthetic: bool
    gateway: str
    count: int
    first_ms: int
    last_ms: int


def samples(schema: Schema, rows: Rows, refused: Refused, now_ms: int) -> Iterator[Sample]:
    """The evidence in one table of committed values.

    Args:
        schema: of the values; tells source and whether they are synthetic.
        rows: what was written.
        refused: what the store refused; what is found here is taken out, because several tables
            can hold the same series and time.
        now_ms: when it came, UTC milliseconds.
    """
    counts = rows.present.sum(axis=1)
    for at, time in enumerate(rows.time_ms.tolist() if refused else ()):
        lost = min(int(counts[at]), refused[rows.series, time])
        counts[at] -= lost
        refused[rows.series, time] -= lost
    plausible = (rows.time_ms >= EARLIEST_MS) & (rows.time_ms <= now_ms + MAX_AHEAD_MS)
    use = plausible & (counts > 0)
    times, counts = rows.time_ms[use], counts[use]
    days = (times + _ZONE_MS) // _DAY_MS
    series = rows.series
    found = sorted(set(days.tolist()))
    for day in found:
        mine = days == day if len(found) > 1 else slice(None)
        yield Sample(
            (series.enterprise, series.site, series.equipment),
            _EPOCH + timedelta(days=day),
            schema.source,
            schema.synthetic,
            series.gateway,
            int(counts[mine].sum()),
            int(times[mine].min()),
            int(times[mine].max()),
        )


def merged(parts: Iterable[Sample]) -> list[Sample]:
    """One sample a machine, day, source, kind and gateway."""
    sums: dict[tuple[object, ...], Sample] = {}
    for part in parts:
        key = (part.machine, part.day, part.source, part.synthetic, part.gateway)
        have = sums.get(key)
        sums[key] = part if have is None else _sum(have, part)
    return list(sums.values())


def _sum(one: Sample, other: Sample) -> Sample:
    return Sample(
        one.machine,
        one.day,
        one.source,
        one.synthetic,
        one.gateway,
        one.count + other.count,
        min(one.first_ms, other.first_ms),
        max(one.last_ms, other.last_ms),
    )


def record(connection: Connection, entries: Sequence[Sample]) -> int:
    """Add evidence; machines that are not in the ledger go to the list of orphans.

    Returns:
        How many values belong to orphans.
    """
    ids = _ledger_ids(connection, {entry.machine for entry in entries})
    known = [entry for entry in entries if entry.machine in ids]
    others = [entry for entry in entries if entry.machine not in ids]
    _add(connection, evidence, [_evidence(entry, ids[entry.machine]) for entry in known])
    _add(connection, orphan, [_orphan(entry) for entry in others])
    return sum(entry.count for entry in others)


def _ledger_ids(connection: Connection, machines: set[Machine]) -> dict[Machine, int]:
    sites = defaultdict[tuple[str, str], list[str]](list)
    for uscc, site_no, asset_no in machines:
        sites[uscc, site_no].append(asset_no)
    table = equipment.c
    found: dict[Machine, int] = {}
    for (uscc, site_no), assets in sites.items():
        of_site = select(table.asset_no, table.id).where(
            table.uscc == uscc, table.site_no == site_no
        )
        for start in range(0, len(assets), _CHUNK):
            some = of_site.where(table.asset_no.in_(assets[start : start + _CHUNK]))
            found |= {(uscc, site_no, row.asset_no): row.id for row in connection.execute(some)}
    return found


def _evidence(entry: Sample, equipment_id: int) -> dict[str, object]:
    return {
        "equipment_id": equipment_id,
        "day": entry.day,
        "source": entry.source,
        "synthetic": entry.synthetic,
        "gateway": entry.gateway,
        "sample_count": entry.count,
        "first_ms": entry.first_ms,
        "last_ms": entry.last_ms,
        "seeded": False,
    }


def _orphan(entry: Sample) -> dict[str, object]:
    uscc, site_no, asset_no = entry.machine
    return {
        "gateway": entry.gateway,
        "uscc": uscc,
        "site_no": site_no,
        "asset_no": asset_no,
        "sample_count": entry.count,
        "first_ms": entry.first_ms,
        "last_ms": entry.last_ms,
    }


def _add(connection: Connection, table: Table, rows: list[dict[str, object]]) -> None:
    """Insert, or add counts and widen the interval; the last writer names the gateway."""
    statement = insert_for(connection, table)
    new, old = statement.excluded, table.c
    changes = {
        "sample_count": old.sample_count + new.sample_count,
        "first_ms": case((new.first_ms < old.first_ms, new.first_ms), else_=old.first_ms),
        "last_ms": case((new.last_ms > old.last_ms, new.last_ms), else_=old.last_ms),
    }
    if table is evidence:
        changes |= {"gateway": new.gateway, "seeded": new.seeded}
    upsert = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changes)
    if rows:
        connection.execute(upsert, rows)
