"""How many machines are how far, by enterprise, and why a node refuses some."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.db.tables import enterprise, equipment
from gateway.city.identifiers.review import reviewed, withdrawn

REASONS = 20
"""Reasons of refusals that are told, the most frequent first."""


class Standing(StrEnum):
    """How far a machine is; each machine of the ledger is at exactly one.

    Until CONFIRMED its identifier may still become another one, so nobody is shown it.
    """

    NO_CODE = "no code"  # its enterprise has no identifier code
    WITHDRAWN = "withdrawn"  # entered by mistake: it gets none, or has none that counts
    REVIEW = "review"  # waits until it is released, or its time is over
    ISSUING = "issuing"  # gets one with the next pass
    PENDING = "pending"  # the node is yet to be asked
    UNKNOWN = "unknown"  # the node was asked and its answer is not known
    REFUSED = "refused"  # a person must act
    CONFIRMED = "confirmed"  # by the node
    READ_BACK = "read back"  # and found equal there


NAMED = frozenset({Standing.CONFIRMED, Standing.READ_BACK})
"""With an identifier that may be shown and printed."""


@dataclass(frozen=True, slots=True)
class EnterpriseStanding:
    """Machines of one enterprise.

    Attributes:
        uscc: of the enterprise.
        name: of the enterprise.
        counts: machines by how far they are; what is not there is 0.
    """

    uscc: str
    name: str
    counts: Mapping[Standing, int]

    @property
    def machines(self) -> int:
        """All of its machines."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node refuses machines, in its words, and how many."""

    reason: str
    machines: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a ledger is.

    Attributes:
        enterprises: in order of their codes.
        refusals: the most frequent first, REASONS at most.
        changes: confirmed identifiers of which the node is yet to be told something new.
    """

    enterprises: Sequence[EnterpriseStanding]
    refusals: Sequence[Refusal]
    changes: int

    @property
    def counts(self) -> Counter[Standing]:
        """Of all enterprises together."""
        total = Counter[Standing]()
        for one in self.enterprises:
            total.update(one.counts)
        return total


def standing(review_ms: int, now_ms: int) -> ColumnElement[str]:
    """How far a machine of :func:`with_progress` is, a value of :class:`Standing`."""
    none, box = identifier.c.equipment_id.is_(None), identifier_outbox.c.state
    return case(
        (withdrawn(), Standing.WITHDRAWN.value),
        (none & enterprise.c.identifier_code.is_(None), Standing.NO_CODE.value),
        (none & ~reviewed(review_ms, now_ms), Standing.REVIEW.value),
        (none, Standing.ISSUING.value),
        (box == "refused", Standing.REFUSED.value),
        (identifier.c.resolved_ms.is_not(None), Standing.READ_BACK.value),
        (identifier.c.registered_ms.is_not(None), Standing.CONFIRMED.value),
        (box == "unknown", Standing.UNKNOWN.value),
        else_=Standing.PENDING.value,
    )


def with_progress(query: Select[Any], uscc: str = "") -> Select[Any]:
    """A query over machines with what there is of their identifiers.

    Args:
        query: what is selected.
        uscc: only machines of this enterprise; empty: of all.
    """
    box = identifier_outbox.c.equipment_id
    joined = (
        query.select_from(equipment.join(enterprise, enterprise.c.uscc == equipment.c.uscc))
        .outerjoin(identifier, identifier.c.equipment_id == equipment.c.id)
        .outerjoin(identifier_outbox, box == equipment.c.id)
    )
    return joined.where(equipment.c.uscc == uscc) if uscc else joined


def progress(connection: Connection, review_ms: int, now_ms: int, uscc: str = "") -> Progress:
    """How far the machines of the ledger are.

    Args:
        connection: the city's database.
        review_ms: how long a machine waits for its review.
        now_ms: UTC milliseconds.
        uscc: only of this enterprise; empty: of all.
    """
    return Progress(
        _by_enterprise(connection, review_ms, now_ms, uscc),
        _refusals(connection, uscc),
        _changes(connection, uscc),
    )


def _by_enterprise(
    connection: Connection, review_ms: int, now_ms: int, uscc: str
) -> list[EnterpriseStanding]:
    at = standing(review_ms, now_ms).label("at")
    # In a query of its own: grouped by, the case would stand there twice, with other parameters.
    each = with_progress(select(equipment.c.uscc, at), uscc).subquery()
    counted = select(each.c.uscc, each.c.at, func.count().label("n")).group_by(*each.c)
    found: dict[str, Counter[Standing]] = {}
    for row in connection.execute(counted):
        found.setdefault(row.uscc, Counter())[Standing(row.at)] = row.n
    columns = select(enterprise.c.uscc, enterprise.c.name).order_by(enterprise.c.uscc)
    names = connection.execute(columns.where(enterprise.c.uscc == uscc) if uscc else columns)
    return [
        EnterpriseStanding(row.uscc, row.name, found[row.uscc])
        for row in names
        if row.uscc in found
    ]


def _refusals(connection: Connection, uscc: str) -> list[Refusal]:
    number, reason = func.count(), identifier_outbox.c.last_error
    query = with_progress(select(reason, number), uscc)
    refused = query.where(identifier_outbox.c.state == "refused").group_by(reason)
    rows = connection.execute(refused.order_by(number.desc(), reason).limit(REASONS))
    return [Refusal(*row) for row in rows]


def _changes(connection: Connection, uscc: str) -> int:
    query = with_progress(select(func.count()), uscc)
    waiting = identifier_outbox.c.state.in_(("pending", "unknown"))
    told = query.where(identifier.c.registered_ms.is_not(None), waiting)
    return int(connection.execute(told).scalar_one())
