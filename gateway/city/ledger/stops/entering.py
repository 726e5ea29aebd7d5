"""Enter and withdraw planned stops: acts upon the ledger, which only ever add."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.stops import planned_stop, planned_stop_end, planned_stop_machine
from gateway.city.db.tables import equipment
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.table import Stop, read_stops
from gateway.core.days import day_of
from gateway.relational.database import alone


class StopError(Exception):
    """A stop cannot be withdrawn; the message says why."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What an import of stops did.

    Attributes:
        added: stops that are new.
        unchanged: that were entered before.
        late: new ones that begin before the day of entry.
    """

    added: int
    unchanged: int
    late: int


def enter_stops(
    connection: Connection, files: Sequence[Path], now_ms: int, made_by: str = ""
) -> Entered:
    """Import files of planned stops: all rows or none of them; a row entered before stays one.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        files: CSV or XLSX.
        now_ms: UTC milliseconds.
        made_by: who imports.

    Raises:
        LedgerError: every mistake; nothing was changed.
    """
    today = day_of(now_ms)
    rows = read_stops(files, today)
    alone(connection, "ledger")
    known = {one.stop for one in standing(connection)}
    new = [(row, stop) for row, stop in dict(_by_stop(rows)).values() if stop not in known]
    machines = [_machines(connection, stop) for _, stop in new]
    missing = [_nobody(row) for (row, _), found in zip(new, machines, strict=True) if not found]
    if missing:
        raise LedgerError(missing)
    if new:
        doing = Doing(Kind.STOPS, made_by, ", ".join(one.name for one in files), now_ms)
        act = begin(connection, doing)
        for (_, stop), found in zip(new, machines, strict=True):
            write_stop(connection, act, stop, found)
        conclude(connection, act, doing)
    late = sum(stop.first_day < today for _, stop in new)
    return Entered(len(new), len(rows) - len(new), late)


def _by_stop(rows: Sequence[tuple[Record, Stop]]) -> list[tuple[Stop, tuple[Record, Stop]]]:
    return [(stop, (row, stop)) for row, stop in rows]


def _machines(connection: Connection, stop: Stop) -> Sequence[int]:
    """The machines of the ledger that a stop is of."""
    columns = equipment.c
    said = {"site_no": stop.site_no, "workshop": stop.workshop, "line": stop.line}
    said["asset_no"] = stop.asset_no
    narrow = [columns[name] == text for name, text in said.items() if text]
    query = select(columns.id).where(columns.uscc == stop.uscc, *narrow)
    return connection.scalars(query).all()


def _nobody(row: Record) -> Problem:
    return row.problem(
        "uscc", "the ledger has no machine there; enter the machines first, or mend the row"
    )


def write_stop(connection: Connection, act: int, stop: Stop, machines: Sequence[int]) -> None:
    """Write a stop of some machines; it counts once its act does."""
    made = insert(planned_stop).values(act_id=act, **asdict(stop)).returning(planned_stop.c.id)
    number = int(connection.execute(made).scalar_one())
    connection.execute(
        insert(planned_stop_machine),
        [{"stop_id": number, "machine_id": machine} for machine in machines],
    )


def withdraw_stop(
    connection: Connection, number: int, reason: str, now_ms: int, made_by: str = ""
) -> None:
    """Take a stop back: its days count again, in every month that is not frozen.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        number: of the stop.
        reason: in words.
        now_ms: UTC milliseconds.
        made_by: who says so.

    Raises:
        StopError: there is no such stop, or no reason.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise StopError(f"say why stop {number} is withdrawn")
    alone(connection, "ledger")
    if number not in {one.number for one in standing(connection)}:
        raise StopError(f"there is no stop {number}, or it is withdrawn already")
    doing = Doing(Kind.STOP_END, made_by, reason, now_ms)
    act = begin(connection, doing)
    connection.execute(insert(planned_stop_end).values(stop_id=number, act_id=act))
    conclude(connection, act, doing)
