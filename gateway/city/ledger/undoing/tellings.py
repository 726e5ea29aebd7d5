"""What was held of those of whom an act said something: before it, by it, and now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, select

from gateway.city.db.schema.ledger_history import (
    enterprise_history,
    ledger_act,
    machine_history,
    roster_history,
    status_history,
    verification_history,
)
from gateway.city.ledger.undoing.acts import Act
from gateway.relational.database import chunks

Values = Mapping[str, Any]
Days = dict[date, Values]
"""What is held from each day on, or of each day; what was taken back is not there."""


@dataclass(slots=True)
class Telling:
    """What was held of one machine, enterprise or membership.

    Attributes:
        before: as known just before the act.
        after: as known by it.
        now: as known now.
        later: numbers of later acts that said something of it.
    """

    before: Days = field(default_factory=dict)
    after: Days = field(default_factory=dict)
    now: Days = field(default_factory=dict)
    later: list[int] = field(default_factory=list)

    def add(self, day: date, values: Values | None, place: int, act: int) -> None:
        """Take in what was said: before the act (-1), by it (0), or later (1)."""
        known = (self.before, self.after, self.now)[max(place, -1) + 1 :]
        for one in known:
            if values is None:
                one.pop(day, None)
            else:
                one[day] = values
        if place > 0:
            self.later.append(act)


@dataclass(frozen=True, slots=True)
class Kept:
    """A table of what was said.

    Attributes:
        table: of it.
        key: columns that name of whom; the last is asked for.
        day: column of the day.
        mark: column that is null where what was said is taken back; empty: nothing ever is.
    """

    table: Table
    key: tuple[str, ...]
    day: str = "valid_from"
    mark: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """Columns of what is said."""
        own = {*self.key, self.day, "act_id"}
        return tuple(one.name for one in self.table.c if one.name not in own)


MACHINES = Kept(machine_history, ("machine_id",))
STATUSES = Kept(status_history, ("machine_id",), mark="status")
ENTERPRISES = Kept(enterprise_history, ("uscc",))
ROSTERS = Kept(roster_history, ("roster", "uscc"), mark="approved_by")
VERIFICATIONS = Kept(verification_history, ("uscc",), "verified_on", "verified_by")

Key = tuple[Any, ...]


def tellings(connection: Connection, kept: Kept, act: Act) -> dict[Key, Telling]:
    """What was held of all of whom an act said something in one table."""
    columns = [kept.table.c[name] for name in kept.key]
    own = select(*columns).where(kept.table.c.act_id == act.number).distinct()
    keys: set[Key] = {tuple(row) for row in connection.execute(own)}
    found: dict[Key, Telling] = defaultdict(Telling)
    for row in _rows(connection, kept, {key[-1] for key in keys}):
        key = tuple(row[name] for name in kept.key)
        if key not in keys:
            continue
        gone = bool(kept.mark) and row[kept.mark] is None
        values = None if gone else {name: row[name] for name in kept.values}
        place = (row["change_id"] > act.change) - (row["change_id"] < act.change)
        found[key].add(row[kept.day], values, place, row["id"])
    return dict(found)


def _rows(connection: Connection, kept: Kept, wanted: Iterable[Any]) -> Iterable[Mapping[Any, Any]]:
    """All that was said of some, in the order in which it became known."""
    query = (
        select(kept.table, ledger_act.c.change_id, ledger_act.c.id)
        .join(ledger_act, ledger_act.c.id == kept.table.c.act_id)
        .where(ledger_act.c.change_id.is_not(None))
        .order_by(ledger_act.c.change_id)
    )
    column = kept.table.c[kept.key[-1]]
    for part in chunks(wanted):
        yield from connection.execute(query.where(column.in_(part))).mappings()
