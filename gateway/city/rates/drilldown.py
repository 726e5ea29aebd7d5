"""Why each machine is counted as it is."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.city.rates.compute import Reason, judge
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.facts import Inquiry, Machine, MachineFact, enterprises, machines
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.reasons import REASON_NAMES


@dataclass(frozen=True, slots=True)
class MachineVerdict:
    """Whether one machine counts in a month, and why.

    Attributes:
        counted: in the denominator.
        networked: in the numerator.
        reason: code of the reason; its words are ``reason_zh`` and ``reason_en``.
        status: ledger status on the as-of day; None before its first entry.
        service_days: in-service days the continuity is measured on.
        seen_days: of those, days with valid data of any source.
        valid_days: of those, days with valid data at the definition's level.
        last_valid: last valid day of the window.
    """

    equipment_id: int
    uscc: str
    site_no: str
    asset_no: str
    name: str
    equipment_class: str
    status: str | None
    counted: bool
    networked: bool
    reason: Reason
    reason_zh: str
    reason_en: str
    service_days: int
    seen_days: int
    valid_days: int
    last_valid: date | None


def machine_facts(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[Machine] = frozenset(),
    uscc: str | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> list[MachineVerdict]:
    """Every machine of the ledger, or of one enterprise: counted or not, networked or not, why.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, or one that has not begun.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    period = period_of(month, now_ms)
    inquiry = Inquiry(definition, period, now_ms, demonstration, answering, uscc)
    return [
        _verdict(inquiry, fact)
        for fact in machines(connection, inquiry, enterprises(connection, inquiry))
    ]


def _verdict(inquiry: Inquiry, fact: MachineFact) -> MachineVerdict:
    month = fact.month
    verdict = judge(inquiry.definition, month, inquiry.period)
    words = REASON_NAMES[verdict.reason]
    return MachineVerdict(
        equipment_id=month.equipment_id,
        uscc=month.uscc,
        site_no=fact.site_no,
        asset_no=fact.asset_no,
        name=fact.name,
        equipment_class=month.equipment_class,
        status=month.status,
        counted=verdict.counted,
        networked=verdict.networked,
        reason=verdict.reason,
        reason_zh=words.zh,
        reason_en=words.en,
        service_days=month.service_days,
        seen_days=month.seen_days,
        valid_days=month.valid_days,
        last_valid=month.last_valid,
    )
