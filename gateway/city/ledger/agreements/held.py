"""Data agreements as the database holds them: those that stand, and all that was said of them."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, func, select

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.db.schema.access import erasure
from gateway.city.db.schema.ledger_history import data_agreement
from gateway.city.erasing.standing import erased_ms
from gateway.city.ledger.agreements.agreement import Agreement, Terms
from gateway.city.ledger.papers.standing import Kept, Standing


def said(
    connection: Connection, uscc: str | None = None, scope: Scope = EVERYTHING
) -> list[Standing[Agreement]]:
    """Every entry, in the order in which they became known.

    Args:
        connection: the city's database.
        uscc: only of this enterprise; None: of all that are seen.
        scope: of who asks.
    """
    return replace(AGREED, newest=(), order=("id",)).standing(connection, uscc, scope=scope)


def standing(
    connection: Connection, uscc: str | None = None, scope: Scope = EVERYTHING
) -> list[Standing[Agreement]]:
    """The newest entry of each agreement, in order of enterprise, beginning and number."""
    return AGREED.standing(connection, uscc, scope=scope)


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
        if one.known_ms > erased.get(one.what.uscc, 0):
            by_enterprise.setdefault(one.what.uscc, []).append(one.what)
    return {uscc: Terms(tuple(some), erased.get(uscc, 0)) for uscc, some in by_enterprise.items()}


def _agreement(row: RowMapping) -> Agreement:
    return Agreement(
        row["uscc"],
        row["number"],
        row["document"],
        row["purposes"],
        row["first_day"],
        row["last_day"],
        tuple(row["points"].split()),
        row["said_by"],
    )


AGREED = Kept(
    data_agreement,
    _agreement,
    newest=("uscc", "number"),
    order=("uscc", "first_day", "number"),
)
"""Agreements: the newest entry of a number holds."""
