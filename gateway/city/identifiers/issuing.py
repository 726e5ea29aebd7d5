"""Issue identifiers to machines of the ledger from a durable counter, and count them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier, identifier_counter, identifier_outbox
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.outbox import enqueue
from gateway.city.identifiers.regaining import had, is_taken, issued_row, names_of
from gateway.city.identifiers.review import has_none, reviewed, unidentified, withdrawn
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from gateway.identifier.codes.handle import Handle


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
    owned = equipment.join(enterprise, enterprise.c.uscc == equipment.c.uscc)
    bare = owned.outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
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


@dataclass(frozen=True, slots=True)
class Issuing:
    """By which rules identifiers are issued.

    Attributes:
        prefix: country and industry node, as ``88.999``.
        pattern: of the suffix.
        review_ms: how long a machine waits for its review.
        issued: what was ever issued, whatever became of the database.
    """

    prefix: str
    pattern: SuffixPattern
    review_ms: int
    issued: IssuedFile


def unasked(connection: Connection, rules: Issuing, now_ms: int) -> list[str]:
    """Codes of enterprises with machines due, of whose prefix the file has not what the node has.

    Machines that are withdrawn are due, too: the node may have an identifier of theirs.

    Args:
        connection: the city's database.
        rules: by which identifiers are issued.
        now_ms: UTC milliseconds.
    """
    codes = connection.scalars(
        select(enterprise.c.identifier_code)
        .where(enterprise.c.identifier_code.is_not(None))
        .order_by(enterprise.c.identifier_code)
        .distinct()
    ).all()
    due = has_none().where(or_(withdrawn(), reviewed(rules.review_ms, now_ms))).limit(1)
    return [
        code
        for code in codes
        if not rules.issued.was_asked(f"{rules.prefix}.{code}")
        and connection.execute(due.where(enterprise.c.identifier_code == code)).first()
    ]


def issue(
    connection: Connection,
    rules: Issuing,
    now_ms: int,
    limit: int,
    but: Collection[str] = (),
) -> int:
    """Give identifiers to machines that have none, and list them for registration.

    One transaction: counter, identifiers and list stand or fall together. A number is never used
    twice; the unique index on the upper-case handle holds that no two differ in case only. A
    machine that was given one before the database was restored gets that one.

    Args:
        connection: the city's database.
        rules: by which.
        now_ms: UTC milliseconds.
        limit: machines at most.
        but: codes of enterprises whose machines wait.

    Returns:
        How many were issued.
    """
    due = unidentified().where(reviewed(rules.review_ms, now_ms))
    if but:
        due = due.where(enterprise.c.identifier_code.not_in(but))
    rows = connection.execute(due.limit(limit)).all()
    # Two workers that read the same number collide on the unique handle; the second tries again.
    held = {row.prefix: row.next for row in connection.execute(select(identifier_counter))}
    counters = dict(held)
    names = names_of(connection, [row.id for row in rows])
    given: dict[str, Any] = {}
    for row in rows:
        handle = had(connection, rules.issued, row.id, names[row.id], given)
        handle = handle or _next_free(connection, rules, row, now_ms, counters)
        given[handle.key] = issued_row(row.id, handle, now_ms)
    _keep(connection, rules, rows, list(given.values()), now_ms)
    _keep_counters(connection, held, counters)
    return len(rows)


def _next_free(
    connection: Connection, rules: Issuing, row: Row[Any], now_ms: int, counters: dict[str, int]
) -> Handle:
    """The next handle that no machine has or had; the counter of its prefix goes on.

    A pattern that was changed can meet an older handle, and a counter that was restored one that
    was issued since; their numbers are passed over.
    """
    prefix = f"{rules.prefix}.{row.identifier_code}"
    tokens, number = tokens_of(row, now_ms), counters.get(prefix, 1)
    while True:
        handle = Handle(prefix, rules.pattern.build(tokens, number))
        number += 1
        if not rules.issued.holds(handle) and not is_taken(connection, handle):
            counters[prefix] = number
            return handle


def tokens_of(row: Row[Any], now_ms: int) -> dict[str, str]:
    """What patterns of suffixes can name of a machine, a row of ``unidentified``."""
    return {
        "region": row.county,
        "class": row.category or row.equipment_class,
        "model": row.model,
        "line": row.line,
        "yyyymmdd": f"{day_of(now_ms):%Y%m%d}",
        "serial": row.serial_no,
    }


def _keep(
    connection: Connection,
    rules: Issuing,
    rows: Sequence[Row[Any]],
    issued: list[dict[str, Any]],
    now_ms: int,
) -> None:
    if not issued:
        return
    connection.execute(insert(identifier), issued)
    enqueue(connection, [one["equipment_id"] for one in issued], now_ms)
    # Before the commit: what the database may have and the file has not could be issued twice.
    rules.issued.add(
        [
            Issue(Handle.parse(one["handle"]), MachineName(row.uscc, row.site_no, row.asset_no))
            for row, one in zip(rows, issued, strict=True)
        ],
        now_ms,
    )


def give_up(
    connection: Connection,
    issued: IssuedFile,
    taken: Mapping[int, Issue],
    now_ms: int,
) -> None:
    """Take identifiers back that the node holds for other machines; the next pass issues anew.

    A database that was restored from a copy, or whose counter was, issues what the node knows
    already. The machine that the node means gets it, unless it has another that is registered.

    Args:
        connection: the city's database.
        issued: what was ever issued.
        taken: by machine of ours, whose the node says that its identifier is.
        now_ms: UTC milliseconds.
    """
    owners = find(connection, [one.machine for one in taken.values()], day_of(now_ms))
    unregistered = select(identifier.c.equipment_id).where(
        identifier.c.equipment_id.in_({*taken, *owners.values()}),
        identifier.c.registered_ms.is_(None),
    )
    anew = list(connection.scalars(unregistered))
    issued.add(list(taken.values()), now_ms)
    for table in (identifier_outbox, identifier):
        connection.execute(delete(table).where(table.c.equipment_id.in_(anew)))


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
