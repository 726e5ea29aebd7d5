"""Write what the ledger dates of enterprises: verifications, memberships of rosters."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, delete, insert, update

from gateway.city.db.schema.ledger_history import roster_history, verification_history
from gateway.city.db.tables import ledger_verification, roster_member
from gateway.city.ledger.check import Rosters
from gateway.city.ledger.rosters import restated
from gateway.city.ledger.sheet.parsing import Record


def write_verifications(
    connection: Connection,
    records: Iterable[Record],
    held: AbstractSet[tuple[str, date]],
    act: int,
) -> None:
    """Keep every verification of a ledger, so that a renewal does not undo an old month.

    An empty cell takes all of them back.

    Args:
        connection: in a transaction.
        records: rows of enterprises.
        held: USCC and day of those that are kept already.
        act: which says so.
    """
    added, gone = list[dict[str, Any]](), list[dict[str, Any]]()
    for record in records:
        uscc = str(record.values["uscc"])
        day = cast(date | None, record.values.get("ledger_verified_on"))
        by = record.values.get("ledger_verified_by")
        if day is None and "ledger_verified_on" in record.values:
            gone += [{"uscc": uscc, "verified_on": one} for of, one in held if of == uscc]
        elif day is not None and (uscc, day) not in held:
            added.append({"uscc": uscc, "verified_on": day, "verified_by": by})
    for one in gone:
        own = (ledger_verification.c[name] == value for name, value in one.items())
        connection.execute(delete(ledger_verification).where(*own))
    if added:
        connection.execute(insert(ledger_verification), added)
    said = [*added, *(one | {"verified_by": None} for one in gone)]
    if said:
        connection.execute(insert(verification_history), [one | {"act_id": act} for one in said])


def write_rosters(
    connection: Connection, records: Iterable[Record], held: Rosters, act: int
) -> int:
    """Begin, correct or end memberships; returns how many. The rows have been checked."""
    return sum(
        _write_membership(connection, record, roster, held, act)
        for record in records
        for roster in cast(tuple[str, ...], record.values.get("roster") or ())
    )


def _write_membership(
    connection: Connection, record: Record, roster: str, held: Rosters, act: int
) -> bool:
    values, member = record.values, roster_member.c
    uscc = str(values["uscc"])
    old, new = restated(
        held.get((roster, uscc), ()),
        cast(date | None, values.get("roster_from")),
        cast(date | None, values.get("roster_to")),
        cast(str | None, values.get("roster_approved_by")),
        roster,
    )
    if old == new:
        return False
    row = {"valid_from": new.start, "valid_to": new.end, "approved_by": new.approved_by}
    said = {"roster": roster, "uscc": uscc}
    kept = [row | said | {"act_id": act}]
    if old is None:
        connection.execute(insert(roster_member), [row | said])
    else:
        own = (member.roster == roster, member.uscc == uscc, member.valid_from == old.start)
        connection.execute(update(roster_member).where(*own).values(row))
        if old.start != new.start:
            kept.append(dict.fromkeys(row) | {"valid_from": old.start} | said | {"act_id": act})
    connection.execute(insert(roster_history), kept)
    return True
