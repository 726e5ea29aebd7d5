"""Planned stops that stand, as they were known by a change of the ledger."""

from dataclasses import fields

from sqlalchemy import Connection, RowMapping, select

from gateway.city.db.schema.stops import planned_stop, planned_stop_end, planned_stop_machine
from gateway.city.ledger.papers.standing import Kept, Standing
from gateway.city.ledger.stops.table import Stop

_NAMES = tuple(one.name for one in fields(Stop))


def stop_of(connection: Connection, number: int) -> Stop:
    """What a stop said, whether it stands or not.

    Raises:
        NoResultFound: there is none of this number.
    """
    query = select(planned_stop).where(planned_stop.c.id == number)
    return _stop(connection.execute(query).mappings().one())


def stops_of(connection: Connection, machine: int) -> list[Standing[Stop]]:
    """The stops of one machine that stand."""
    columns = planned_stop_machine.c
    own = set(connection.scalars(select(columns.stop_id).where(columns.machine_id == machine)))
    return [one for one in standing(connection) if one.number in own] if own else []


def _stop(row: RowMapping) -> Stop:
    return Stop(**{name: row[name] for name in _NAMES})


STOPPED = Kept(planned_stop, _stop, planned_stop_end.c.stop_id)
"""Planned stops."""

standing = STOPPED.standing
"""The stops that stand, in the order in which they became known."""
