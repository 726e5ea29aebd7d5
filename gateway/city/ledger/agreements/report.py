"""Which enterprises that send have an agreement now, and what was left out of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import Connection, func, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.tables import enterprise, gateway, watermark
from gateway.city.ledger.agreements.agreement import Agreement
from gateway.city.ledger.agreements.held import standing

SOON = timedelta(days=30)


class Standing(StrEnum):
    """How an enterprise that sends stands to its agreements."""

    NONE = "none"  # it never had one
    ENDED = "ended"  # none holds today: nothing new is stored
    ENDING = "ending"  # the last that holds ends within :data:`SOON`
    HOLDS = "holds"


@dataclass(frozen=True, slots=True)
class Line:
    """One enterprise with gateways.

    Attributes:
        uscc: of the enterprise.
        name: its name.
        standing: how it stands.
        until: last day of its agreements; None: there is none, or no end.
        outside: values that were not kept because no agreement named them, since ever.
    """

    uscc: str
    name: str
    standing: Standing
    until: date | None
    outside: int

    @property
    def is_weak(self) -> bool:
        """Whether there is anything to tell."""
        return self.standing is not Standing.HOLDS or self.outside > 0


def lines(connection: Connection, scope: Scope, today: date) -> list[Line]:
    """Every enterprise with a gateway that is enrolled, in the order of their codes.

    Args:
        connection: the city's database.
        scope: of who asks.
        today: Asia/Shanghai day.
    """
    agreed: dict[str, list[Agreement]] = {}
    for one in standing(connection, scope=scope):
        agreed.setdefault(one.what.uscc, []).append(one.what)
    outside = func.coalesce(func.sum(watermark.c.values_unagreed), 0)
    query = (
        select(enterprise.c.uscc, enterprise.c.name, outside)
        .join(gateway, gateway.c.uscc == enterprise.c.uscc)
        .outerjoin(watermark, watermark.c.gateway == gateway.c.id)
        .where(gateway.c.revoked_ms.is_(None), seen(scope))
        .group_by(enterprise.c.uscc, enterprise.c.name)
        .order_by(enterprise.c.uscc)
    )
    return [
        Line(uscc, name, *stands(agreed.get(uscc, ()), today), int(count))
        for uscc, name, count in connection.execute(query)
    ]


def stands(agreements: Sequence[Agreement], today: date) -> tuple[Standing, date | None]:
    """How an enterprise stands, and until when."""
    if not agreements:
        return Standing.NONE, None
    holding = [one for one in agreements if one.holds(today)]
    ends = [one.last_day for one in holding or agreements]
    until = None if None in ends else max(one for one in ends if one is not None)
    if not holding:
        return Standing.ENDED, until
    is_soon = until is not None and until - today <= SOON
    return (Standing.ENDING if is_soon else Standing.HOLDS), until


def unagreed(connection: Connection, uscc: str) -> int:
    """Values of an enterprise that were not kept because no agreement named them."""
    own = select(gateway.c.id).where(gateway.c.uscc == uscc)
    total = select(func.sum(watermark.c.values_unagreed)).where(watermark.c.gateway.in_(own))
    return int(connection.scalar(total) or 0)
