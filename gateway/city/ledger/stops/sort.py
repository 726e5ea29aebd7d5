"""Planned stops as a sort of papers: of the machines that stand there when they are said."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert

from gateway.city.db.schema.stops import planned_stop, planned_stop_machine
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.papers.sort import Keeping, Sort
from gateway.city.ledger.papers.standing import machines_of
from gateway.city.ledger.stops.held import STOPPED
from gateway.city.ledger.stops.table import COLUMNS, MAX_DAYS, SHEET, Stop


def _misplaced(connection: Connection, stop: Stop) -> tuple[str, str] | None:
    if machines_of(connection, stop):
        return None
    return "uscc", "the ledger has no machine there; enter the machines first, or mend the row"


def write_stop(connection: Connection, act: int, stop: Stop, machines: Sequence[int]) -> None:
    """Write a stop of some machines; it counts once its act does."""
    made = insert(planned_stop).values(act_id=act, **asdict(stop)).returning(planned_stop.c.id)
    number = int(connection.execute(made).scalar_one())
    connection.execute(
        insert(planned_stop_machine),
        [{"stop_id": number, "machine_id": machine} for machine in machines],
    )


def _write(connection: Connection, act: int, stops: Sequence[Stop]) -> None:
    for stop in stops:
        write_stop(connection, act, stop, machines_of(connection, stop))


STOPS = Sort(
    name="stops",
    one="stop",
    sheet=SHEET,
    columns=COLUMNS,
    fields={"stop_from": "first_day", "stop_to": "last_day", "stop_reason": "reason"},
    make=Stop,
    keeping=Keeping(STOPPED, _write, STOPPED.take_back, _misplaced),
    entering=Kind.STOPS,
    ending=Kind.STOP_END,
    longest=MAX_DAYS,
)
