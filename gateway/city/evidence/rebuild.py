"""Recount evidence from the store, beside a city that runs or not.

For each day and gateway what the store holds and what the edge counted is made evidence and added
to what there is. Nothing is ever taken away: what a store no longer holds was proven once. To do it
again changes nothing, and ingest may write the same rows meanwhile.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import or_

from sqlalchemy import Connection, select

from gateway.city.db import monthly
from gateway.city.db.operation import began_on
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import gateway, machine_books, tag_schema
from gateway.city.evidence.recording import record_known
from gateway.city.evidence.recount import Counted, Origins, Recount, recounted
from gateway.city.evidence.rows import MASKS
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.machines import MachineIds, find
from gateway.city.stores.api import SeriesHours, Store
from gateway.core.days import DAY_MS, MAX_AHEAD_MS, day_of, day_start_ms
from gateway.core.schema import decode_schema
from gateway.relational.database import Database, chunks

Pairs = list[tuple[int, Sample]]
"""Ids of machines, and evidence of them."""


_NOBODY = 0
"""Stands for the machines that nobody has named yet, where none are to be named."""


class RebuildError(Exception):
    """Days that cannot be recounted; the message says why and what to do."""


_Held = dict[tuple[int, str, bool], tuple[int, ...]]
"""Masks of a day by machine, source and whether it is synthetic."""


@dataclass(slots=True)
class Added:
    """What a recount adds to the evidence of a day.

    Attributes:
        day: Asia/Shanghai day.
        machines: ids of machines that gain something.
        hours: how many hours of each quality, by name of the mask.
        unknown: (gateway, device) of which no schema tells what kind of source it is.
    """

    day: date
    machines: set[int] = field(default_factory=set)
    hours: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MASKS, 0))
    unknown: set[tuple[str, str]] = field(default_factory=set)

    def note(self, pairs: Pairs, held: _Held) -> None:
        """Count the hours that evidence does not have yet; ``held`` has them then."""
        for machine, sample in pairs:
            key = (machine, sample.source, sample.synthetic)
            old = held.get(key, (0,) * len(MASKS))
            new = tuple(getattr(sample, name) for name in MASKS)
            for name, before, after in zip(MASKS, old, new, strict=True):
                self.hours[name] += (after & ~before).bit_count()
            held[key] = tuple(map(or_, old, new))
            if held[key] != old:
                self.machines.add(machine)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A recount of some days.

    Attributes:
        database: the city's.
        store: opened.
        now_ms: UTC milliseconds.
        dry_run: find out what would be added, and add nothing.
    """

    database: Database
    store: Store
    now_ms: int
    dry_run: bool = False

    async def run(
        self, gateways: Sequence[str], days: Sequence[date], advance: Callable[[], object]
    ) -> AsyncIterator[Added]:
        """Recount; says of each day what was added.

        Args:
            gateways: ids of those whose values are recounted.
            days: in any order.
            advance: called when a gateway's day is done.

        Raises:
            StoreError: the store does not answer; what was said before is done.
        """
        origins = {name: await self.database.run(origins_of, name) for name in gateways}
        for day in days:
            added = Added(day)
            for name in gateways:
                from_ms = day_start_ms(day)
                to_ms = min(from_ms + DAY_MS, self.now_ms + MAX_AHEAD_MS + 1)
                hours = await self.store.hours(name, from_ms, to_ms)
                await self.database.run(self._add, added, hours, origins[name])
                advance()
            yield added

    def _add(
        self, connection: Connection, added: Added, hours: Sequence[SeriesHours], origins: Origins
    ) -> None:
        day = added.day
        found = recount(connection, (day, day), hours, origins, self.now_ms)
        if self.dry_run:
            known = find(connection, {one.machine for one in found.stored}, day)
            pairs = [(known.get(one.machine, _NOBODY), one) for one in found.stored]
        else:
            pairs = identified(connection, found.stored, self.now_ms)
        pairs += found.counted
        added.note(pairs, _held(connection, day, {one for one, _ in pairs}))
        added.unknown |= {(origins.gateway, device) for device in found.unknown}
        if not self.dry_run:
            record_known(connection, pairs, day_of(self.now_ms))


def recount(
    connection: Connection,
    days: tuple[date, date],
    hours: Sequence[SeriesHours],
    origins: Origins,
    now_ms: int,
) -> Recount:
    """Make evidence of what a store says and of what the edge counted, since the city began.

    Args:
        connection: the city's database.
        days: the first and the last day of which the counters are asked for.
        hours: of one gateway.
        origins: what that gateway's devices are.
        now_ms: UTC milliseconds.
    """
    counts, began = _counted(connection, origins.gateway, days), began_on(connection)
    found = recounted(hours, counts, origins, now_ms)
    kept = [one for one in found.stored if began is None or one.day >= began]
    return found._replace(stored=kept)


def identified(connection: Connection, stored: Collection[Sample], now_ms: int) -> Pairs:
    """Find, or give, the ids of machines; in a transaction that has not resolved names yet."""
    # an own memory: names that this transaction adds may be rolled back
    ids = MachineIds().resolve(connection, ((one.machine, one.day) for one in stored), now_ms)
    return [(ids[one.machine, one.day], one) for one in stored]


def _counted(connection: Connection, name: str, days: tuple[date, date]) -> list[Counted]:
    columns = machine_books.c
    query = select(
        columns.machine_id, columns.device, columns.day, columns.first_ms, columns.last_ms
    ).where(columns.gateway == name, columns.day.between(*days))
    return [Counted(*row) for row in connection.execute(query)]


def _held(connection: Connection, day: date, machines: Collection[int]) -> _Held:
    columns = monthly.between(connection, day, day).c
    masks = (columns[name] for name in MASKS)
    query = select(columns.machine_id, columns.source, columns.synthetic, *masks)
    found: _Held = {}
    for part in chunks(machines):
        own = query.where(columns.day == day, columns.machine_id.in_(part))
        for *key, good, uncertain, replayed in connection.execute(own):
            hours = (good, uncertain, replayed)
            found[tuple(key)] = tuple(map(or_, found.get(tuple(key), (0, 0, 0)), hours))
    return found


def origins_of(connection: Connection, name: str) -> Origins:
    """What the devices of a gateway are, as its schemas say."""
    query = select(tag_schema.c.received_ms, tag_schema.c.body).where(tag_schema.c.gateway == name)
    return Origins(name, ((at, decode_schema(body)) for at, body in connection.execute(query)))


def all_gateways(connection: Connection) -> list[str]:
    """Every gateway that was ever enrolled; what revoked ones sent is in the store, too."""
    return list(connection.scalars(select(gateway.c.id).order_by(gateway.c.id)))


def days_to_recount(connection: Connection, first: date, last: date, now_ms: int) -> list[date]:
    """Every day from the first to the last.

    Raises:
        RebuildError: there is no such day, it is still to come, or the city had not begun.
    """
    began, today = began_on(connection), day_of(now_ms)
    if began is None:
        raise RebuildError("the city has not begun: no gateway was ever enrolled")
    if first < began:
        raise RebuildError(
            f"{first} is before the city began, and nothing counts there; begin with {began}"
        )
    if not first <= last <= today:
        raise RebuildError(f"there are no days to recount from {first} to {last}; today is {today}")
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def published_months(connection: Connection, days: Collection[date]) -> list[str]:
    """The months of days, ``YYYY-MM``, of which rates are published."""
    months = sorted({f"{day:%Y-%m}" for day in days})
    query = select(rate_result.c.month).where(rate_result.c.month.in_(months)).distinct()
    return sorted(connection.scalars(query))
