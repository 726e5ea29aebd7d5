"""Papers that were said and not taken back, as they were known by a change of the ledger."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Table, select

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.ledger_history import ledger_act
from gateway.core.days import day_of


class Paper(Hashable, Protocol):
    """What every paper says."""

    @property
    def uscc(self) -> str:
        """Of the enterprise."""

    @property
    def first_day(self) -> date:
        """Asia/Shanghai day from which it holds."""

    @property
    def last_day(self) -> date | None:
        """The last one; None: until it is ended."""


P_co = TypeVar("P_co", bound=Paper, covariant=True)


@dataclass(frozen=True, slots=True)
class Standing(Generic[P_co]):
    """A paper that was entered and not taken back.

    Attributes:
        number: of the entry; they are numbered as they were said.
        what: was said.
        known_ms: since when it is known, UTC milliseconds.
        made_by: who entered it.
    """

    number: int
    what: P_co
    known_ms: int
    made_by: str

    @property
    def entered_on(self) -> date:
        """Day of entry; what it says of days before was said when they were over (late)."""
        return day_of(self.known_ms)

    @property
    def is_late(self) -> bool:
        """Some of its days were over when it was entered."""
        return self.what.first_day < self.entered_on

    def covers(self, day: date) -> bool:
        """Whether a day is one of it."""
        last = self.what.last_day
        return self.what.first_day <= day and (last is None or day <= last)


def counts(known: int | None) -> ColumnElement[bool]:
    """Which acts count: those that have ended, by a change of the ledger; None: by now."""
    change = ledger_act.c.change_id
    return change.is_not(None) if known is None else change <= known


def entries(
    connection: Connection,
    table: Table,
    *,
    ended: Column[int] | None = None,
    uscc: str | None = None,
    known: int | None = None,
    scope: Scope = EVERYTHING,
) -> Iterator[RowMapping]:
    """Rows of a table of papers with ``known_ms`` and ``made_by``, in the order they were said.

    Args:
        connection: the city's database.
        table: has ``id``, ``act_id`` and ``uscc``.
        ended: numbers of those that were taken back, in a table with ``act_id``; None: none is.
        uscc: only of this enterprise; None: all.
        known: by which change of the ledger; None: now.
        scope: of who asks.
    """
    columns = table.c
    query = select(table, ledger_act.c.known_ms, ledger_act.c.made_by)
    query = query.join(ledger_act, ledger_act.c.id == columns.act_id)
    query = query.where(counts(known), owned(columns.uscc, scope))
    if ended is not None:
        gone = select(ended).join(ledger_act, ledger_act.c.id == ended.table.c.act_id)
        query = query.where(columns.id.not_in(gone.where(counts(known))))
    if uscc is not None:
        query = query.where(columns.uscc == uscc)
    yield from connection.execute(query.order_by(columns.id)).mappings()
