"""Values in clock doubt: they prove nothing until the clock of their gateway is confirmed.

A gateway that nobody told the time marks its values. What comes on the day that it names is
believed at once (``samples.py``); what an outage kept back waits here, until the gateway says by a
clock that agrees with the city's that nobody has set it since.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, case, delete, insert, select, update

from gateway.city.db.schema.clock import confirmed_clock, doubted_evidence
from gateway.city.evidence.rows import write_evidence
from gateway.city.evidence.samples import Sample
from gateway.core.days import HOUR_MS, MAX_AHEAD_MS, day_of, day_start_ms
from gateway.relational.database import chunks
from gateway.relational.upsert import insert_for

Span = tuple[int, int]
"""From when to when the clock of a gateway was right, both included, UTC milliseconds."""

_KEY = list(doubted_evidence.primary_key)


def keep_doubted(
    connection: Connection, samples: Iterable[tuple[int, Sample]], today: date
) -> None:
    """Keep hours in doubt, and let those count that are confirmed already.

    Args:
        connection: in a transaction.
        samples: ids of machines and what they sent; those without doubt are left out.
        today: Asia/Shanghai day.
    """
    rows = [_doubted(*one) for one in samples if one[1].doubted_hours]
    _widen(connection, rows)
    # the span may have come before the doubt did: frames and signs of life have ways of their own
    confirm(connection, {str(row["gateway"]) for row in rows}, today)


def _widen(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Insert rows, or widen what is there."""
    statement = insert_for(connection, doubted_evidence)
    new, old = statement.excluded, doubted_evidence.c
    changes = {
        "hours": old.hours.bitwise_or(new.hours),
        "first_ms": case((new.first_ms < old.first_ms, new.first_ms), else_=old.first_ms),
        "last_ms": case((new.last_ms > old.last_ms, new.last_ms), else_=old.last_ms),
    }
    upsert = statement.on_conflict_do_update(index_elements=_KEY, set_=changes)
    if rows:
        connection.execute(upsert, rows)


def keep_spans(connection: Connection, spans: Mapping[str, Span], today: date) -> None:
    """Note when clocks of gateways were right, and let count what that confirms.

    Args:
        connection: in a transaction.
        spans: by gateway.
        today: Asia/Shanghai day.
    """
    known = confirmed_clock.c
    for gateway, (from_ms, to_ms) in spans.items():
        # What was right shortly before, and is again, was right between: a restart leaves one row.
        near = (
            (known.gateway == gateway)
            & (known.to_ms >= from_ms - MAX_AHEAD_MS)
            & (known.from_ms <= to_ms + MAX_AHEAD_MS)
        )
        joined = connection.execute(
            delete(confirmed_clock).where(near).returning(known.from_ms, known.to_ms)
        ).all()
        row = {
            "gateway": gateway,
            "from_ms": min([from_ms, *(one.from_ms for one in joined)]),
            "to_ms": max([to_ms, *(one.to_ms for one in joined)]),
        }
        connection.execute(insert(confirmed_clock).values(row))
    confirm(connection, spans, today)


def confirm(connection: Connection, gateways: Iterable[str], today: date) -> None:
    """Let the hours in doubt count that lie where the clock of their gateway was right.

    They are evidence from today on: what was in doubt too long is late data.
    """
    doubts, spans = doubted_evidence.c, confirmed_clock.c
    for part in chunks(gateways):
        held = select(doubted_evidence).where(doubts.gateway.in_(part)).order_by(*_KEY)
        rows = connection.execute(held).all()
        if not rows:
            continue
        right = defaultdict[str, list[Span]](list)
        for one in connection.execute(select(confirmed_clock).where(spans.gateway.in_(part))):
            right[one.gateway].append((one.from_ms, one.to_ms))
        found = [(row, hours_within(row, right[row.gateway])) for row in rows]
        _let_count(connection, found, today)


def hours_within(row: Any, spans: Sequence[Span]) -> int:
    """Which hours of a row in doubt lie in spans, as bits; one that lies there in part does not.

    Args:
        row: ``day``, ``hours``, and ``first_ms`` and ``last_ms`` of its values.
        spans: when the clock was right.
    """
    found, midnight_ms = 0, day_start_ms(row.day)
    for hour in range(24):
        from_ms = max(midnight_ms + hour * HOUR_MS, row.first_ms)
        to_ms = min(midnight_ms + (hour + 1) * HOUR_MS - 1, row.last_ms)
        if any(first <= from_ms and to_ms <= last for first, last in spans):
            found |= 1 << hour
    return found & int(row.hours)


def _let_count(
    connection: Connection, confirmed: Iterable[tuple[Row[Any], int]], today: date
) -> None:
    confirmed = [(row, hours) for row, hours in confirmed if hours]
    write_evidence(connection, [_evidence(row, hours) for row, hours in confirmed], today)
    for row, hours in confirmed:
        mine = [column == getattr(row, column.name) for column in _KEY]
        left = row.hours & ~hours
        statement = (
            update(doubted_evidence).values(hours=left) if left else delete(doubted_evidence)
        )
        connection.execute(statement.where(*mine))


def merge_doubts(connection: Connection, source: int, target: int) -> None:
    """Give the hours in doubt of one machine to another; both are the same, as it turned out."""
    held = doubted_evidence.c.machine_id == source
    rows = connection.execute(select(doubted_evidence).where(held)).mappings().all()
    _widen(connection, [{**row, "machine_id": target} for row in rows])
    connection.execute(delete(doubted_evidence).where(held))


def tidy(connection: Connection, before_ms: int, today: date) -> None:
    """Confirm what can be, and forget doubts and spans of long ago.

    Two workers may have written a doubt and the span that ends it without seeing each other's.

    Args:
        connection: in a transaction.
        before_ms: end of what is forgotten, UTC milliseconds.
        today: Asia/Shanghai day.
    """
    waiting = connection.scalars(select(doubted_evidence.c.gateway).distinct()).all()
    confirm(connection, waiting, today)
    old = doubted_evidence.c.day < day_of(before_ms)
    connection.execute(delete(doubted_evidence).where(old))
    connection.execute(delete(confirmed_clock).where(confirmed_clock.c.to_ms < before_ms))


def _doubted(machine: int, sample: Sample) -> dict[str, object]:
    return {
        "gateway": sample.gateway,
        "machine_id": machine,
        "day": sample.day,
        "source": sample.source,
        "synthetic": sample.synthetic,
        "hours": sample.doubted_hours,
        "first_ms": sample.first_ms,
        "last_ms": sample.last_ms,
    }


def _evidence(row: Row[Any], hours: int) -> dict[str, object]:
    return {
        "machine_id": row.machine_id,
        "day": row.day,
        "source": row.source,
        "synthetic": row.synthetic,
        "gateway": row.gateway,
        "good_hours": hours,
        "uncertain_hours": 0,
        "replayed_hours": 0,
        "first_ms": row.first_ms,
        "last_ms": row.last_ms,
        "seeded": False,
    }
