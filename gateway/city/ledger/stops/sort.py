"""Planned stops as a sort of papers: of the machines that stand there when they are said."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import Connection, insert, select

from gateway.city.access.principal import Scope
from gateway.city.db.schema.stops import planned_stop, planned_stop_end, planned_stop_machine
from gateway.city.db.tables import equipment
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.papers.sort import Keeping, Sort
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.table import COLUMNS, MAX_DAYS, SHEET, Stop


def _standing(connection: Connection, uscc: str | None, scope: Scope) -> list[Standing[Stop]]:
    return standing(connection, uscc, scope=scope)


def _machines(connection: Connection, stop: Stop) -> Sequence[int]:
    """The machines of the ledger that a stop is of."""
    columns = equipment.c
    said = {"site_no": stop.site_no, "workshop": stop.workshop, "line": stop.line}
    said["asset_no"] = stop.asset_no
    narrow = [columns[name] == text for name, text in said.items() if text]
    query = select(columns.id).where(columns.uscc == stop.uscc, *narrow)
    return connection.scalars(query).all()


def _misplaced(connection: Connection, stop: Stop) -> tuple[str, str] | None:
    if _machines(connection, stop):
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
        write_stop(connection, act, stop, _machines(connection, stop))


def _end(connection: Connection, act: int, of: Standing[Stop], _last_day: date | None) -> None:
    connection.execute(insert(planned_stop_end).values(stop_id=of.number, act_id=act))


STOPS = Sort(
    name="stops",
    one="stop",
    sheet=SHEET,
    columns=COLUMNS,
    fields={"stop_from": "first_day", "stop_to": "last_day", "stop_reason": "reason"},
    make=Stop,
    keeping=Keeping(_standing, _write, _end, _machines, _misplaced),
    entering=Kind.STOPS,
    ending=Kind.STOP_END,
    longest=MAX_DAYS,
)
