"""Values that a running city writes of an enterprise that is erased already.

Nothing of it is committed any more, but a store is written before the database: what a process had
in its hands when the erasure began, it writes, and finds out then. If it was killed between the two
nobody finds out, so the housekeeping looks, too.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection, select

from gateway.city.access.audit import Action, note
from gateway.city.db.schema.access import erasure
from gateway.city.db.tables import gateway
from gateway.city.stores.api import Store, StoreUnavailableError
from gateway.relational.database import Database

log = logging.getLogger(__name__)
_WHO = "city"


async def erase_late(database: Database, store: Store, now_ms: int) -> None:
    """Delete what the store holds of erased enterprises, and write down that it did.

    Not of an enterprise that has gateways again: its newer values are rightly there.

    Args:
        database: the city's.
        store: opened.
        now_ms: UTC milliseconds.

    Raises:
        StoreError: it does not answer, or still holds them; do it again.
    """
    for uscc in await database.read(_silenced):
        held = sum((await store.held(uscc)).values())
        if not held:
            continue
        await store.erase(uscc)
        if await store.held(uscc):
            raise StoreUnavailableError(
                f"values of {uscc}, which was erased, are still found in the store after their "
                "deletion"
            )
        log.warning("%d values of %s came into the store after it was erased: gone", held, uscc)
        await database.run(note, now_ms, _WHO, Action.ERASED_LATE, uscc, f"values {held}")


def _silenced(connection: Connection) -> Sequence[str]:
    heard = select(gateway.c.uscc).where(gateway.c.revoked_ms.is_(None))
    query = select(erasure.c.uscc).where(erasure.c.uscc.not_in(heard)).distinct()
    return connection.scalars(query.order_by(erasure.c.uscc)).all()
