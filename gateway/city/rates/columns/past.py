"""The machines of the ledger as they were: what is younger is laid over the current columns."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import numpy as np
from sqlalchemy import Connection, select

from gateway.city.db.schema.ledger_history import ledger_act, machine_history
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps
from gateway.city.ledger.bitemporal.knowledge import others, said_since, statuses_said_since
from gateway.city.ledger.history import History
from gateway.city.rates.attendance import Numbers
from gateway.city.rates.columns.ledger import Ledger, Names, Said, said_in, said_of
from gateway.city.rates.columns.numbers import all_of, numbers_in, written
from gateway.relational.database import chunks


def as_known(connection: Connection, ledger: Ledger, known: int) -> Ledger:
    """The machines and dated statuses that were known by a change of the ledger."""
    newer = said_since(connection, machine_history, machine_history.c.machine_id, known)
    later = newer - held_steps(connection, MACHINE, newer, known).keys()
    keep = ~ledger.flags(later)
    entries = _entries(ledger, statuses_said_since(connection, known))
    return replace(
        ledger,
        ids=ledger.ids[keep],
        firms=ledger.firms[keep],
        entries=entries,
        **{name: getattr(ledger, name)[keep] for name in Said._fields},
    )


def _entries(ledger: Ledger, histories: Mapping[int, History]) -> tuple[Numbers, ...]:
    """The entries of the ledger, with those of some machines in place of theirs."""
    said = [
        (machine, day.toordinal(), status.dated, ledger.status_names.code(status.code))
        for machine, history in histories.items()
        for day, status in history.items()
    ]
    others_ = ~np.isin(ledger.entries[0], np.fromiter(histories, np.int64))
    theirs = np.array(said, np.int64).reshape(-1, len(ledger.entries)).T
    return tuple(
        np.concatenate([column[others_], own])
        for column, own in zip(ledger.entries, theirs, strict=True)
    )


def as_of(connection: Connection, ledger: Ledger, day: date, known: int | None) -> Ledger:
    """The ledger with the attributes that its machines had on a day.

    Args:
        connection: the city's database.
        ledger: the machines, as known.
        day: for whose end a figure is.
        known: by which change of the ledger; None: now.
    """
    changed = ledger.place_of(others(connection, MACHINE, day, known))
    if not changed:
        return ledger
    ids, said = _held(connection, changed, day, known, ledger.class_names)
    places, _ = ledger.places(ids)
    columns = {name: getattr(ledger, name).copy() for name in said._fields}
    for name, values in said._asdict().items():
        columns[name][places] = values
    return replace(ledger, **columns)


def _held(
    connection: Connection, machines: Iterable[int], day: date, known: int | None, classes: Names
) -> tuple[Numbers, Said]:
    """What held of some machines on a day, and of which of them anything did."""
    columns, act = machine_history.c, ledger_act.c
    is_known = act.change_id.is_not(None) if known is None else act.change_id <= known
    rows = (columns.machine_id, written(columns.valid_from), act.change_id)
    query = (
        select(*map(all_of, (*rows, said_of(columns, classes))))
        .join(ledger_act, act.id == columns.act_id)
        .where(is_known, columns.valid_from <= day)
    )
    parts = [
        list(map(numbers_in, connection.execute(query.where(columns.machine_id.in_(part))).one()))
        for part in chunks(machines)
    ]
    ids, begins, changes, said = map(np.concatenate, zip(*parts, strict=True))
    # Of a machine the step that began last, and of one day what was said last.
    order = np.lexsort((changes, begins, ids))
    is_last = np.append(ids[order][1:] != ids[order][:-1], np.ones(min(len(ids), 1), np.bool_))
    held = order[is_last]
    return ids[held], said_in(said[held])
