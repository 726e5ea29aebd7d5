"""The machines of the ledger, by columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, Date, Select, case, func, select, type_coerce

from gateway.city.db.tables import equipment, equipment_status
from gateway.city.ledger.codes import IN_SERVICE
from gateway.city.rates.attendance import Flags, Numbers
from gateway.city.rates.columns.numbers import all_of, narrowed, numbers_in
from gateway.city.rates.columns.progress import Progress, unreported

_PART = 1_000
"""Groups of machines that are in memory at a time."""


class Names:
    """Texts as small numbers; 0 is none of them."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def code(self, text: str) -> int:
        """The number of a text."""
        return self.known.setdefault(text, len(self.known) + 1)

    @property
    def texts(self) -> list[str | None]:
        """The text of each number."""
        return [None, *self.known]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The machines of a ledger in order of their ids.

    Attributes:
        ids: of the machines.
        firms: codes of their enterprises among ``firm_names``.
        classes: codes among ``class_names``.
        commissioned: ordinal of the day; 0: before the time that is asked about, or unknown.
        undated: nobody wrote when they were commissioned.
        digital: they are digital machines.
        key: they are key equipment.
        entries: of all statuses: the machine's id, ordinal of the first day, whether somebody
            wrote that day, code among ``status_names``.
    """

    ids: Numbers
    firms: Numbers
    classes: Numbers
    commissioned: Numbers
    undated: Flags
    digital: Flags
    key: Flags
    entries: tuple[Numbers, ...]
    firm_names: Names = field(default_factory=Names)
    class_names: Names = field(default_factory=Names)
    status_names: Names = field(default_factory=Names)

    def places(self, ids: Numbers) -> tuple[Numbers, Flags]:
        """Where machines stand in the columns, and which of them are in the ledger at all."""
        places = np.searchsorted(self.ids, ids)
        if not len(self.ids):
            return places, np.zeros(len(ids), np.bool_)
        places = np.minimum(places, len(self.ids) - 1)
        return places, self.ids[places] == ids

    def flags(self, ids: Iterable[int]) -> Flags:
        """Which machines are among some."""
        marked = np.zeros(len(self.ids), np.bool_)
        marked[list(self.place_of(ids).values())] = True
        return marked

    def start_unknown(self, first: date) -> Flags:
        """Machines of which nothing says that they were commissioned before a day.

        Nobody wrote when, and they were not in service before, as far as the ledger knows.
        """
        ids, days, _, codes = self.entries
        serving = np.array([name in IN_SERVICE for name in self.status_names.texts])
        places, known = self.places(ids)
        unknown = self.undated.copy()
        unknown[places[known & (days < first.toordinal()) & serving[codes]]] = False
        return unknown

    def place_of(self, ids: Iterable[int]) -> dict[int, int]:
        """Where some machines stand, without those that are not in the ledger."""
        wanted = np.fromiter(ids, np.int64)
        places, known = self.places(wanted)
        return dict(zip(wanted[known].tolist(), places[known].tolist(), strict=True))


def read_ledger(
    connection: Connection, since: date, uscc: str | None = None, progress: Progress = unreported
) -> Ledger:
    """The machines of the ledger, or of one enterprise.

    Args:
        connection: the city's database.
        since: it does not matter when before that day a machine was commissioned.
        uscc: the enterprise; None: all.
        progress: is told of machines read, of all.
    """
    firms, classes, statuses = Names(), Names(), Names()
    groups = (
        (ids, firms.code(firm), classes.code(kind), _ordinal(day), *flags)
        for firm, kind, day, *flags, ids in _machines(connection, since, uscc, progress)
    )
    ids, *columns = _joined(groups, 7)
    order = np.argsort(ids, kind="stable")
    firm, kind, day, *marks = (one[order] for one in columns)
    undated, digital, key = (one != 0 for one in marks)
    entries = _joined(_entries(connection, uscc, statuses), 4)
    return Ledger(
        ids[order], firm, kind, day, undated, digital, key, entries, firms, classes, statuses
    )


def _machines(
    connection: Connection, since: date, uscc: str | None, progress: Progress
) -> Iterator[tuple[Any, ...]]:
    """Machines that the ledger says the same of.

    Enterprise, class, first day, whether that is unknown, digital, key, and which they are.
    """
    columns = equipment.c
    # Dates of long ago would make a group of nearly each machine.
    recent = case((columns.commissioned_on >= since, columns.commissioned_on))
    unknown = columns.commissioned_on.is_(None)
    marks = (unknown, columns.digital, columns.key_equipment)
    parts = (columns.uscc, columns.equipment_class, type_coerce(recent, Date), *marks)
    query, number = select(*parts, all_of(columns.id)), select(func.count(columns.id))
    if uscc is not None:
        query, number = (one.where(columns.uscc == uscc) for one in (query, number))
    total, done = connection.scalar(number) or 0, 0
    for *common, text in _groups(connection, query.group_by(*parts)):
        ids = numbers_in(text)
        done += len(ids)
        progress("ledger", done, total)
        yield *common, ids


def _entries(
    connection: Connection, uscc: str | None, statuses: Names
) -> Iterator[tuple[Any, ...]]:
    """Machines, and a day and status that they have had since."""
    columns = equipment_status.c
    parts = (columns.valid_from, columns.dated, columns.status)
    query = narrowed(select(*parts, all_of(columns.equipment_id)), columns.equipment_id, uscc)
    for day, dated, status, text in _groups(connection, query.group_by(*parts)):
        yield numbers_in(text), _ordinal(day), dated, statuses.code(status)


def _groups(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    return iter(connection.execute(query.execution_options(yield_per=_PART)))


def _joined(groups: Iterable[tuple[Any, ...]], width: int) -> tuple[Numbers, ...]:
    """Columns of all groups: the numbers of each, and what its machines have in common."""
    parts: list[list[Numbers]] = [[np.zeros(0, np.int64)] for _ in range(width)]
    for ids, *common in groups:
        parts[0].append(ids)
        for column, value in zip(parts[1:], common, strict=True):
            column.append(np.full(len(ids), value, np.int64))
    return tuple(map(np.concatenate, parts))


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day is not None else 0
