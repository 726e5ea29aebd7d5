"""Machines of the small town that are on their way to an identifier."""

from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db.schema.identifiers import identifier, identifier_outbox, identifier_pause
from gateway.identifier.registering.registry import Outcome
from tests.console.town import NOW_MS

WAITING, PENDING, UNKNOWN, REFUSED = (3,), 1005, 1006, 1007
"""Keys of machines; those that wait are the last ones of every enterprise, and machine 3."""
REASON = "POST /identityv2/data/batchCreate: 前缀未授权 (status -2)"


def fill(connection: Connection) -> None:
    """One machine at each point; the others have what the town gave them, and are done."""
    ids = connection.scalars(select(identifier.c.equipment_id)).all()
    entry = {"operation": "register", "state": "done", "attempts": 1, "next_attempt_ms": NOW_MS}
    connection.execute(insert(identifier_outbox), [entry | {"equipment_id": one} for one in ids])
    own, box = identifier.c.equipment_id, identifier_outbox.c.equipment_id
    for table, column in ((identifier_outbox, box), (identifier, own)):
        connection.execute(delete(table).where(column.in_(WAITING)))
    later = {"attempts": 4, "next_attempt_ms": NOW_MS + 3_600_000}
    states = {PENDING: ("pending", "连接失败"), UNKNOWN: ("unknown", "")}
    states[REFUSED] = ("refused", REASON)
    for machine, (state, error) in states.items():
        times = {"registered_ms": None, "resolved_ms": None}
        connection.execute(update(identifier).where(own == machine).values(times))
        values = later | {"state": state, "last_error": error}
        connection.execute(update(identifier_outbox).where(box == machine).values(values))
    pause = {"prefix": "", "outcome": Outcome.QUOTA.value, "reason": "配额已满", "failures": 1}
    times = {"since_ms": NOW_MS, "until_ms": NOW_MS + 3_600_000}
    connection.execute(insert(identifier_pause).values(pause | times))
