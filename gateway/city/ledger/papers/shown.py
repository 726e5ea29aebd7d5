"""Papers that stand, for who sees some of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, func, or_, select

from gateway.city.access.principal import Scope
from gateway.city.db.tables import enterprise
from gateway.city.ledger.papers.sort import Sort
from gateway.city.ledger.papers.standing import Standing

_NAME = "enterprise_name"


@dataclass(frozen=True, slots=True)
class Shown:
    """A paper that stands.

    Attributes:
        of: it, with who said it.
        enterprise: name; empty: the ledger has it no more.
        texts: of its cells, by column key.
    """

    of: Standing[Any]
    enterprise: str
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which papers are asked for, and in which order.

    Attributes:
        text: only of enterprises with this in name or code; empty: of all.
        day: only those that cover it; None: all.
        sort: key of :data:`ORDERS`.
        falling: the highest first.
    """

    text: str = ""
    day: date | None = None
    sort: str = "entered"
    falling: bool = True


ORDERS: Mapping[str, Callable[[Table], ColumnElement[Any]]] = {
    "entered": lambda table: table.c.id,
    "enterprise": lambda _: enterprise.c.name,
    "begins": lambda table: table.c.first_day,
    "ends": lambda table: func.coalesce(table.c.last_day, date.max),  # an open one ends last
}


def papers(
    connection: Connection,
    sort: Sort[Any],
    scope: Scope,
    wanted: Wanted = Wanted(),
    part: slice = slice(None),
) -> list[Shown]:
    """The papers that stand.

    Args:
        connection: the city's database.
        sort: of them.
        scope: whose rows are seen.
        wanted: which, and their order.
        part: of the list; all, unless it is told.
    """
    kept = sort.keeping.kept
    by, entry = ORDERS[wanted.sort](kept.table), kept.table.c.id
    query = _standing(sort, scope, wanted).order_by(
        by.desc() if wanted.falling else by, entry.desc()
    )
    if part.stop is not None:
        query = query.offset(part.start).limit(part.stop - part.start)
    return [_shown(sort, row) for row in connection.execute(query).mappings()]


def count_papers(connection: Connection, sort: Sort[Any], scope: Scope, wanted: Wanted) -> int:
    """How many :func:`papers` there are."""
    found = _standing(sort, scope, wanted).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def paper_numbered(
    connection: Connection, sort: Sort[Any], scope: Scope, number: int
) -> Shown | None:
    """One that stands, by the number of its entry; None: there is none, or none that is seen."""
    query = _standing(sort, scope, Wanted()).where(sort.keeping.kept.table.c.id == number)
    row = connection.execute(query).mappings().first()
    return None if row is None else _shown(sort, row)


def _standing(sort: Sort[Any], scope: Scope, wanted: Wanted) -> Select[Any]:
    kept, text = sort.keeping.kept, wanted.text.strip()
    columns = kept.table.c
    query = kept.query(scope=scope).add_columns(enterprise.c.name.label(_NAME))
    query = query.outerjoin(enterprise, enterprise.c.uscc == columns.uscc)
    if text:
        named = (columns.uscc, enterprise.c.name)
        query = query.where(or_(*(one.icontains(text, autoescape=True) for one in named)))
    if wanted.day is not None:
        last = columns.last_day
        query = query.where(columns.first_day <= wanted.day)
        query = query.where(or_(last.is_(None), last >= wanted.day))
    return query


def _shown(sort: Sort[Any], row: RowMapping) -> Shown:
    of = sort.keeping.kept.of(row)
    return Shown(of, row[_NAME] or "", sort.texts(of.what))
