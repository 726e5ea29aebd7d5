"""Papers that stand, for who sees some of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.tables import enterprise
from gateway.city.ledger.papers.sort import Sort
from gateway.city.ledger.papers.standing import Standing


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


def papers(
    connection: Connection, sort: Sort[Any], scope: Scope, wanted: str = "", day: date | None = None
) -> list[Shown]:
    """The papers that stand, the newest entry first.

    Args:
        connection: the city's database.
        sort: of them.
        scope: whose rows are seen.
        wanted: only of enterprises with this in name or code; empty: of all.
        day: only those that cover it; None: all.
    """
    query = select(enterprise.c.uscc, enterprise.c.name).where(seen(scope))
    names = {row.uscc: row.name for row in connection.execute(query)}
    text = wanted.strip().casefold()
    found = [
        Shown(one, names.get(one.what.uscc, ""), sort.texts(one.what))
        for one in sort.standing(connection, None, scope)
        if day is None or one.covers(day)
    ]
    found.sort(key=lambda one: -one.of.number)
    return [one for one in found if text in f"{one.of.what.uscc} {one.enterprise}".casefold()]


def paper_numbered(
    connection: Connection, sort: Sort[Any], scope: Scope, number: int
) -> Shown | None:
    """One that stands, by the number of its entry; None: there is none, or none that is seen."""
    found = papers(connection, sort, scope)
    return next((one for one in found if one.of.number == number), None)
