"""A machine gets another number, or moves to another site: it stays what it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from edge_config.models.ledger_number import MAX_SITE_NO, held
from gateway.city.db.tables import equipment, equipment_rows, machine, machine_alias
from gateway.city.evidence.adoption import merge_evidence
from gateway.city.identifiers.outbox import queue_updates
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps, new_steps, write_steps
from gateway.city.ledger.check import formerly, name_of
from gateway.city.ledger.machines import SINCE_EVER, alias_row, find, find_or_name
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.sheet.parsing import Record
from gateway.core.days import day_of
from gateway.relational.database import alone, chunks


class RenamingError(Exception):
    """A machine cannot be renamed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """A machine of the ledger, and how it is called from a day on."""

    machine_id: int
    old: MachineName
    new: MachineName


def rename_machine(
    connection: Connection, old: MachineName, new: MachineName, now_ms: int, made_by: str = ""
) -> int:
    """Rename one machine of the ledger from today on; its evidence and identifier stay.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        old: what it is called now.
        new: what it is called from today on.
        now_ms: UTC milliseconds.
        made_by: who says so.

    Returns:
        The machine's id.

    Raises:
        RenamingError: there is no such machine, or the new number is taken or cannot be held.
    """
    alone(connection, "ledger")
    new = _held(new)
    ids = holders(connection, (old, new), day_of(now_ms))
    if old not in ids:
        raise RenamingError(f"{said(old)} is no machine of the ledger")
    if old.key != new.key and new in ids:
        raise RenamingError(f"{said(new)} is another machine of the ledger")
    one = Renaming(ids[old], old, new)
    doing = Doing(Kind.RENAMING, made_by, f"{said(old)}: {said(new)}", now_ms)
    act = begin(connection, doing)
    _keep_site(connection, one, day_of(now_ms), act)
    rename(connection, [one], now_ms)
    queue_updates(connection, [one.machine_id], now_ms)
    conclude(connection, act, doing)
    return one.machine_id


def _keep_site(connection: Connection, one: Renaming, today: date, act: int) -> None:
    """A machine that moves to another site stands there from today on."""
    query = select(equipment).where(equipment.c.id == one.machine_id)
    row = connection.execute(query).one()._asdict()
    held = held_steps(connection, MACHINE, [one.machine_id]).get(one.machine_id, {})
    moved = new_steps(MACHINE, row, {"site_no": one.new.site_no}, held, today)
    write_steps(connection, MACHINE, act, {one.machine_id: moved})


def _held(name: MachineName) -> MachineName:
    """A new name as the ledger holds it."""
    try:
        return MachineName(name.uscc, held(name.site_no, MAX_SITE_NO), held(name.asset_no))
    except ValueError as error:
        raise RenamingError(f"the number {error}") from None


def said(name: MachineName) -> str:
    """A name in a message."""
    return f"{name.asset_no} of {name.uscc}, site {name.site_no}"


def holders(
    connection: Connection, names: Sequence[MachineName], day: date
) -> dict[MachineName, int]:
    """The machines of the ledger that bear these names now; old names of theirs do not count."""
    found = find(connection, names, day)
    held = current_names(connection, found.values())
    return {name: number for name, number in found.items() if held.get(number) == name.key}


def current_names(connection: Connection, ids: Iterable[int]) -> dict[int, MachineName]:
    """Keys of the names of those machines that stand in the ledger."""
    columns = equipment.c
    query = select(columns.id, columns.uscc, columns.site_no, columns.asset_no)
    return {
        row.id: MachineName(row.uscc, row.site_no, row.asset_no).key
        for part in chunks(ids)
        for row in connection.execute(query.where(columns.id.in_(part)))
    }


def renamings(connection: Connection, records: Sequence[Record], day: date) -> list[Renaming]:
    """The machines that rows of an import give another number; those that have it are left out."""
    pairs = [(old, name_of(record)) for record in records if (old := formerly(record))]
    ids = holders(connection, [old for old, _ in pairs], day)
    return [Renaming(ids[old], old, new) for old, new in pairs if old in ids]


