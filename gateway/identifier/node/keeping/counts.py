"""What a node has done: how often, with which outcome, how quickly; by hour and protocol.

Counted in memory and written every few seconds, so that resolving writes nothing; what a kill
takes with it are the counts of these seconds. Times go into buckets a quarter of an octave wide, so
that a percentile is told with an error of a tenth.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from gateway.core.days import DAY_MS, HOUR_MS
from gateway.identifier.node.keeping.tables import tally
from gateway.relational.upsert import insert_for

_STEPS = 4
"""Buckets of an octave."""
MAX_BUCKET = 120
"""Bucket n begins at 2^(n/4) µs; the last one at a quarter of an hour."""


KEPT_MS = 366 * DAY_MS
"""How long counts are kept."""


class What(NamedTuple):
    """What is counted together; each at most 16 characters."""

    protocol: str
    action: str
    outcome: str


Counts = Mapping[tuple[What, int], int]
"""How often, by what it was and the bucket of its time."""


class Tally:
    """Counts that are not written yet. For one thread at a time: the loop's.

    Attributes:
        totals: all that was counted since the start.
    """

    def __init__(self) -> None:
        self.totals: Counter[What] = Counter()
        self._counts: Counter[tuple[What, int]] = Counter()

    def add(self, what: What, elapsed_s: float, count: int = 1) -> None:
        """Count answers.

        Args:
            what: they are.
            elapsed_s: how long the one request took, seconds.
            count: how many identifiers it answered.
        """
        self._counts[what, bucket_of(elapsed_s)] += count
        self.totals[what] += count

    def taken(self) -> Counts:
        """The counts since the last call; they are the caller's to write now, or to put back."""
        counts, self._counts = self._counts, Counter()
        return counts

    def put_back(self, counts: Counts) -> None:
        """Count again what could not be written."""
        self._counts.update(counts)


def bucket_of(elapsed_s: float) -> int:
    """Number of the bucket of a time."""
    us = elapsed_s * 1_000_000
    return min(MAX_BUCKET, int(math.log2(us) * _STEPS)) if us > 1 else 0


def write(connection: Connection, counts: Counts, now_ms: int) -> None:
    """Add counts to those of the hour."""
    hour = now_ms // HOUR_MS * HOUR_MS
    rows = [
        {**what._asdict(), "hour_ms": hour, "bucket": bucket, "count": count}
        for (what, bucket), count in sorted(counts.items())  # two processes lock in one order
    ]
    if not rows:
        return
    statement = insert_for(connection, tally)
    keys = ["hour_ms", "protocol", "action", "outcome", "bucket"]
    change = {"count": tally.c.count + statement.excluded.count}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=change), rows)


def forget(connection: Connection, now_ms: int) -> None:
    """Forget counts that are too old to be asked for."""
    connection.execute(delete(tally).where(tally.c.hour_ms < now_ms - KEPT_MS))


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of one protocol and action.

    Attributes:
        outcomes: how often, by outcome.
        p50_us: half of all took no longer, microseconds.
        p99_us: of a hundred, 99.
    """

    protocol: str
    action: str
    outcomes: Mapping[str, int]
    p50_us: int
    p99_us: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.outcomes.values())

    @property
    def success_rate(self) -> float:
        """Share of all that was done, found, or referred to who knows: 0 to 1."""
        good = sum(self.outcomes.get(one, 0) for one in ("ok", "referred"))
        return good / self.total if self.total else 0.0


def figures(connection: Connection, since_ms: int) -> list[Figures]:
    """What was counted since the hour of a time (UTC milliseconds), by protocol and action."""
    of = tally.c
    query = select(of.protocol, of.action, of.outcome, of.bucket, of.count)
    query = query.where(of.hour_ms >= since_ms // HOUR_MS * HOUR_MS)
    outcomes: dict[tuple[str, str], Counter[str]] = {}
    buckets: dict[tuple[str, str], Counter[int]] = {}
    for protocol, action, outcome, bucket, count in connection.execute(query):
        outcomes.setdefault((protocol, action), Counter())[outcome] += count
        buckets.setdefault((protocol, action), Counter())[bucket] += count
    return [
        Figures(*key, outcomes[key], percentile_us(found, 0.5), percentile_us(found, 0.99))
        for key, found in sorted(buckets.items())
    ]


def percentile_us(buckets: Mapping[int, int], share: float) -> int:
    """The upper bound of the bucket in which the given share of all is reached, microseconds."""
    wanted, seen = share * sum(buckets.values()), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return round(2 ** ((bucket + 1) / _STEPS))
    return 0
