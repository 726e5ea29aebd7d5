"""Take an enterprise's machines out of the ledger's figures by an act, and withdraw identifiers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from gateway.city.db.schema.identifiers import identifier, machine_withdrawal
from gateway.city.db.schema.ledger_history import verification_history
from gateway.city.db.tables import equipment_rows, ledger_verification
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.history import histories, withdrawal, write_statuses
from gateway.city.ledger.withdrawal import MAX_REASON
from gateway.relational.upsert import insert_for


def identifiers_of(connection: Connection, uscc: str) -> Sequence[int]:
    """Machines of an enterprise that have an identifier."""
    own = select(equipment_rows.c.id).where(equipment_rows.c.uscc == uscc)
    query = select(identifier.c.equipment_id).where(identifier.c.equipment_id.in_(own))
    return connection.scalars(query).all()


def withdraw_all(connection: Connection, begun: Row[Any], now_ms: int) -> None:
    """Withdraw every machine, and take back that the ledger was verified.

    The enterprise is one of which nothing is known then: figures to come tell it as missing, and
    count none of its machines as not networked.

    Args:
        connection: in a transaction that has the ledger alone.
        begun: the erasure.
        now_ms: UTC milliseconds.
    """
    own = select(equipment_rows.c.id).where(equipment_rows.c.uscc == begun.uscc)
    machines = connection.scalars(own.order_by(equipment_rows.c.id)).all()
    doing = Doing(Kind.ERASURE, begun.made_by, f"{begun.uscc}: {begun.reason}", now_ms)
    act = begin(connection, doing)
    known = histories(connection, machines)
    changes = [withdrawal(one, known.get(one, {})) for one in machines]
    write_statuses(connection, changes, act)
    _take_back_verification(connection, begun.uscc, act)
    reason = f"数据擦除：{begun.reason}"[:MAX_REASON]
    rows = [{"equipment_id": one, "reason": reason, "withdrawn_ms": now_ms} for one in machines]
    if rows:
        kept = insert_for(connection, machine_withdrawal)
        said = {"reason": kept.excluded.reason, "withdrawn_ms": kept.excluded.withdrawn_ms}
        connection.execute(
            kept.on_conflict_do_update(index_elements=["equipment_id"], set_=said), rows
        )
    conclude(connection, act, doing)
    queue_updates(connection, machines, now_ms)


def _take_back_verification(connection: Connection, uscc: str, act: int) -> None:
    columns = ledger_verification.c
    days = connection.scalars(select(columns.verified_on).where(columns.uscc == uscc)).all()
    rows = [{"uscc": uscc, "verified_on": day, "act_id": act, "verified_by": None} for day in days]
    if rows:
        connection.execute(insert(verification_history), rows)
