"""How much a rate depends on the rule of continuity: the same month by other rules.

No source says how regularly a machine has to send. What another rule would make of the month is
shown beside the figure, from one reading of ledger and evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.frozen.results import final_table
from gateway.city.rates.model import Continuity, Definition
from gateway.city.rates.period import month_of
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.months import rate_months
from gateway.city.rates.reports.table import PublishedMonth
from gateway.core.days import day_of

_PROPOSED = Continuity(percent_of_days=80, within_days=7)
"""For a definition that has no rule of its own."""

RULES: Mapping[str, Name] = {
    "any": Name("当月任一天有有效数据", "valid data on any day of the month"),
    "days": Name("在用天数达标", "share of the days in service"),
    "scheduled": Name(
        "在用工作日达标（按企业排班或法定安排剔除休息日，并剔除计划停机日）",
        "the same, of working days by the plant's schedule or the calendar, without stops",
    ),
    "hours": Name("排班工时达标", "share of the scheduled hours"),
}
"""By key, in the order of what is shown."""

NO_SHIFTS = Name(
    "未知：排班日历只有日期，没有工时",
    "unknown: shift schedules name days and not hours",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A month by one rule.

    Attributes:
        rule: key of :data:`RULES`.
        continuity: what is asked for; None: one valid day is enough.
        is_own: it is the definition's own rule.
        month: the rates; None: it cannot be told.
    """

    rule: str
    continuity: Continuity | None
    is_own: bool
    month: PublishedMonth | None

    @property
    def name(self) -> Name:
        """The rule for Chinese and for English readers."""
        name, rule = RULES[self.rule], self.continuity
        if rule is None:
            return name
        asked, end = f"≥ {rule.percent_of_days}%", rule.within_days
        return Name(
            f"{name.zh}（{asked}，期末 {end} 天内有数据）",
            f"{name.en} ({asked}, data within {end} days of the end)",
        )


def sensitivity(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition] | None = None,
    progress: Progress = unreported,
) -> tuple[Variant, ...]:
    """A month by several rules; nothing for a definition that asks for no data of a month.

    It is for who sees all rows; ``publish`` narrows it to others.

    A final month is computed by the ledger as it was known when it was stored, so that its own
    rule gives what was published, unless evidence came later.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    known = definitions or builtin_definitions()
    definition = definition_of(known, definition_id)
    if definition.measure != "networked":
        return ()
    rules = by_rule(definition)
    shown = month or month_of(day_of(now_ms))
    stored = final_table(connection, definition_id, shown, (CITY,), demonstration)
    months = rate_months(
        connection,
        [(one.id, shown) for one in rules.values()],
        now_ms,
        demonstration=demonstration,
        definitions={one.id: one for one in rules.values()},
        progress=progress,
        as_known=None if stored is None else stored.ledger_change,
    )
    found = [
        Variant(rule, one.continuity, one is definition, publish(computed, WHOLE))
        for (rule, one), computed in zip(rules.items(), months, strict=True)
    ]
    return (*found, Variant("hours", None, is_own=False, month=None))


def by_rule(definition: Definition) -> dict[str, Definition]:
    """The definition with each rule; its own record where the rule is its own."""
    rule = definition.continuity or _PROPOSED
    changed = {
        "any": (None, "all"),
        "days": (rule, "all"),
        "scheduled": (rule, "scheduled"),
    }
    own = (definition.continuity, definition.days)
    return {
        name: definition
        if (continuity, days) == own
        else definition.model_copy(
            update={"id": f"{definition.id}-{name}", "continuity": continuity, "days": days}
        )
        for name, (continuity, days) in changed.items()
    }
