"""A row of the ledger turns out to be a mistake: there never was such a machine."""

from sqlalchemy import Connection

from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.changes import note_change
from gateway.city.ledger.history import histories, withdrawal, write_statuses
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import holders, said
from gateway.core.days import day_of
from gateway.relational.database import alone


class WithdrawalError(Exception):
    """A row cannot be withdrawn; the message says why."""


def withdraw_machine(connection: Connection, name: MachineName, now_ms: int) -> bool:
    """Withdraw one machine: no rate counts it on any day, and it gets no identifier.

    One that it has stays, and says at the node that it was entered by mistake: an identifier is
    never given to another machine. Months that are frozen stay as they were published.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        name: of the machine, as the ledger has it now.
        now_ms: UTC milliseconds.

    Returns:
        Whether the machine has an identifier already, which is told at the node.

    Raises:
        WithdrawalError: there is no such machine.
    """
    alone(connection, "ledger")
    ids = holders(connection, [name], day_of(now_ms))
    if name not in ids:
        raise WithdrawalError(f"{said(name)} is no machine of the ledger")
    history = histories(connection, [ids[name]]).get(ids[name], {})
    write_statuses(connection, [withdrawal(ids[name], history)])
    note_change(connection)
    return queue_updates(connection, [ids[name]], now_ms) > 0
