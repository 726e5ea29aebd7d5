"""That the ledger changed: commands change it, and another process waits for it."""

from sqlalchemy import Connection, func, insert, select

from gateway.city.db.tables import ledger_change


def note_change(connection: Connection) -> int:
    """Count a change, in the transaction that makes it and that has the ledger alone.

    Alone, because numbers that are committed in another order than they were given would hide
    one from :func:`latest_change`.

    Returns:
        Its number; numbers grow in the order in which changes became known.
    """
    row = insert(ledger_change).values().returning(ledger_change.c.id)
    return int(connection.execute(row).scalar_one())


def latest_change(connection: Connection) -> int:
    """Number of the newest change, 0 before the first; costs the look at one key."""
    return connection.scalar(select(func.max(ledger_change.c.id))) or 0
