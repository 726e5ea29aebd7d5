"""The machines of the ledger as they were: what is younger is laid over the current columns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
from sqlalchemy import Connection

from gateway.city.db.schema.ledger_history import machine_history
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps
from gateway.city.ledger.bitemporal.knowledge import others, said_since, statuses_said_since
from gateway.city.ledger.bitemporal.steps import Values, at
from gateway.city.ledger.history import History
from gateway.city.rates.attendance import Numbers
from gateway.city.rates.columns.ledger import Ledger

_ATTRIBUTES = ("classes", "commissioned", "undated", "digital", "key")
"""Columns of what a machine is, each as of a day."""


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
        **{name: getattr(ledger, name)[keep] for name in _ATTRIBUTES},
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
    place_of = ledger.place_of(others(connection, MACHINE, day, known))
    if not place_of:
        return ledger
    steps = held_steps(connection, MACHINE, place_of, known)
    columns = {name: getattr(ledger, name).copy() for name in _ATTRIBUTES}
    for machine, place in place_of.items():
        values = at(steps.get(machine, {}), day)
        if values is not None:
            for name, value in zip(_ATTRIBUTES, _values(ledger, values), strict=True):
                columns[name][place] = value
    return replace(ledger, **columns)


def _values(ledger: Ledger, values: Values) -> tuple[int, ...]:
    """What the columns of :data:`_ATTRIBUTES` hold of a machine."""
    began = values["commissioned_on"]
    return (
        ledger.class_names.code(values["equipment_class"]),
        began.toordinal() if began else 0,
        began is None,
        values["digital"],
        values["key_equipment"],
    )
