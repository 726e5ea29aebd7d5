"""Which vintages a month has had, and why. Functions take a SQLAlchemy connection."""

from typing import Any

from sqlalchemy import Connection, Select, and_, select

from gateway.city.db.schema.rates import rate_correction, rate_result
from gateway.city.rates.cells.dimensions import CITY
from gateway.web.formats import moment
from gateway.web.tables import Cell, Table


def revisions(
    connection: Connection, definition_id: str, month: str, *, demonstration: bool, names: bool
) -> Table:
    """Every stored vintage of a month, the first first; none: the month is not frozen.

    There are no figures here: those of an earlier vintage may be nobody's but the bureau's.

    Args:
        connection: the city's database.
        definition_id: as ``ENR-A``.
        month: ``YYYY-MM``.
        demonstration: results with synthetic machines, or those without.
        names: with note and name of who corrected, which the public is not told.
    """
    rows: list[dict[str, Cell]] = [
        {
            "vintage": row.vintage,
            "status": row.status,
            "computed": moment(row.computed_ms),
            "correction": row.reason,
            "correction_note": row.note,
            "corrected_by": row.corrected_by,
            "definition_hash": row.definition_hash,
        }
        for row in connection.execute(_vintages(definition_id, month, demonstration))
    ]
    said = ("correction_note", "corrected_by") if names else ()
    columns = ("vintage", "status", "computed", "correction", *said, "definition_hash")
    words = {"status": "rate.status", "correction": "correction"}
    return Table(f"revisions-{definition_id}-{month}", columns, rows, {}, words=words)


def _vintages(definition_id: str, month: str, demonstration: bool) -> Select[Any]:
    """Stored results of a month with their corrections, the first first."""
    result, made = rate_result.c, rate_correction.c
    keys = ("definition", "month", "vintage")
    same = and_(*(made[key] == result[key] for key in keys))
    return (
        select(
            *(result[key] for key in ("vintage", "status", "computed_ms", "definition_hash")),
            *(made[key] for key in ("reason", "note", "corrected_by")),
        )
        .outerjoin(rate_correction, same)
        .where(
            result.definition == definition_id,
            result.month == month,
            result.dimension == CITY,
            result.synthetic.is_(demonstration),
        )
        .order_by(result.vintage)
    )
