"""Undo planned stops: one that was said ends, one that was withdrawn is said again."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.schema.stops import planned_stop, planned_stop_end, planned_stop_machine
from gateway.city.ledger.stops.held import standing, stop_of
from gateway.city.ledger.stops.sort import write_stop


class Ending(NamedTuple):
    """Stops of an act.

    Attributes:
        stops: numbers of those that it said.
        ends: numbers of those that it withdrew.
        later: acts that withdrew the first since, or said the second again.
    """

    stops: tuple[int, ...]
    ends: tuple[int, ...]
    later: frozenset[int]


def of_act(connection: Connection, number: int) -> Ending:
    """The stops that an act said and withdrew."""
    said = select(planned_stop.c.id).where(planned_stop.c.act_id == number)
    stops = tuple(connection.scalars(said.order_by(planned_stop.c.id)))
    ended = select(planned_stop_end.c.stop_id).where(planned_stop_end.c.act_id == number)
    ends = tuple(connection.scalars(ended.order_by(planned_stop_end.c.stop_id)))
    query = (
        select(planned_stop_end.c.act_id)
        .join(ledger_act, ledger_act.c.id == planned_stop_end.c.act_id)
        .where(planned_stop_end.c.stop_id.in_(said), ledger_act.c.change_id.is_not(None))
    )
    later = set(connection.scalars(query))
    if ends:
        again = {one.what: one.number for one in standing(connection)}
        numbers = [again[stop] for one in ends if (stop := stop_of(connection, one)) in again]
        acts = select(planned_stop.c.act_id).where(planned_stop.c.id.in_(numbers))
        later |= set(connection.scalars(acts))
    return Ending(stops, ends, frozenset(later))


def write(connection: Connection, act: int, stops: Iterable[int], ends: Iterable[int]) -> None:
    """Let stops end, and others be said again of the machines that they were of."""
    rows = [{"stop_id": number, "act_id": act} for number in stops]
    if rows:
        connection.execute(insert(planned_stop_end), rows)
    columns = planned_stop_machine.c
    for number in ends:
        of = connection.scalars(select(columns.machine_id).where(columns.stop_id == number)).all()
        write_stop(connection, act, stop_of(connection, number), of)
