"""Issue identifiers to machines of the ledger from a durable counter, and count them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, literal, select, update

from edge_config.models.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier, identifier_counter, identifier_outbox
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.outbox import enqueue
from gateway.core.days import day_of
from gateway.identifier.codes import Handle


@dataclass(frozen=True, slots=True)
class IdentifierCounts:
    """How far the machines of the ledger are.

    Attributes:
        equipment: machines of the ledger.
        assigned: identifiers issued.
        registered: confirmed by the node.
        resolved: read back equal.
        refused: entries that a person must look at.
        without_code: machines whose enterprise has no identifier code, so none can be issued.
    """

    equipment: int
    assigned: int
    registered: int
    resolved: int
    refused: int
    without_code: int


def identifier_counts(connection: Connection, resolved_since_ms: int = 0) -> IdentifierCounts:
    """Count identifiers.

    Args:
        connection: the city's database.
        resolved_since_ms: count as resolved what was read back at or after this time.
    """
    row = connection.execute(
        select(
            func.count(),
            func.count(identifier.c.registered_ms),
            func.count().filter(identifier.c.resolved_ms >= resolved_since_ms),
        ).select_from(identifier)
    ).one()
    refused = identifier_outbox.c.state == "refused"
    bare = equipment.join(enterprise).outerjoin(identifier)
    no_code = enterprise.c.identifier_code.is_(None) & identifier.c.equipment_id.is_(None)
    return IdentifierCounts(
        _count(connection, equipment),
        *row,
        _count(connection, identifier_outbox, refused),
        _count(connection, bare, no_code),
    )


def _count(connection: Connection, source: Any, *conditions: Any) -> int:
    query = select(func.count()).select_from(source).where(*conditions)
    return int(connection.scalar(query) or 0)


def issue(
    connection: Connection, prefix: str, pattern: SuffixPattern, now_ms: int, limit: int
) -> int:
    """Give identifiers to machines that have none, and list them for registration.

    One transaction: counter, identifiers and list stand or fall together. A number is never used
    twice; the unique index on the upper-case handle holds that no two differ in case only.

    Args:
        connection: the city's database.
        prefix: country and industry node, as ``88.999``.
        pattern: of the suffix.
        now_ms: UTC milliseconds.
        limit: machines at most.

    Returns:
        How many were issued.
    """
    rows = connection.execute(_without_identifier().limit(limit)).all()
    # Two workers that read the same number collide on the unique handle; the second tries again.
    held = {row.prefix: row.next for row in connection.execute(select(identifier_counter))}
    counters = dict(held)
    issued: list[dict[str, Any]] = []
    for row in rows:
        place = f"{prefix}.{row.identifier_code}"
        handle, counters[place] = _next_free(
            connection, place, pattern, _tokens(row, now_ms), counters.get(place, 1)
        )
        issued.append(_issued(row.id, handle, now_ms))
    if issued:
        connection.execute(insert(identifier), issued)
        enqueue(connection, [one["equipment_id"] for one in issued], now_ms)
        _keep_counters(connection, held, counters)
    return len(issued)


def _without_identifier() -> Any:
    return (
        select(equipment, enterprise.c.county, enterprise.c.identifier_code)
        .join(enterprise)
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(identifier.c.equipment_id.is_(None), enterprise.c.identifier_code.is_not(None))
        .order_by(equipment.c.id)
    )


def _tokens(row: Row[Any], now_ms: int) -> dict[str, str]:
    return {
        "region": row.county,
        "class": row.category or row.equipment_class,
        "model": row.model,
        "line": row.line,
        "yyyymmdd": f"{day_of(now_ms):%Y%m%d}",
        "serial": row.serial_no,
    }


def _next_free(
    connection: Connection,
    prefix: str,
    pattern: SuffixPattern,
    texts: Mapping[str, str],
    number: int,
) -> tuple[Handle, int]:
    """The next handle that no machine has, and the number after it.

    A pattern that was changed can meet an older handle; its number is passed over.
    """
    while True:
        handle = Handle(prefix, pattern.build(texts, number))
        number += 1
        taken = select(literal(1)).where(identifier.c.handle_key == handle.key)
        if connection.execute(taken).first() is None:
            return handle, number


def _issued(machine: int, handle: Handle, now_ms: int) -> dict[str, Any]:
    return {
        "equipment_id": machine,
        "handle": str(handle),
        "handle_key": handle.key,
        "issued_ms": now_ms,
    }


def _keep_counters(
    connection: Connection, held: Mapping[str, int], counters: Mapping[str, int]
) -> None:
    begun = [{"prefix": one, "next": counters[one]} for one in counters if one not in held]
    moved = [{"own": one, "number": counters[one]} for one in held if counters[one] != held[one]]
    if begun:
        connection.execute(insert(identifier_counter), begun)
    if moved:
        query = update(identifier_counter).where(identifier_counter.c.prefix == bindparam("own"))
        connection.execute(query.values(next=bindparam("number")), moved)
