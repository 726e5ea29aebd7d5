"""What was said of one machine or enterprise: from which day, known since when, by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from gateway.city.db.schema.ledger_history import (
    enterprise_history,
    ledger_act,
    machine_history,
    roster_history,
    status_history,
    verification_history,
)
from gateway.city.ledger.bitemporal.acts import Kind


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing that was said.

    Attributes:
        known_ms: since when it is known, UTC milliseconds.
        kind: of the act that said so.
        made_by: who; empty: it is not known.
        source: files, or a reason.
        valid_from: first day of it.
        values: what is so; all None: what was said of that day was taken back.
    """

    known_ms: int
    kind: str
    made_by: str
    source: str
    valid_from: date
    values: Mapping[str, Any]


def said_of_machine(connection: Connection, machine: int) -> list[Saying]:
    """What was said of a machine, in the order in which it became known."""
    tables = (machine_history, status_history)
    return _sayings(connection, {one: one.c.machine_id == machine for one in tables})


def said_of_enterprise(connection: Connection, uscc: str) -> list[Saying]:
    """What was said of an enterprise, in the order in which it became known."""
    tables = (enterprise_history, roster_history, verification_history)
    return _sayings(connection, {one: one.c.uscc == uscc for one in tables})


def corrections_of(connection: Connection, said: str) -> list[tuple[int, str]]:
    """When (UTC ms) and by whom a row was corrected on the page, by the name that it had there.

    Those of its name or workshop too, of which no history is kept.
    """
    columns = ledger_act.c
    query = select(columns.known_ms, columns.made_by).where(
        columns.change_id.is_not(None), columns.kind == Kind.CORRECTION, columns.source == said
    )
    return [(known_ms, made_by) for known_ms, made_by in connection.execute(query)]


def _sayings(connection: Connection, tables: Mapping[Table, ColumnElement[bool]]) -> list[Saying]:
    found = [
        (row["change_id"], _saying(row, table))
        for table, own in tables.items()
        for row in connection.execute(
            select(table, ledger_act)
            .join(ledger_act, ledger_act.c.id == table.c.act_id)
            .where(own, ledger_act.c.change_id.is_not(None))
        ).mappings()
    ]
    found.sort(key=lambda one: (one[0], one[1].valid_from))
    return [saying for _, saying in found]


_WHOSE = frozenset({"machine_id", "uscc", "act_id", "valid_from", "verified_on"})


def _saying(row: Mapping[Any, Any], table: Table) -> Saying:
    day = "verified_on" if "verified_on" in table.c else "valid_from"
    values = {one.name: row[one.name] for one in table.c if one.name not in _WHOSE}
    return Saying(
        known_ms=row["known_ms"],
        kind=row["kind"],
        made_by=row["made_by"],
        source=row["source"],
        valid_from=row[day],
        values=values,
    )
