"""Compare evidence with the store, an enterprise and a day at a time.

The store is read by the very code that makes evidence of it (``recount.py``, ``rebuild.py``), and
nothing is written. No more is in memory than the hours of one gateway's day and what the machines
of one enterprise had on it.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import or_

from sqlalchemy import Connection, select

from gateway.city.db import monthly
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.months import evidence_month, month_number
from gateway.city.db.tables import (
    gateway,
    machine_alias,
    machine_books,
    quarantine,
    watermark,
)
from gateway.city.evidence.auditing.differences import (
    NONE,
    Circumstances,
    Claimed,
    Difference,
    Held,
    Key,
    differences,
    other_months,
)
from gateway.city.evidence.rebuild import origins_of, recount
from gateway.city.evidence.recount import Origins, Recount
from gateway.city.evidence.rows import MASKS
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import NOBODY, MachineName
from gateway.city.stores.api import Store
from gateway.core.days import DAY_MS, HOUR_MS, MAX_AHEAD_MS, day_of, day_start_ms
from gateway.relational.database import Database, chunks


@dataclass(frozen=True, slots=True)
class Compared:
    """What an audit found of an enterprise's day.

    Attributes:
        day: Asia/Shanghai day.
        machines: how many had evidence, or something in the store.
        found: the differences, with the machines' names; what only a counter knows may have none.
        unnamed: machines in the store that nobody has named, so that they have no evidence.
        unknown: (gateway, device) of which no schema tells what kind of source it is.
    """

    day: date
    machines: int
    found: Sequence[tuple[MachineName, Difference]]
    unnamed: frozenset[MachineName]
    unknown: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Audit:
    """A comparison of some days.

    Attributes:
        database: the city's; only read.
        store: opened; only read.
        now_ms: UTC milliseconds.
        kept_days: how long the city keeps values and counters.
    """

    database: Database
    store: Store
    now_ms: int
    kept_days: int

    async def run(
        self, enterprises: Sequence[str], days: Sequence[date], advance: Callable[[], object]
    ) -> AsyncIterator[Compared]:
        """Compare; says of each enterprise's day what was found.

        Args:
            enterprises: USCCs.
            days: in any order.
            advance: called when an enterprise's day is done.

        Raises:
            StoreError: the store does not answer.
        """
        for uscc in enterprises:
            gateways = await self.database.read(gateways_of, uscc)
            origins = [await self.database.read(origins_of, name) for name in gateways]
            for day in days:
                yield await self._day(uscc, day, origins)
                advance()

    async def _day(self, uscc: str, day: date, origins: Sequence[Origins]) -> Compared:
        gathered = _Gathered()
        for one in origins:
            from_ms = day_start_ms(day)
            to_ms = min(from_ms + DAY_MS, self.now_ms + MAX_AHEAD_MS + 1)
            hours = await self.store.hours(one.gateway, from_ms, to_ms)
            found = await self.database.read(recount, (day, day), hours, one, self.now_ms)
            gathered.add(one.gateway, found, is_stored=bool(hours))
        return await self.database.read(self._compared, uscc, day, gathered)

    def _compared(
        self, connection: Connection, uscc: str, day: date, gathered: "_Gathered"
    ) -> Compared:
        ids = find(connection, {name for name, *_ in gathered.stored}, day)
        held = gathered.held(ids)
        names = _names(connection, uscc, day)
        machines = names.keys() | {key[0] for key in held}
        claimed = _claimed(connection, day, machines)
        known = Circumstances(
            counted=_counted_hours(connection, day, {key[0] for key in claimed}),
            storing=frozenset(gathered.storing),
            pending=_pending(connection, day),
            quarantined=_quarantined(connection, day),
            expired=day <= day_of(self.now_ms - self.kept_days * DAY_MS),
            published=_is_published(connection, day),
            over=_hours_over(day, self.now_ms),
        )
        spelt = {number: name for name, number in ids.items()} | names
        return Compared(
            day,
            len({key[0] for key in claimed.keys() | held.keys()}),
            [
                (spelt.get(one.machine, NOBODY), one)
                for one in (
                    *differences(day, claimed, held, known),
                    *other_months(day, claimed, _months(connection, day, machines)),
                )
            ],
            frozenset(name for name, *_ in gathered.stored if name not in ids),
            frozenset(gathered.unknown),
        )


class _Gathered:
    """What the gateways of an enterprise have in the store on a day, together."""

    def __init__(self) -> None:
        self.stored: dict[tuple[MachineName, str, bool], Held] = {}
        self.counted: list[tuple[int, Sample]] = []
        self.storing: set[str] = set()
        self.unknown: set[tuple[str, str]] = set()

    def add(self, name: str, found: Recount, *, is_stored: bool) -> None:
        """Add what one gateway has, and what it counted and held back."""
        if is_stored:
            self.storing.add(name)
        self.counted += found.counted
        self.unknown |= {(name, device) for device in found.unknown}
        for one in found.stored:
            key = (one.machine, one.source, one.synthetic)
            self.stored[key] = _joined(self.stored.get(key, NONE), _held(one))

    def held(self, ids: Mapping[MachineName, int]) -> dict[Key, Held]:
        """The same by id of the machine; several spellings may mean one."""
        found: dict[Key, Held] = {}
        for (name, source, synthetic), one in self.stored.items():
            if name in ids:
                key = (ids[name], source, synthetic)
                found[key] = _joined(found.get(key, NONE), one)
        for number, sample in self.counted:
            key = (number, sample.source, sample.synthetic)
            found[key] = _joined(found.get(key, NONE), _held(sample))
        return found


def _held(one: Sample) -> Held:
    hours = tuple(getattr(one, name) for name in MASKS)
    return Held(hours, one.doubted_hours, frozenset({one.gateway}))


def _joined(one: Held, other: Held) -> Held:
    hours = tuple(map(or_, one.hours, other.hours))
    return Held(hours, one.doubted | other.doubted, one.gateways | other.gateways)


def enterprises_with_evidence(connection: Connection, wanted: str | None = None) -> list[str]:
    """USCCs that gateways or machines ever had, in order; or the one that is asked for."""
    machines, own = select(machine_alias.c.uscc).distinct(), select(gateway.c.uscc).distinct()
    known = set(connection.scalars(machines)) | set(connection.scalars(own))
    return sorted(known if wanted is None else known & {wanted})


def gateways_of(connection: Connection, uscc: str) -> list[str]:
    """The gateways of an enterprise, those that were revoked among them."""
    query = select(gateway.c.id).where(gateway.c.uscc == uscc).order_by(gateway.c.id)
    return list(connection.scalars(query))


def _names(connection: Connection, uscc: str, day: date) -> dict[int, MachineName]:
    """The machines that bore a name of the enterprise on a day."""
    columns = machine_alias.c
    query = select(columns.machine_id, columns.site_no, columns.asset_no).where(
        columns.uscc == uscc,
        columns.valid_from <= day,
        columns.valid_to.is_(None) | (columns.valid_to > day),
    )
    rows = connection.execute(query.order_by(columns.valid_from))
    return {row.machine_id: MachineName(uscc, row.site_no, row.asset_no) for row in rows}


def _claimed(connection: Connection, day: date, machines: Collection[int]) -> dict[Key, Claimed]:
    days = monthly.between(connection, day, day)
    query, columns, found = select(days).where(days.c.day == day), days.c, dict[Key, Claimed]()
    for part in chunks(machines):
        own = query.where(columns.machine_id.in_(part)).order_by(columns.late_days)
        for row in connection.execute(own):
            key = (row.machine_id, row.source, row.synthetic)
            hours = tuple(getattr(row, name) for name in MASKS)
            known = found.get(key, Claimed((0,) * len(MASKS), row.gateway, row.seeded)).hours
            found[key] = Claimed(tuple(map(or_, known, hours)), row.gateway, row.seeded)
    return found


def _months(
    connection: Connection, day: date, machines: Collection[int]
) -> dict[Key, tuple[bool, ...]]:
    """What the rows of months, which rates read, say of a day."""
    columns, bit = evidence_month.c, 1 << (day.day - 1)
    query = select(evidence_month).where(columns.month == month_number(day))
    return {
        (row.machine_id, row.source, row.synthetic): tuple(
            bool(days & bit) for days in (row.good_days, row.uncertain_days, row.days)
        )
        for part in chunks(machines)
        for row in connection.execute(query.where(columns.machine_id.in_(part)))
        if row.days & bit
    }


def _counted_hours(connection: Connection, day: date, machines: Iterable[int]) -> dict[int, int]:
    """Hours from the first to the last valid value, as edges counted them."""
    columns, found = machine_books.c, defaultdict[int, int](int)
    query = select(columns.machine_id, columns.first_ms, columns.last_ms).where(
        columns.day == day, columns.first_ms.is_not(None)
    )
    for part in chunks(machines):
        for row in connection.execute(query.where(columns.machine_id.in_(part))):
            first, last = (
                min(max(0, time_ms - day_start_ms(day)), DAY_MS - 1) // HOUR_MS
                for time_ms in (row.first_ms, row.last_ms)
            )
            found[row.machine_id] |= (2 << last) - (1 << first)
    return found


def _hours_over(day: date, now_ms: int) -> int:
    """The hours of a day that are over, as bits; what comes now is not compared."""
    hours = (now_ms - day_start_ms(day)) // HOUR_MS
    return (1 << max(0, min(hours, 24))) - 1


def _pending(connection: Connection, day: date) -> frozenset[str]:
    columns, from_ms = watermark.c, day_start_ms(day)
    query = select(columns.gateway).where(
        columns.uncounted_from_ms < from_ms + DAY_MS, columns.uncounted_to_ms >= from_ms
    )
    return frozenset(connection.scalars(query))


def _quarantined(connection: Connection, day: date) -> frozenset[str]:
    columns, from_ms = quarantine.c, day_start_ms(day)
    came = columns.received_ms.between(from_ms, from_ms + DAY_MS - 1)
    return frozenset(connection.scalars(select(columns.gateway).where(came).distinct()))


def _is_published(connection: Connection, day: date) -> bool:
    month = f"{day:%Y-%m}"
    query = select(evidence_taking.c.number).where(evidence_taking.c.month == month).limit(1)
    return connection.scalar(query) is not None
