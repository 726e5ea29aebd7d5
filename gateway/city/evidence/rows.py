"""Rows of evidence: they are inserted, or widen what is there."""

from sqlalchemy import Connection, case, update

from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.tables import evidence
from gateway.relational.upsert import insert_for

MASKS = ("good_hours", "uncertain_hours", "replayed_hours")


def write_evidence(connection: Connection, rows: list[dict[str, object]]) -> None:
    """Insert, or widen what is there; the last writer names the gateway."""
    statement = insert_for(connection, evidence)
    new, old = statement.excluded, evidence.c
    hours = {name: old[name].bitwise_or(new[name]) for name in MASKS}
    times = {
        "first_ms": case((new.first_ms < old.first_ms, new.first_ms), else_=old.first_ms),
        "last_ms": case((new.last_ms > old.last_ms, new.last_ms), else_=old.last_ms),
    }
    changes = hours | times | {"gateway": new.gateway, "seeded": new.seeded}
    keys = list(evidence.primary_key)
    # several may write at once: in one order, or they would wait for each other for ever
    ordered = sorted(rows, key=lambda row: [row[key.name] for key in keys])
    if rows:
        upsert = statement.on_conflict_do_update(index_elements=keys, set_=changes)
        connection.execute(upsert, ordered)
        _touch(connection, {f"{row['day']:%Y-%m}" for row in rows})


def _touch(connection: Connection, months: set[str]) -> None:
    """Say that there is more of months of which rates are stored; of the running one none is."""
    columns = evidence_taking.c
    touched = update(evidence_taking).values(touches=columns.touches + 1)
    connection.execute(touched.where(columns.month.in_(sorted(months))))
