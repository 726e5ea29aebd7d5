"""Why each machine is counted as it is."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from gateway.city.db.operation import began_on
from gateway.city.db.tables import equipment
from gateway.city.ledger.codes import Name
from gateway.city.ledger.names import MachineName
from gateway.city.rates.compute import Enterprise, judge
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.facts import MachineFact, enterprises, machine_months, machines
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.reasons import REASON_NAMES, Reason, same_unit_as


@dataclass(frozen=True, slots=True)
class MachineVerdict:
    """Whether one machine counts in a month, and why.

    Attributes:
        reason: whether it is in the denominator (``counted``) and in the numerator
            (``networked``), and why.
        status: ledger status on the as-of day; None before its first entry.
        window_days: days that the definition looks at.
        service_days: in-service days the continuity is measured on.
        undated_days: of those, days of which it is undetermined whether it was in service.
        valid_days: of those, days with valid data at the definition's level.
        last_valid: last valid day of the window.
        stopped_days: days in service on which it stood still by plan; they are on neither side.
        stopped_late: of those, days of which it was said when they were over.
        rest_days: days of rest in service; they are on neither side, too.
        rest_late: days in service that a schedule made ones of rest, or of work, when they were
            over.
        same_unit_as: number of the machine for which the same unit counts.
    """

    equipment_id: int
    uscc: str
    site_no: str
    asset_no: str
    name: str
    equipment_class: str
    status: str | None
    reason: Reason
    window_days: int
    service_days: int
    undated_days: int
    valid_days: int
    last_valid: date | None
    same_unit_as: str = ""
    stopped_days: int = 0
    stopped_late: int = 0
    rest_days: int = 0
    rest_late: int = 0

    @property
    def why(self) -> Name:
        """The reason for Chinese and for English readers."""
        if self.reason is Reason.SAME_UNIT:
            return same_unit_as(self.same_unit_as)
        return REASON_NAMES[self.reason]


def machine_facts(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    uscc: str | None = None,
    definitions: Mapping[str, Definition] | None = None,
) -> list[MachineVerdict]:
    """Every machine of the ledger, or of one enterprise: counted or not, networked or not, why.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    period = period_of(month, now_ms, began_on(connection))
    inquiry = Inquiry(definition, period, now_ms, demonstration, answering, uscc)
    known = enterprises(connection, inquiry)
    return [
        _verdict(inquiry, known[fact.uscc], fact)
        for fact in machines(connection, inquiry)
        if fact.uscc in known
    ]


def verdicts_of(
    connection: Connection, machine_id: int, inquiries: Sequence[Inquiry]
) -> dict[str, MachineVerdict]:
    """How several definitions count one machine, from one reading of its enterprise.

    Args:
        connection: the city's database.
        machine_id: of a machine of the ledger.
        inquiries: about its enterprise, each by another definition.

    Returns:
        By id of the definition; without those by which its enterprise was not known yet.
    """
    columns = equipment.c
    query = select(columns.id, columns.uscc, columns.site_no, columns.asset_no, columns.name)
    row = connection.execute(query.where(columns.id == machine_id)).one()
    found = {}
    months = machine_months(connection, inquiries) if inquiries else []
    for inquiry, month in zip(inquiries, months, strict=True):
        place = month.ledger.place_of([machine_id]).get(machine_id)
        enterprise = enterprises(connection, inquiry).get(row.uscc)
        if place is not None and enterprise is not None:
            fact = MachineFact(*row, month.at(place))
            found[inquiry.definition.id] = _verdict(inquiry, enterprise, fact)
    return found


def _verdict(inquiry: Inquiry, enterprise: Enterprise, fact: MachineFact) -> MachineVerdict:
    month = fact.month
    return MachineVerdict(
        equipment_id=fact.equipment_id,
        uscc=fact.uscc,
        site_no=fact.site_no,
        asset_no=fact.asset_no,
        name=fact.name,
        equipment_class=month.equipment_class,
        status=month.status,
        reason=judge(inquiry.definition, enterprise, month, inquiry.period),
        window_days=(inquiry.window.as_of - inquiry.window.first).days + 1,
        service_days=month.service_days,
        undated_days=month.undated_days,
        valid_days=month.valid_days,
        last_valid=month.last_valid,
        same_unit_as=month.same_unit_as,
        stopped_days=month.stopped_days,
        stopped_late=month.stopped_late,
        rest_days=month.rest_days,
        rest_late=month.rest_late,
    )
