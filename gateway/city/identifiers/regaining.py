"""What machines were given before: a database that was restored from a copy has forgotten it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, literal, select

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.outbox import enqueue
from gateway.city.identifiers.review import withdrawn
from gateway.city.ledger.machines import aliases, find
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.handle import Handle


def names_of(connection: Connection, machines: Sequence[int]) -> dict[int, list[MachineName]]:
    """Every name that each machine bears or bore."""
    found: dict[int, list[MachineName]] = {one: [] for one in machines}
    for row in aliases(connection, machines):
        found[row.machine_id].append(MachineName(row.uscc, row.site_no, row.asset_no))
    return found


def had(
    connection: Connection,
    issued: IssuedFile,
    machine: int,
    names: Sequence[MachineName],
    given: Mapping[str, object],
) -> Handle | None:
    """What a machine was given already, as far as no other machine has it.

    Args:
        connection: the city's database.
        issued: what was ever issued.
        machine: its id.
        names: every name that it bears or bore.
        given: keys of handles that are about to be another machine's.
    """
    issues = issued.issues_to(names)
    if len(issues) > 1:
        # Two machines may have borne a name in turn: the one that it meant on the day comes first.
        # Not that one only: a restored ledger can date a name later than its issue.
        issues.sort(key=lambda one: not _was_meant(connection, machine, *one))
    return next(iter(_free(connection, issues, given)), None)


def regain_withdrawn(
    connection: Connection, issued: IssuedFile, after: int, limit: int, now_ms: int
) -> tuple[int, int]:
    """Give withdrawn machines the identifiers back that they had, to be withdrawn at the node.

    Only what was issued while its name meant the machine: of a name that two bore in turn the
    other one may live.

    Args:
        connection: the city's database.
        issued: what was ever issued.
        after: machines up to this id were looked at.
        limit: machines that are looked at, at most.
        now_ms: UTC milliseconds.

    Returns:
        How many got one, and the id after which to go on; 0: there are no more.
    """
    machines = _withdrawn_without(connection, after, limit)
    names = names_of(connection, machines)
    given: dict[str, dict[str, Any]] = {}
    for machine in machines:
        issues = [
            one for one in issued.issues_to(names[machine]) if _was_meant(connection, machine, *one)
        ]
        for handle in _free(connection, issues, given)[:1]:
            given[handle.key] = issued_row(machine, handle, now_ms)
    if given:
        connection.execute(insert(identifier), list(given.values()))
        ids = [row["equipment_id"] for row in given.values()]
        enqueue(connection, ids, now_ms, "withdraw")
    return len(given), machines[-1] if len(machines) == limit else 0


def _withdrawn_without(connection: Connection, after: int, limit: int) -> Sequence[int]:
    query = (
        select(equipment.c.id)
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .where(identifier.c.equipment_id.is_(None), withdrawn(), equipment.c.id > after)
        .order_by(equipment.c.id)
    )
    return connection.scalars(query.limit(limit)).all()


def _was_meant(connection: Connection, machine: int, day: date, one: Issue) -> bool:
    """Whether the name of an issue meant a machine on that day."""
    return find(connection, [one.machine], day).get(one.machine) == machine


def _free(
    connection: Connection, issues: Sequence[tuple[date, Issue]], given: Mapping[str, object]
) -> list[Handle]:
    """Handles of issues that no machine has."""
    handles = [one.handle for _, one in issues]
    return [one for one in handles if one.key not in given and not is_taken(connection, one)]


def is_taken(connection: Connection, handle: Handle) -> bool:
    """Whether a machine of the database has a handle."""
    taken = select(literal(1)).where(identifier.c.handle_key == handle.key)
    return connection.execute(taken).first() is not None


def issued_row(machine: int, handle: Handle, now_ms: int) -> dict[str, Any]:
    """A row of ``identifier``."""
    return {
        "equipment_id": machine,
        "handle": str(handle),
        "handle_key": handle.key,
        "issued_ms": now_ms,
    }
