"""Data agreements as the database holds them: those that stand, and all that was said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.access import erasure
from gateway.city.db.schema.ledger_history import data_agreement, ledger_act
from gateway.city.erasing.standing import erased_ms
from gateway.city.ledger.agreements.agreement import Agreement, Terms
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of an agreement.

    Attributes:
        agreement: what was said.
        known_ms: since when it is known, UTC milliseconds.
        made_by: who entered it.
    """

    agreement: Agreement
    known_ms: int
    made_by: str

    @property
    def entered_on(self) -> date:
        """Day of entry."""
        return day_of(self.known_ms)


def said(connection: Connection, uscc: str | None = None, scope: Scope = EVERYTHING) -> list[Said]:
    """Every entry, in the order in which they became known.

    Args:
        connection: the city's database.
        uscc: only of this enterprise; None: of all that are seen.
        scope: of who asks.
    """
    query = _entries().where(owned(data_agreement.c.uscc, scope))
    if uscc is not None:
        query = query.where(data_agreement.c.uscc == uscc)
    return [_said(row) for row in connection.execute(query)]


def standing(
    connection: Connection, uscc: str | None = None, scope: Scope = EVERYTHING
) -> list[Said]:
    """The newest entry of each agreement, in the order of enterprises and beginnings."""
    newest = {
        (one.agreement.uscc, one.agreement.number): one for one in said(connection, uscc, scope)
    }
    return sorted(newest.values(), key=lambda one: (one.agreement.uscc, one.agreement.first_day))


def newest_entry(connection: Connection) -> int:
    """Grows with each entry and each erasure; 0: there is none."""
    entry = select(func.max(data_agreement.c.id)).scalar_subquery()
    gone = select(func.max(erasure.c.id)).scalar_subquery()
    (found,) = connection.execute(select(func.coalesce(entry, 0) + func.coalesce(gone, 0)))
    return int(found[0])


def all_terms(connection: Connection) -> Mapping[str, Terms]:
    """What is agreed with each enterprise that has an agreement, or was erased.

    An erasure ends what was agreed before: who comes back agrees anew.
    """
    erased = erased_ms(connection)
    by_enterprise: dict[str, list[Agreement]] = {uscc: [] for uscc in erased}
    for one in standing(connection):
        if one.known_ms > erased.get(one.agreement.uscc, 0):
            by_enterprise.setdefault(one.agreement.uscc, []).append(one.agreement)
    return {uscc: Terms(tuple(some), erased.get(uscc, 0)) for uscc, some in by_enterprise.items()}


def _entries() -> Select[Any]:
    query = select(data_agreement, ledger_act.c.known_ms, ledger_act.c.made_by)
    query = query.join(ledger_act, ledger_act.c.id == data_agreement.c.act_id)
    return query.where(ledger_act.c.change_id.is_not(None)).order_by(data_agreement.c.id)


def _said(row: Row[Any]) -> Said:
    agreement = Agreement(
        row.uscc,
        row.number,
        row.document,
        row.purposes,
        row.first_day,
        row.last_day,
        tuple(row.points.split()),
        row.said_by,
    )
    return Said(agreement, row.known_ms, row.made_by)
