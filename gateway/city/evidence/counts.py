"""How many values a machine had due and valid on a day, as its edge counted them.

Report-by-exception keeps most values from travelling, so the store cannot tell. The counters are
cumulative: the newest frame that tells them holds, as with the books.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, select, update

from gateway.city.db.operation import began_on
from gateway.city.db.tables import machine_books
from gateway.city.evidence.samples import Origin, Sample, counted
from gateway.city.ledger.machines import MachineIds
from gateway.city.ledger.names import MachineName
from gateway.relational.upsert import insert_for
from gateway.wire.records import MachineRecord


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What frame ``seq`` of an epoch of a gateway tells of a machine behind a device.

    ``origin`` says what the device is; None if no schema does.
    """

    gateway: str
    epoch: str
    seq: int
    machine: MachineName
    counts: MachineRecord
    origin: Origin | None = None


class DayCounts(NamedTuple):
    """What a machine gave on a day, all its gateways together.

    Attributes:
        valid: values that were GOOD.
        expected: values that were due.
    """

    valid: int
    expected: int


def proofs(reports: Iterable[MachineReport], now_ms: int) -> Iterator[Sample]:
    """The evidence in reports that came now, UTC milliseconds."""
    for one in reports:
        if one.origin is not None:
            valid_ms = (one.counts.first_ms, one.counts.last_ms)
            sample = counted(one.machine, one.counts.day, valid_ms, one.origin, now_ms)
            if sample is not None:
                yield sample


def keep_counts(
    connection: Connection, reports: Sequence[MachineReport], ids: MachineIds, now_ms: int
) -> None:
    """Write counters; a frame that comes late does not turn them back.

    Days before the city began are left out, as in the evidence.

    Args:
        connection: in a transaction that has not resolved names yet.
        reports: any number of each machine and day.
        ids: of machines.
        now_ms: UTC milliseconds.
    """
    began = began_on(connection)
    reports = [one for one in reports if began is None or one.counts.day >= began]
    if not reports:
        return
    found = ids.resolve(connection, ((one.machine, one.counts.day) for one in reports), now_ms)
    statement = insert_for(connection, machine_books)
    new = statement.excluded
    upsert = statement.on_conflict_do_update(
        index_elements=list(machine_books.primary_key),
        set_={name: new[name] for name in ("valid", "expected", "first_ms", "last_ms", "seq")},
        where=new.seq >= machine_books.c.seq,
    )
    connection.execute(upsert, [_row(one, found[one.machine, one.counts.day]) for one in reports])


def _row(report: MachineReport, machine_id: int) -> dict[str, object]:
    counts = report.counts
    return {
        "gateway": report.gateway,
        "epoch": report.epoch,
        "device": counts.device,
        "machine_id": machine_id,
        "day": counts.day,
        "valid": counts.valid,
        "expected": counts.expected,
        "first_ms": counts.first_ms,
        "last_ms": counts.last_ms,
        "seq": report.seq,
    }


def merge_counts(connection: Connection, source: int, target: int) -> None:
    """Give the counters of one machine to another; where both have some, the target's stay."""
    columns = machine_books.c
    key = [columns.gateway, columns.epoch, columns.device, columns.day]
    own = {
        tuple(row) for row in connection.execute(select(*key).where(columns.machine_id == target))
    }
    for row in connection.execute(select(*key).where(columns.machine_id == source)).all():
        same = [column == value for column, value in zip(key, row, strict=True)]
        held = (columns.machine_id == source, *same)
        change = (
            delete(machine_books)
            if tuple(row) in own
            else update(machine_books).values(machine_id=target)
        )
        connection.execute(change.where(*held))


def counts_of(
    connection: Connection, machine_id: int, days: Iterable[date]
) -> dict[date, DayCounts]:
    """What a machine gave on days; those of which nothing was told are left out."""
    columns = machine_books.c
    query = (
        select(columns.day, func.sum(columns.valid), func.sum(columns.expected))
        .where(columns.machine_id == machine_id, columns.day.in_(list(days)))
        .group_by(columns.day)
    )
    return {day: DayCounts(int(valid), int(due)) for day, valid, due in connection.execute(query)}


def trim_counts(connection: Connection, before: date) -> int:
    """Delete counters of earlier days; returns how many rows went."""
    return connection.execute(delete(machine_books).where(machine_books.c.day < before)).rowcount
