"""The city's own ledger, asked before all others: nobody else needs to be up."""

import time

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.identifiers.contents import texts_of
from gateway.city.identifiers.review import withdrawn
from gateway.city.ledger.history import statuses_on
from gateway.core.days import day_of
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.resolving.answer import Answer, Hop, Item, Outcome
from gateway.identifier.template import TYPES, equipment_values
from gateway.relational.database import Database, words


class OwnLedger:
    """Machines whose identifier a node has confirmed: before, it may still become another one.

    One that was withdrawn is nobody's, whatever was kept of it.

    Args:
        database: the city's.
        prefix: of all its identifiers, as 88.999.
    """

    name = "own ledger"

    def __init__(self, database: Database, prefix: str) -> None:
        self._database = database
        self._prefix = f"{prefix}."

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Handle) and f"{code.prefix}.".startswith(self._prefix)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``; what the ledger does not know, a node may."""
        began_s = time.monotonic()
        items: tuple[Item, ...] = ()
        try:
            now_ms = time.time_ns() // 10**6
            outcome, items = await self._database.read(_known, str(code).upper(), now_ms)
            why = _WHY.get(outcome, "")
        except SQLAlchemyError as error:
            outcome, why = Outcome.UNREACHABLE, words(error)
        hop = Hop(self.name, "", str(code), why or outcome, time.monotonic() - began_s)
        is_own = outcome in (Outcome.FOUND, Outcome.NOT_FOUND)
        return Answer(str(code), outcome, items, self.name, why, hops=(hop,), is_own=is_own)

    async def close(self) -> None:
        """The database is its opener's."""


_WHY = {
    Outcome.NOT_FOUND: "its machine was entered by mistake, and the identifier withdrawn",
    Outcome.NOT_RESPONSIBLE: "no machine of the ledger has it, confirmed by a node",
}


def _known(connection: Connection, key: str, now_ms: int) -> tuple[Outcome, tuple[Item, ...]]:
    """What a node holds of the machine with an identifier, as the ledger has it now."""
    row = connection.execute(
        select(equipment, withdrawn().label("is_withdrawn"))
        .join(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(identifier.c.handle_key == key, identifier.c.registered_ms.is_not(None))
    ).one_or_none()
    if row is None:
        return Outcome.NOT_RESPONSIBLE, ()
    if row.is_withdrawn:
        return Outcome.NOT_FOUND, ()
    status = statuses_on(connection, [row.id], day_of(now_ms)).get(row.id, "")
    values = equipment_values(texts_of(row, status))
    items = tuple(Item(TYPES[index], text, index) for index, text in values.items())
    return Outcome.FOUND, items
