"""A row of the ledger turns out to be a mistake: there never was such a machine."""

from sqlalchemy import Connection

from gateway.city.db.schema.identifiers import machine_withdrawal
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.history import histories, withdrawal, write_statuses
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import holders, said
from gateway.core.days import day_of
from gateway.identifier.template import WITHDRAWAL_REASON
from gateway.relational.database import alone
from gateway.relational.upsert import insert_for

MAX_REASON = WITHDRAWAL_REASON.maximum


class WithdrawalError(Exception):
    """A row cannot be withdrawn; the message says why."""


def withdraw_machine(
    connection: Connection, name: MachineName, reason: str, now_ms: int, made_by: str = ""
) -> bool:
    """Withdraw one machine: no rate counts it on any day, and it gets no identifier.

    One that it has is withdrawn at the node, with the reason, and is never given to another
    machine. Months that are frozen stay as they were published.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        name: of the machine, as the ledger has it now.
        reason: in words, 1 to 255 characters.
        now_ms: UTC milliseconds.
        made_by: who says so.

    Returns:
        Whether the machine has an identifier already.

    Raises:
        WithdrawalError: there is no such machine, or no reason.
    """
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MAX_REASON:
        raise WithdrawalError(
            f"say why {said(name)} is withdrawn, in at most {MAX_REASON} characters: the reason "
            "is kept in the ledger and at the node"
        )
    alone(connection, "ledger")
    ids = holders(connection, [name], day_of(now_ms))
    if name not in ids:
        raise WithdrawalError(f"{said(name)} is no machine of the ledger")
    history = histories(connection, [ids[name]]).get(ids[name], {})
    doing = Doing(Kind.WITHDRAWAL, made_by, reason, now_ms)
    act = begin(connection, doing)
    write_statuses(connection, [withdrawal(ids[name], history)], act)
    _keep_reason(connection, ids[name], reason, now_ms)
    conclude(connection, act, doing)
    return queue_updates(connection, [ids[name]], now_ms) > 0


def _keep_reason(connection: Connection, machine: int, reason: str, now_ms: int) -> None:
    said_now = {"reason": reason, "withdrawn_ms": now_ms}
    kept = insert_for(connection, machine_withdrawal).values(equipment_id=machine, **said_now)
    # Withdrawn once before, and back meanwhile.
    connection.execute(kept.on_conflict_do_update(index_elements=["equipment_id"], set_=said_now))