def rename(connection: Connection, changes: Sequence[Renaming], now_ms: int) -> frozenset[int]:
    """Give machines other names from today on, all at once: numbers may go round in a ring.

    The new names must be free, or be given up in the same list.

    Returns:
        The ids of the machines.
    """
    if changes:  # evidence that is written by what a name meant until now comes before
        alone(connection, "names")
    day, revision = day_of(now_ms), _next_revision(connection)
    # All old names end before a new one begins: in a ring the new name is another's old one.
    for one in changes:
        _end(connection, one.old, day, revision)
    for one in changes:
        _begin(connection, one, day, revision)
        site_no, asset_no = one.new.site_no, one.new.asset_no
        own = update(equipment_rows).where(equipment_rows.c.id == one.machine_id)
        connection.execute(own.values(site_no=site_no, asset_no=asset_no))
    return frozenset(one.machine_id for one in changes)


def machines_named(
    connection: Connection, names: Sequence[MachineName], now_ms: int
) -> dict[MachineName, int]:
    """The machines that rows of the ledger are about; new ones get an id.

    A number that its machine has given up means a new machine from today on.
    """
    day = day_of(now_ms)
    found = find(connection, names, day)
    held = current_names(connection, found.values())
    # A machine that is in no ledger holds what it was called when it first sent.
    given_up = [name for name, one in found.items() if held.get(one, name.key) != name.key]
    _give_again(connection, given_up, now_ms)
    return find_or_name(connection, names, day, now_ms)


def _next_revision(connection: Connection) -> int:
    """The number of the next change of what names mean, by which caches notice it."""
    return (connection.scalar(select(func.max(machine_alias.c.revision))) or 0) + 1


def _give_again(connection: Connection, names: Sequence[MachineName], now_ms: int) -> None:
    """Let numbers that other machines gave up be new machines' from today on."""
    if not names:
        return
    day, revision = day_of(now_ms), _next_revision(connection)
    rows = [{"named_ms": now_ms}] * len(names)
    ids = connection.scalars(insert(machine).returning(machine.c.id), rows).all()
    for name, number in zip(names, ids, strict=True):
        _put(connection, name, day, number, revision)


def _end(connection: Connection, name: MachineName, day: date, revision: int) -> None:
    connection.execute(
        update(machine_alias)
        .where(*_named(name), machine_alias.c.valid_to.is_(None))
        .values(valid_to=day, revision=revision)
    )


def _begin(connection: Connection, one: Renaming, day: date, revision: int) -> None:
    newest = _newest(connection, one.new)
    if newest is None:
        _put(connection, one.new, SINCE_EVER, one.machine_id, revision)
    elif newest.valid_to is None and newest.machine_id != one.machine_id:
        # it sent under its new number before the ledger knew: that was the same machine
        _take_over(connection, newest.machine_id, one.machine_id, revision)
    else:
        start = newest.valid_from if newest.machine_id == one.machine_id else day
        _put(connection, one.new, start, one.machine_id, revision)


def _newest(connection: Connection, name: MachineName) -> Row[Any] | None:
    query = select(machine_alias).where(*_named(name)).order_by(machine_alias.c.valid_from.desc())
    return connection.execute(query.limit(1)).first()


def _take_over(connection: Connection, stranger: int, own: int, revision: int) -> None:
    """What an unknown machine sent belongs to one of the ledger."""
    merge_evidence(connection, stranger, own)
    moved = update(machine_alias).where(machine_alias.c.machine_id == stranger)
    connection.execute(moved.values(machine_id=own, revision=revision))


def _put(
    connection: Connection, name: MachineName, start: date, number: int, revision: int
) -> None:
    """Write an alias; one that began on the same day gives way."""
    same = (*_named(name), machine_alias.c.valid_from == start)
    connection.execute(delete(machine_alias).where(*same))
    connection.execute(insert(machine_alias), [alias_row(name, start, number, revision)])


def _named(name: MachineName) -> tuple[Any, ...]:
    columns, key = machine_alias.c, name.key
    return (
        columns.uscc == key.uscc,
        columns.site_key == key.site_no,
        columns.asset_key == key.asset_no,
    )
