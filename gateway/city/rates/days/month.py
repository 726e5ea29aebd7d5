"""What a machine's days amount to in a month. Pure."""

from datetime import date
from typing import NamedTuple


class MachineMonth(NamedTuple):
    """What the ledger and the evidence say of one machine in one month.

    Attributes:
        equipment_class: production, aux or test.
        status: on the as-of day; None before its first entry.
        commissioned_on: None if unknown, or long ago.
        service_days: in-service days of the window that are over, and today if it has evidence.
        silent_days: those of them after the last valid one; all, if there was none.
        seen: there is valid data of any source on one of them.
        valid_days: those of them with valid data at the definition's level.
        last_valid: last of the valid days.
        doubtful: there are data on one of them that are not valid: uncertain or repeated.
        answering: it answers now.
        same_unit_as: number of the machine for which the same unit counts already.
        start_unknown: nothing says that it was commissioned before the month.
        undated_days: in-service days of which that is undetermined, since a date is missing.
        unproven: there is valid data at the definition's level on one of them.
        end_undated: the as-of day is one of them.
        digital: the ledger says that it is a digital machine.
        key: the ledger says that it is key equipment.
        stopped_days: in-service days on which it stood still by plan, on neither side.
        stopped_late: those of them of which it was said when they were over.
        rest_days: in-service days of rest, on neither side.
        own_rest: those of them that only a schedule of its enterprise makes ones of rest.
        rest_late: in-service days that a schedule made otherwise when they were over.
    """

    equipment_class: str
    status: str | None
    commissioned_on: date | None
    service_days: int
    silent_days: int
    seen: bool
    valid_days: int
    last_valid: date | None
    doubtful: bool = False
    answering: bool = False
    same_unit_as: str = ""
    start_unknown: bool = False
    undated_days: int = 0
    unproven: bool = False
    end_undated: bool = False
    digital: bool = False
    key: bool = False
    stopped_days: int = 0
    stopped_late: int = 0
    rest_days: int = 0
    own_rest: int = 0
    rest_late: int = 0
