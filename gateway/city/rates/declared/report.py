"""Declared beside collected values of a month."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.ledger.codes import Name
from gateway.city.rates.declared.gaps import Gap, gap
from gateway.city.rates.declared.values import Declared, declared
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.reasons import REASON_NAMES
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.rates.reports.shown import points_text, shown_by
from gateway.web.tables import Cell, Table

COLUMNS = (
    "uscc",
    "declared_networked",
    "declared_equipment",
    "declared_percent",
    "collected_networked",
    "collected_equipment",
    "collected_percent",
    "points",
    "declared_by",
    "source",
    "reasons_zh",
    "reasons_en",
)


@dataclass(frozen=True, slots=True)
class Beside:
    """What one enterprise declares, and what was collected of it."""

    declared: Declared
    gap: Gap


def beside(
    connection: Connection,
    definition_id: str,
    month: str,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition],
    uscc: str | None = None,
    known_ms: int | None = None,
) -> list[Beside]:
    """The declared values of a month, each explained by how the machines count.

    What was collected is as ledger and evidence are now; ``known_ms`` is of what was declared.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    # Before it is looked up: nothing declared of a month that is none would read as an answer.
    period_of(month, now_ms, began_on(connection))
    values = declared(connection, month, uscc, known_ms)
    found = []
    for own, value in values.items():
        verdicts = machine_facts(
            connection,
            definition_id,
            month,
            now_ms,
            demonstration=demonstration,
            uscc=own,
            definitions=definitions,
        )
        found.append(Beside(value, gap(value.value, [one.reason for one in verdicts])))
    return found


def reasons_of(one: Gap) -> list[Name]:
    """What may explain the difference, each with its number of machines."""
    found = [
        Name(f"{REASON_NAMES[reason].zh} {n} 台", f"{REASON_NAMES[reason].en}: {n}")
        for reason, n in (*one.lacking.items(), *one.excluded.items())
    ]
    if one.unlisted:
        found.append(Name(f"不在台账 {one.unlisted} 台", f"not in the ledger: {one.unlisted}"))
    return found


def as_file(found: list[Beside], definition: Definition, month: str) -> Table:
    """The lines to take away."""
    return Table(
        name=f"{definition.id}-{month}-declared",
        columns=COLUMNS,
        rows=[_row(one, definition) for one in found],
        notes={"definition": definition.id, "month": month},
    )


def _row(one: Beside, definition: Definition) -> dict[str, Cell]:
    write, value, gap_ = shown_by(definition), one.declared.value, one.gap
    declared_rate, collected = gap_.declared_rate, gap_.collected_rate
    reasons = reasons_of(gap_)
    return {
        "uscc": value.uscc,
        "declared_networked": value.networked,
        "declared_equipment": value.equipment,
        "declared_percent": None if declared_rate is None else write(declared_rate),
        "collected_networked": gap_.networked,
        "collected_equipment": gap_.equipment,
        "collected_percent": None if collected is None else write(collected),
        "points": None if gap_.points is None else points_text(gap_.points),
        "declared_by": value.declared_by,
        "source": value.source,
        "reasons_zh": "；".join(name.zh for name in reasons),
        "reasons_en": "; ".join(name.en for name in reasons),
    }
