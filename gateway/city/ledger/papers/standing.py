"""Papers that were said and not taken back, as they were known by a change of the ledger."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    func,
    insert,
    select,
)

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.tables import equipment
from gateway.core.days import day_of

_PLACE = ("site_no", "workshop", "line", "asset_no")
"""By which a paper may name a place of its enterprise."""


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


P = TypeVar("P", bound=Paper)
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


@dataclass(frozen=True, slots=True)
class Kept(Generic[P]):
    """How papers lie in a table whose rows are never changed.

    Attributes:
        table: has ``id``, ``act_id``, ``uscc``, ``first_day`` and ``last_day``.
        read: what a row says.
        ended: numbers of those that were taken back, in a table with ``act_id``; None: none is.
        newest: columns by which the newest row stands for those before it; none: each stands.
        order: of those that stand; as they were said, unless it is told.
    """

    table: Table
    read: Callable[[RowMapping], P]
    ended: Column[int] | None = None
    newest: tuple[str, ...] = ()
    order: tuple[str, ...] = ("id",)

    def query(self, *, known: int | None = None, scope: Scope = EVERYTHING) -> Select[Any]:
        """Rows of those that stand, with ``known_ms`` and ``made_by``, in no order.

        Args:
            known: by which change of the ledger; None: now.
            scope: of who asks.
        """
        columns = self.table.c
        query = select(self.table, ledger_act.c.known_ms, ledger_act.c.made_by)
        query = query.join(ledger_act, ledger_act.c.id == columns.act_id)
        query = query.where(counts(known), owned(columns.uscc, scope))
        if self.ended is not None:
            gone = select(self.ended).join(ledger_act, ledger_act.c.id == self.ended.table.c.act_id)
            query = query.where(columns.id.not_in(gone.where(counts(known))))
        if self.newest:
            last = select(func.max(columns.id)).join(ledger_act, ledger_act.c.id == columns.act_id)
            last = last.where(counts(known)).group_by(*(columns[name] for name in self.newest))
            query = query.where(columns.id.in_(last))
        return query

    def standing(
        self,
        connection: Connection,
        uscc: str | None = None,
        known: int | None = None,
        scope: Scope = EVERYTHING,
    ) -> list[Standing[P]]:
        """Those that stand.

        Args:
            connection: the city's database.
            uscc: only of this enterprise; None: all.
            known: by which change of the ledger; None: now.
            scope: of who asks.
        """
        query = self.query(known=known, scope=scope)
        if uscc is not None:
            query = query.where(self.table.c.uscc == uscc)
        query = query.order_by(*(self.table.c[name] for name in self.order))
        return [self.of(row) for row in connection.execute(query).mappings()]

    def of(self, row: RowMapping) -> Standing[P]:
        """The paper of a row of :meth:`query`."""
        return Standing(row["id"], self.read(row), row["known_ms"], row["made_by"])

    def take_back(
        self, connection: Connection, act: int, of: Standing[P], _last_day: date | None = None
    ) -> None:
        """Say, by an act that has begun, that one no longer stands; it is as if it never did."""
        assert self.ended is not None  # noqa: S101 - of a sort that ends with a day nobody asks it
        row = {self.ended.name: of.number, "act_id": act}
        connection.execute(insert(self.ended.table).values(row))


def machines_of(connection: Connection, paper: Paper) -> Sequence[int]:
    """The machines of the ledger that a paper is of: at the place that it names, or all."""
    columns = equipment.c
    said = {name: getattr(paper, name, "") for name in _PLACE}
    narrow = [columns[name] == text for name, text in said.items() if text]
    query = select(columns.id).where(columns.uscc == paper.uscc, *narrow)
    return connection.scalars(query).all()
