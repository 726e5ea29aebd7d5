"""What is held of the attributes of machines and enterprises, and what a row of them adds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from sqlalchemy import Connection, Table, insert, select

from gateway.city.db.schema.ledger_history import (
    enterprise_history,
    ledger_act,
    machine_history,
)
from gateway.city.ledger.bitemporal.steps import Steps, at, restated
from gateway.city.ledger.machines import SINCE_EVER
from gateway.relational.database import chunks


@dataclass(frozen=True, slots=True)
class Subject:
    """Of whom attributes are kept.

    Attributes:
        history: its table.
        key: column of that table that names one.
        attributes: what decides a figure, beside what is dated by itself.
    """

    history: Table
    key: str
    attributes: tuple[str, ...]

    @classmethod
    def of(cls, history: Table, key: str) -> Self:
        """Of all columns of a table that are neither whose, nor when."""
        own = {key, "valid_from", "act_id"}
        return cls(history, key, tuple(one.name for one in history.c if one.name not in own))


MACHINE = Subject.of(machine_history, "machine_id")
ENTERPRISE = Subject.of(enterprise_history, "uscc")

_TIMELESS = frozenset({"commissioned_on"})
"""What says itself since when it holds: a correction of it is one for all days."""
_DEFAULTS: Mapping[str, Any] = {
    "controller": "",
    "commissioned_on": None,
    "functional_area": "",
    "employees": None,
    "revenue_wan": None,
}


def is_other(subject: Subject, held: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether a row says another thing of an attribute than the row that is held."""
    return any(name in row and row[name] != held[name] for name in subject.attributes)


def first_steps(subject: Subject, row: Mapping[str, Any]) -> dict[date, Mapping[str, Any]]:
    """What is held of one whose first row this is: since ever."""
    whole = {**_DEFAULTS, **row}
    return {SINCE_EVER: {name: whole[name] for name in subject.attributes}}


def new_steps(
    subject: Subject, old: Mapping[str, Any], row: Mapping[str, Any], steps: Steps, start: date
) -> dict[date, Mapping[str, Any]]:
    """What a row says anew of one that the ledger has.

    Args:
        subject: what it is about.
        old: the row that is held.
        row: the new one; attributes that it lacks stay.
        steps: as they are held; empty: ``old`` has been so since ever.
        start: first day of what the row says.
    """
    base = steps or first_steps(subject, old)
    said = {name: row[name] for name in subject.attributes if name in row}
    found = restated(base, start, {n: v for n, v in said.items() if n not in _TIMELESS})
    timeless = {n: v for n, v in said.items() if n in _TIMELESS}
    found |= restated({**base, **found}, SINCE_EVER, timeless)
    return found if steps or not found else {**base, **found}


@dataclass(frozen=True, slots=True)
class Said:
    """What a row of a sheet says of one machine or enterprise.

    Attributes:
        row: its columns as they are to stand in the current row.
        steps: what is said anew, by first day.
        since: first day of which another thing is held now; None: of no day, or it is new.
        overruled: attributes that are otherwise from a later day on, so that the row does not
            hold today.
        redated: attributes that are so today already, and by the row from an earlier day on.
    """

    row: Mapping[str, Any]
    steps: Steps
    since: date | None = None
    overruled: tuple[str, ...] = ()
    redated: tuple[str, ...] = ()


def said_by(
    subject: Subject,
    old: Mapping[str, Any] | None,
    row: Mapping[str, Any],
    steps: Steps,
    start: date,
    today: date,
) -> Said:
    """What a row says from a day on of one that the ledger has, or gets.

    Args:
        subject: what it is about.
        old: the row that is held; None: none.
        row: the new one; attributes that it lacks stay.
        steps: as they are held; empty: ``old`` has been so since ever.
        start: first day of what the row says.
        today: of the current row.
    """
    if old is None:
        return Said(row, first_steps(subject, row))
    if not steps and not is_other(subject, old, row):
        return Said(row, {})  # as nearly every row of a ledger that is imported again
    base = steps or first_steps(subject, old)
    new = new_steps(subject, old, row, steps, start)
    now = at({**base, **new}, today) or {}
    current = {name: now.get(name, value) for name, value in row.items()}
    other = [day for day, values in new.items() if at(base, day) != values]
    overruled = tuple(name for name, value in row.items() if current[name] != value)
    then = at(base, start) or {}
    redated = tuple(
        name
        for name, value in row.items()
        if name not in _TIMELESS and name in then and old[name] == value != then[name]
    )
    return Said(current, new, min(other, default=None), overruled, redated)


def write_steps(
    connection: Connection, subject: Subject, act: int, said: Mapping[Any, Steps]
) -> None:
    """Write what an act says, by subject; each is said once by an act."""
    rows = [
        {subject.key: one, "valid_from": start, "act_id": act, **values}
        for one, steps in said.items()
        for start, values in steps.items()
    ]
    if rows:
        connection.execute(insert(subject.history), rows)


def held_steps(
    connection: Connection, subject: Subject, wanted: Iterable[Any], known: int | None = None
) -> dict[Any, Steps]:
    """What is known of some machines or enterprises; those without history are left out.

    Args:
        connection: the city's database.
        subject: what they are.
        wanted: which.
        known: by which change of the ledger; None: now.
    """
    table, key = subject.history, subject.history.c[subject.key]
    counted = ledger_act.c.change_id.is_not(None)
    query = (
        select(table)
        .join(ledger_act, ledger_act.c.id == table.c.act_id)
        .where(counted if known is None else ledger_act.c.change_id <= known)
        .order_by(ledger_act.c.change_id)
    )
    found: dict[Any, dict[date, Mapping[str, Any]]] = defaultdict(dict)
    for part in chunks(wanted):
        for row in connection.execute(query.where(key.in_(part))).mappings():
            values = {name: row[name] for name in subject.attributes}
            found[row[subject.key]][row["valid_from"]] = values  # the later act holds
    return dict(found)
