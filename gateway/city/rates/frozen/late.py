"""What came late: data for a month whose rate was final already. It changes no figure by itself.

A final result stays as it is; whoever corrects it (``qulink rates correct``) counts what came.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from gateway.city.db.operation import began_on
from gateway.city.db.schema.daymaps import evidence_taking, late_data
from gateway.city.db.schema.rates import rate_result
from gateway.city.rates.daymaps.maps import Difference
from gateway.city.rates.daymaps.takings import Maps, current_maps, since
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of


@dataclass(frozen=True, slots=True)
class Late:
    """What a month's evidence has beyond a final result.

    Attributes:
        definition: id of the result.
        vintage: number of the result.
        machines: how many machines have other days now.
        days: days of all these machines together that came since.
        lost_days: days that the result rests on and evidence has no more.
    """

    definition: str
    vintage: int
    machines: int
    days: int
    lost_days: int


def late_for(
    connection: Connection, definition: Definition, month: str, now_ms: int, *, demonstration: bool
) -> Late | None:
    """What came for the final result of a month since; None: nothing, or there is none to compare.

    Args:
        connection: the city's database, on one snapshot.
        definition: of the result.
        month: ``YYYY-MM``.
        now_ms: UTC milliseconds.
        demonstration: the result counts synthetic machines.
    """
    own = {definition.id: definition}
    found = compared(connection, month, now_ms, definitions=own, demonstration=demonstration)
    return found[0] if found else None


def compared(
    connection: Connection,
    month: str,
    now_ms: int,
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
) -> list[Late]:
    """What came for each final result of a month since, without those that lack nothing.

    Evidence is read once for all of them.
    """
    results = [
        (one, *final)
        for one in definitions.values()
        if (final := _final(connection, one.id, month, demonstration)) is not None
    ]
    if not results:
        return []
    period = period_of(month, now_ms, began_on(connection))
    inquiry = Inquiry(results[0][0], period, now_ms, demonstration)
    now: Maps = current_maps(connection, inquiry)
    by_taking = {taking: since(connection, inquiry, taking, now) for _, _, taking in results}
    return [
        _late(definition.id, vintage, by_taking[taking])
        for definition, vintage, taking in results
        if by_taking[taking]
    ]


def _final(
    connection: Connection, definition_id: str, month: str, demonstration: bool
) -> tuple[int, int] | None:
    """Vintage and taking of the final result of a month; None: it has none that tells."""
    columns = rate_result.c
    query = (
        select(columns.vintage, columns.taking)
        .where(
            columns.definition == definition_id,
            columns.month == month,
            columns.status == "F",
            columns.synthetic.is_(demonstration),
        )
        .order_by(columns.vintage.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None or row.taking is None else (row.vintage, row.taking)


def _late(definition_id: str, vintage: int, found: Sequence[Difference]) -> Late:
    return Late(
        definition_id,
        vintage,
        machines=len(found),
        days=sum(one.gained.bit_count() for one in found),
        lost_days=sum(one.lost.bit_count() for one in found),
    )


def touched_months(connection: Connection, demonstration: bool) -> list[tuple[str, int]]:
    """Months of which something was written since they were last compared, and how often it was."""
    columns = evidence_taking.c
    query = (
        select(columns.month, func.max(columns.touches))
        .where(columns.synthetic.is_(demonstration), columns.touches > columns.compared)
        .group_by(columns.month)
        .order_by(columns.month)
    )
    return [(month, int(touches)) for month, touches in connection.execute(query)]


def note(
    connection: Connection,
    month: str,
    touches: int,
    found: Sequence[Late],
    now_ms: int,
    demonstration: bool,
) -> None:
    """Write down what a comparison found; what was written meanwhile is left for the next one."""
    held, taking = late_data.c, evidence_taking.c
    own = {"month": month, "synthetic": demonstration}
    mine = (held.month == month, held.synthetic.is_(demonstration))
    connection.execute(delete(late_data).where(*mine))
    rows = [own | asdict(one) | {"compared_ms": now_ms} for one in found]
    if rows:
        connection.execute(insert(late_data), rows)
    seen = (taking.month == month, taking.synthetic.is_(demonstration), taking.touches <= touches)
    connection.execute(update(evidence_taking).values(compared=taking.touches).where(*seen))


def noted(connection: Connection, demonstration: bool) -> Sequence[Row[Any]]:
    """What came late for results that nobody has corrected since; the newest month first.

    Columns: definition, month, vintage, machines, days, lost_days, compared_ms.
    """
    late, later = late_data.c, rate_result.alias("later").c
    corrected = (
        (later.definition == late.definition)
        & (later.month == late.month)
        & later.synthetic.is_(demonstration)
        & (later.vintage > late.vintage)
    )
    query = (
        select(late_data)
        .where(late.synthetic.is_(demonstration), ~exists().where(corrected))
        .order_by(late.month.desc(), late.definition)
    )
    return connection.execute(query).all()
