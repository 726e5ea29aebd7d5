"""Rows of raw days are inserted, or widen what is there; their months are written with them.

What comes late is dated: it is a row beside what was there, which stays as it was.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from operator import or_ as or_bits
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, case, delete, or_, select, update

from gateway.city.db import closed, monthly
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.months import evidence_month, month_number
from gateway.relational.database import chunks
from gateway.relational.upsert import insert_for

log = logging.getLogger(__name__)

MASKS = ("good_hours", "uncertain_hours", "replayed_hours")
KEYS = ("machine_id", "day", "source", "synthetic")
"""What a row is about; several rows of one say together what is known."""
_DAYS = ("good_days", "uncertain_days", "days")
_KEYS = ("machine_id", "source", "synthetic")
_IN_TIME = timedelta(days=1)
"""So long behind its day is what comes in time; a restart or a short outage is no late data."""
_AHEAD = timedelta(days=1)
"""Values are evidence up to a day ahead of the clock; see ``samples.py``."""

Row = Mapping[str, Any]
Key = tuple[Any, ...]
"""Values of :data:`KEYS`."""


class Held(NamedTuple):
    """What is known of a machine's day from one kind of source.

    Attributes:
        masks: hours, in the order of :data:`MASKS`.
        first_ms: first value, UTC milliseconds.
        last_ms: last one.
    """

    masks: tuple[int, ...]
    first_ms: int
    last_ms: int


def write_evidence(connection: Connection, rows: Iterable[Row], today: date) -> None:
    """Add what came today; days that are still to come are left out, and the log says so.

    Args:
        connection: in a transaction.
        rows: columns of ``evidence`` but for ``late_days``.
        today: Asia/Shanghai day, by the city's clock.
    """
    dated = [{**row, "late_days": late_days(row["day"], today)} for row in rows]
    ahead = [row["day"] for row in dated if row["day"] > today + _AHEAD]
    if ahead:
        log.error(
            "evidence that lies ahead of the city's clock was left out (rows: %d, from %s to %s): "
            "set the clock right, then `qulink evidence rebuild`",
            len(ahead),
            min(ahead),
            max(ahead),
        )
    due = [row for row in dated if row["day"] <= today + _AHEAD]
    write_days(connection, due, today - _IN_TIME)


def late_days(day: date, today: date) -> int:
    """How late it is for a day: 0 until the end of the day behind it, then the days since it."""
    return 0 if today <= day + _IN_TIME else (today - day).days


def write_days(connection: Connection, rows: Sequence[Row], since: date = date.min) -> None:
    """Add raw days; the last writer names the gateway.

    What comes in time is one row, which widens. What comes late is a row of its own that holds
    what was not there, and nothing that was there changes; if nothing is new, no row is added.

    Args:
        connection: in a transaction.
        rows: columns of ``evidence``; without ``late_days`` they came in time.
        since: the database refuses rows that are dated before it: their day is over.
    """
    if not rows:
        return
    rows = [{"late_days": 0, **row} for row in rows]
    monthly.ensure(connection, {row["day"] for row in rows})
    in_time = [row for row in rows if not row["late_days"]]
    with closed.opened(connection, since):
        _widen(connection, in_time)
        late = new_in(held_days(connection, rows), [row for row in rows if row["late_days"]])
        _widen(connection, late)
    _write_months(connection, months_of(rows))
    _touch(connection, {f"{row['day']:%Y-%m}" for row in (*in_time, *late)})


def _widen(connection: Connection, rows: Iterable[Row]) -> None:
    """Insert, or widen what is there."""
    of_month = defaultdict[int, list[Row]](list)
    for row in rows:
        of_month[month_number(row["day"])].append(row)
    for month, own in sorted(of_month.items()):
        table = monthly.written(connection, month)
        statement = insert_for(connection, table)
        new, old = statement.excluded, table.c
        hours = {name: old[name].bitwise_or(new[name]) for name in MASKS}
        times = {
            "first_ms": case((new.first_ms < old.first_ms, new.first_ms), else_=old.first_ms),
            "last_ms": case((new.last_ms > old.last_ms, new.last_ms), else_=old.last_ms),
        }
        changes = hours | times | {"gateway": new.gateway, "seeded": new.seeded}
        keys = list(table.primary_key)
        upsert = statement.on_conflict_do_update(index_elements=keys, set_=changes)
        connection.execute(upsert, _ordered(table, own))


def held_days(connection: Connection, rows: Sequence[Row]) -> dict[Key, Held]:
    """What there is of the machines and days of late rows, all rows of a day together."""
    late = [row for row in rows if row["late_days"]]
    if not late:
        return {}
    first, last = min(row["day"] for row in late), max(row["day"] for row in late)
    days = monthly.between(connection, first, last)
    query = select(days).where(days.c.day.between(first, last))
    found: dict[Key, Held] = {}
    for part in chunks(sorted({row["machine_id"] for row in late})):
        for row in connection.execute(query.where(days.c.machine_id.in_(part))).mappings():
            fold(found, dict(row))
    return found


def fold(found: dict[Key, Held], row: Row) -> None:
    """Add a row to what is known of its day: what came in time and what came late are one."""
    key, known = tuple(row[name] for name in KEYS), _known(row)
    old = found.get(key)
    found[key] = known if old is None else _joined(old, known)


def new_in(found: Mapping[Key, Held], rows: Iterable[Row]) -> list[Row]:
    """What rows say that is not known: hours that nobody has yet, or times further out. Pure."""
    new: list[Row] = []
    for row in rows:
        old, own = found.get(tuple(row[name] for name in KEYS)), _known(row)
        if old is None or _joined(old, own) != old:
            masks = old.masks if old is not None else (0,) * len(MASKS)
            fresh = {name: row[name] & ~has for name, has in zip(MASKS, masks, strict=True)}
            new.append({**row, **fresh})
    return new


def _known(row: Row) -> Held:
    return Held(tuple(row[name] for name in MASKS), row["first_ms"], row["last_ms"])


def _joined(one: Held, other: Held) -> Held:
    masks = tuple(map(or_bits, one.masks, other.masks))
    return Held(masks, min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))


def delete_evidence(connection: Connection, machine: int) -> None:
    """Take away all evidence of a machine, which another one has now."""
    with closed.opened(connection):
        for table in (*monthly.tables(connection), evidence_month):
            connection.execute(delete(table).where(table.c.machine_id == machine))


def months_of(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """What rows of evidence say of months, a row for each month, machine, source and kind."""
    months: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = {"month": month_number(row["day"])} | {name: row[name] for name in _KEYS}
        found = months.setdefault(tuple(key.values()), key | dict.fromkeys(_DAYS, 0))
        bit = 1 << (row["day"].day - 1)
        came = (row["good_hours"], row["uncertain_hours"], True)
        for name, has in zip(_DAYS, came, strict=True):
            found[name] |= bit if has else 0
    return list(months.values())


def _write_months(connection: Connection, rows: list[dict[str, Any]]) -> None:
    statement = insert_for(connection, evidence_month)
    new, old = statement.excluded, evidence_month.c
    upsert = statement.on_conflict_do_update(
        index_elements=list(evidence_month.primary_key),
        set_={name: old[name].bitwise_or(new[name]) for name in _DAYS},
        # Evidence is written anew all day long: nearly never is a day the first one.
        where=or_(*(_adds(old[name], new[name]) for name in _DAYS)),
    )
    connection.execute(upsert, _ordered(evidence_month, rows))


def _adds(old: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[bool]:
    return old.bitwise_or(new) != old


def _ordered(table: Table, rows: Iterable[Row]) -> list[Row]:
    """Several may write at once: in one order, or they would wait for each other for ever."""
    return sorted(rows, key=lambda row: [row[key.name] for key in table.primary_key])


def _touch(connection: Connection, months: set[str]) -> None:
    """Say that there is more of months of which rates are stored; of the running one none is."""
    columns = evidence_taking.c
    touched = update(evidence_taking).values(touches=columns.touches + 1)
    connection.execute(touched.where(columns.month.in_(sorted(months))))
