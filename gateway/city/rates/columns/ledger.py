"""The machines of the ledger, by columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from sqlalchemy import ColumnElement, Connection, Integer, case, cast, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from gateway.city.db.tables import equipment, equipment_status
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, IN_SERVICE, STATUSES
from gateway.city.rates.attendance import Flags, Numbers
from gateway.city.rates.columns.numbers import (
    all_of,
    joined,
    narrowed,
    numbers_in,
    ordinals,
    written,
)
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.days.service import ServiceDays

_PART = 1_000
"""Enterprises whose machines are in memory as texts at a time."""
_MARKS, _CODE = 1 << 8, 1 << 4
"""What is said of a machine is read as one number: a day times the one, a code times the other,
and flags of yes and no."""
_UNDATED, _DIGITAL, _KEY = 4, 2, 1


class Names:
    """Texts as small numbers; 0 is none of them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.known: dict[str, int] = {text: code for code, text in enumerate(known, 1)}

    def code(self, text: str) -> int:
        """The number of a text."""
        return self.known.setdefault(text, len(self.known) + 1)

    @property
    def texts(self) -> list[str | None]:
        """The text of each number."""
        return [None, *self.known]


@dataclass(frozen=True)  # without slots: what is made of the columns is kept with them
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

    @cached_property
    def service(self) -> ServiceDays:
        """Who of the machines is in service, and when."""
        ids, days, dated, codes = self.entries
        places, known = self.places(ids)
        columns = (places[known], days[known], codes[known].astype(np.uint8), dated[known] != 0)
        return ServiceDays(len(self.ids), *columns)

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


class ReadLedger(Protocol):
    """Reads the machines of the ledger, as :func:`read_ledger` does."""

    def __call__(
        self,
        connection: Connection,
        since: date,
        uscc: str | None = None,
        progress: Progress = unreported,
    ) -> Ledger:
        """See :func:`read_ledger`."""


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
    firms, classes, statuses = Names(), Names(EQUIPMENT_CLASSES), Names(STATUSES)
    ids, firm, marks = _machines(connection, uscc, (firms, classes), progress)
    order = np.argsort(ids, kind="stable")
    ids, firm, marks = ids[order], firm[order], marks[order]
    said = said_in(marks)
    return Ledger(
        ids,
        firm,
        said.classes,
        np.where(said.commissioned < since.toordinal(), 0, said.commissioned),
        said.undated,
        said.digital,
        said.key,
        _entries(connection, uscc, statuses),
        firms,
        classes,
        statuses,
    )


class Said(NamedTuple):
    """What is said of machines; the columns as :class:`Ledger` has them."""

    classes: Numbers
    commissioned: Numbers
    undated: Flags
    digital: Flags
    key: Flags


def said_of(columns: ReadOnlyColumnCollection[str, Any], classes: Names) -> ColumnElement[int]:
    """What a table says of a machine, as one number; see :func:`said_in`.

    Args:
        columns: of a table that names them as :data:`equipment` does.
        classes: the known ones.
    """
    flags = {
        columns.commissioned_on.is_(None): _UNDATED,
        columns.digital: _DIGITAL,
        columns.key_equipment: _KEY,
    }
    return _number(columns.commissioned_on, _code(columns.equipment_class, classes), flags)


def said_in(numbers: Numbers) -> Said:
    """What numbers of :func:`said_of` say."""
    flags = ((numbers & one) != 0 for one in (_UNDATED, _DIGITAL, _KEY))
    return Said(_code_in(numbers), ordinals(numbers // _MARKS), *flags)


def _machines(
    connection: Connection, uscc: str | None, names: tuple[Names, Names], progress: Progress
) -> tuple[Numbers, Numbers, Numbers]:
    """Machines, the codes of their enterprises, and what else the ledger says, as one number."""
    columns, (firms, classes) = equipment.c, names
    marks = all_of(said_of(columns, classes))
    query = select(columns.uscc, func.count(), all_of(columns.id), marks)
    number = select(func.count(columns.id))
    if uscc is not None:
        query, number = (one.where(columns.uscc == uscc) for one in (query, number))
    total, done = connection.scalar(number) or 0, 0
    nothing = np.zeros(0, np.int64)
    parts: list[tuple[Numbers, ...]] = [(nothing, nothing, nothing)]
    rows = connection.execute(query.group_by(columns.uscc).execution_options(yield_per=_PART))
    for some in rows.partitions():
        of, counts, machines, said = zip(*some, strict=True)
        codes = np.repeat([firms.code(one) for one in of], counts)
        parts.append((joined(machines), codes, joined(said)))
        done += len(codes)
        progress("ledger", done, total)
    ids, owners, numbers = map(np.concatenate, zip(*parts, strict=True))
    return ids, owners, numbers


def _entries(connection: Connection, uscc: str | None, statuses: Names) -> tuple[Numbers, ...]:
    """Machines, and a day and status that they have had since."""
    columns = equipment_status.c
    said = _number(columns.valid_from, _code(columns.status, statuses), {columns.dated: 1})
    query = select(all_of(columns.equipment_id)).add_columns(all_of(said))
    rows = connection.execute(narrowed(query, columns.equipment_id, uscc)).one()
    ids, numbers = map(numbers_in, rows)
    return ids, ordinals(numbers // _MARKS), numbers & 1, _code_in(numbers)


def _number(
    day: ColumnElement[Any],
    code: ColumnElement[int],
    flags: Mapping[ColumnElement[bool], int],
) -> ColumnElement[int]:
    """A day, a code and some flags as one number."""
    marks = (cast(flag, Integer) * weight for flag, weight in flags.items())
    return sum(marks, start=written(day) * _MARKS + code * _CODE)


def _code_in(numbers: Numbers) -> Numbers:
    return numbers % _MARKS // _CODE


def _code(text: ColumnElement[str], names: Names) -> ColumnElement[int]:
    return case(names.known, value=text, else_=0)
