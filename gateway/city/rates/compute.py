"""From facts about machines in a month to numerator and denominator of enterprises. Pure.

What becomes of them in a cell is in :mod:`gateway.city.rates.cells`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.model import Continuity, Definition
from gateway.city.rates.reasons import Reason, out_of_service


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise of the ledger on the as-of day.

    Attributes:
        name: as the ledger has it.
        county: GB/T 2260 code.
        industry: GB/T 4754 class.
        in_scope: it is in the definition's scope.
        verified: its ledger was verified by that day.
        area: functional area; empty: none.
        size: size class; empty: unknown.
    """

    name: str
    county: str
    industry: str
    in_scope: bool
    verified: bool
    area: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """A month ``YYYY-MM`` from its first day to the day it is judged on (inclusive).

    Attributes:
        began_on: when the city began; no day before it counts. None: all days count.
    """

    month: str
    first: date
    as_of: date
    began_on: date | None = None


def judge(
    definition: Definition, enterprise: Enterprise, machine: MachineMonth, period: Period
) -> Reason:
    """Decide one machine by the predicates of one definition."""
    # The first reason that applies is the answer: a machine out of scope is never called silent.
    return (
        _enterprise_exclusion(definition, enterprise)
        or _machine_exclusion(definition, machine, period)
        or _shortfall(definition, machine)
        or (Reason.SAME_UNIT if machine.same_unit_as else None)
        or _MET.get(definition.measure, Reason.NETWORKED)
    )


_MET = {"answering": Reason.ANSWERING, "digital": Reason.DIGITAL}


def meets(definition: Definition, machine: MachineMonth, period: Period) -> bool:
    """Whether a machine of an enterprise that counts is itself in the numerator."""
    exclusion = _machine_exclusion(definition, machine, period)
    return (exclusion or _shortfall(definition, machine)) is None


def is_asked_for(definition: Definition, machine: MachineMonth, period: Period) -> bool:
    """Whether a machine is in the denominator, or would be if its enterprise were."""
    return _machine_exclusion(definition, machine, period) is None


def has_no_say(definition: Definition, enterprise: Enterprise) -> bool:
    """Whether no machine of an enterprise is in the denominator, whatever it is."""
    return _enterprise_exclusion(definition, enterprise) is not None


def _enterprise_exclusion(definition: Definition, enterprise: Enterprise) -> Reason | None:
    """Why no machine of an enterprise is in the denominator; None if they may be."""
    if not enterprise.in_scope:
        return Reason.OUT_OF_SCOPE
    if definition.excludes_unverified and not enterprise.verified:
        return Reason.LEDGER_UNVERIFIED
    return None


def _machine_exclusion(
    definition: Definition, machine: MachineMonth, period: Period
) -> Reason | None:
    """Why a machine is not in the denominator; None if it is."""
    if (exclusion := _kind_exclusion(definition, machine)) is not None:
        return exclusion
    if machine.status not in definition.statuses:
        return out_of_service(machine.status)
    # Whoever came within the month had no whole month to show regular data.
    if machine.commissioned_on is not None and machine.commissioned_on >= period.first:
        return Reason.NEWLY_COMMISSIONED
    if (excuse := _excuse(machine)) is not None:
        return excuse
    return None if _reaches(machine, definition.denominator_level) else Reason.NEVER_CONNECTED


def _excuse(machine: MachineMonth) -> Reason | None:
    """Why no day of a machine counts, by what its enterprise said; None: some do."""
    if machine.service_days:
        return None
    if machine.stopped_days:
        return Reason.PLANNED_STOP
    return Reason.NO_DAY_COUNTS if machine.own_rest else None


def _kind_exclusion(definition: Definition, machine: MachineMonth) -> Reason | None:
    """Why a definition does not ask for machines like this one; None if it does."""
    if definition.classes and machine.equipment_class not in definition.classes:
        return Reason.CLASS_EXCLUDED
    if "digital" in definition.only and not machine.digital:
        return Reason.DIGITAL_EXCLUDED
    if "key" in definition.only and not machine.key:
        return Reason.KEY_EXCLUDED
    return None


def _reaches(machine: MachineMonth, level: int) -> bool:
    if level == 1:
        return machine.seen
    return level == 0 or machine.valid_days > 0 or machine.unproven


def _shortfall(definition: Definition, machine: MachineMonth) -> Reason | None:
    """What a machine of the denominator lacks to be in the numerator; None: nothing.

    A date that is missing never helps: where it decides, it is what lacks.
    """
    lacking = _found_lacking(definition, machine)
    if lacking is not None or not (machine.start_unknown or machine.end_undated):
        return lacking
    return _missing_date(machine)


def _missing_date(machine: MachineMonth) -> Reason:
    return Reason.START_UNDATED if machine.start_unknown else Reason.STATUS_UNDATED


def _found_lacking(definition: Definition, machine: MachineMonth) -> Reason | None:
    if definition.measure == "digital":  # of the ledger alone: no data can prove or refute it
        return None if machine.digital else Reason.NOT_DIGITAL
    if definition.measure == "answering" and not machine.answering:
        return Reason.NOT_ANSWERING
    if machine.valid_days == 0 and machine.unproven:
        return _missing_date(machine)
    if definition.measure == "answering":
        return None
    if machine.valid_days == 0:
        return _absence(machine)
    return _discontinuity(definition.continuity, machine)


def _absence(machine: MachineMonth) -> Reason:
    """Why a machine has no valid day at the level."""
    if machine.seen:
        return Reason.SENSOR_ONLY
    return Reason.UNCERTAIN_ONLY if machine.doubtful else Reason.NO_EVIDENCE


def _discontinuity(rule: Continuity | None, machine: MachineMonth) -> Reason | None:
    if rule is None:
        return None
    if not _are_enough(rule, machine.valid_days, machine.service_days):
        if _are_enough(rule, machine.valid_days, machine.service_days - machine.undated_days):
            return _missing_date(machine)
        return Reason.TOO_FEW_DAYS
    # In-service days here, too: who was sealed for two weeks was not silent in them.
    return Reason.SILENT_AT_END if machine.silent_days > rule.within_days else None


def _are_enough(rule: Continuity, valid: int, service: int) -> bool:
    # In whole numbers, so that exactly the share that is asked for is enough.
    return valid * 100 >= service * rule.percent_of_days


class Counts(NamedTuple):
    """Machines of one enterprise.

    Attributes:
        networked: K.
        counted: N.
        undetermined: of N, those that only a missing date keeps out of K.
        asked_for: those that would be in N if the enterprise were.
        machines: all that its ledger has.
        excused: those that only excused days keep out of N.
    """

    networked: int = 0
    counted: int = 0
    undetermined: int = 0
    asked_for: int = 0
    machines: int = 0
    excused: int = 0


def tally(
    enterprises: Mapping[str, Enterprise],
    counts: Mapping[str, Counts],
    *,
    needs_verified: bool = False,
) -> list[Tally]:
    """Numerator and denominator of every enterprise in scope; one without machines has ``N = 0``.

    One of which nothing is known – its ledger is not verified though it has to be, or is empty –
    is *missing*. Its machines are assumed: those of its ledger, or else as many as the others
    of its size class have in the mean.

    Args:
        enterprises: by USCC.
        counts: machines of each, by USCC.
        needs_verified: a ledger that nobody has verified says nothing.
    """
    found = {
        uscc: _tally(uscc, one, counts.get(uscc, Counts()), needs_verified=needs_verified)
        for uscc, one in enterprises.items()
        if one.in_scope
    }
    covered = [one for one in found.values() if not one.missing]
    return [
        replace(one, assumed=_likely(one, covered))
        if one.missing and not _has_ledger(counts, uscc)
        else one
        for uscc, one in found.items()
    ]


def _likely(one: Tally, covered: Sequence[Tally]) -> Fraction | None:
    """Machines of one that nothing else is known of: the mean of its size class, or of all."""
    alike = [other for other in covered if one.size and other.size == one.size] or covered
    return Fraction(sum(other.equipment for other in alike), len(alike)) if alike else None


def _has_ledger(counts: Mapping[str, Counts], uscc: str) -> bool:
    return uscc in counts and counts[uscc].machines > 0


def tally_ledgers(enterprises: Mapping[str, Enterprise]) -> list[Tally]:
    """Count the enterprises in scope themselves: how many of them have a verified ledger."""
    return [
        _tally(uscc, one, Counts(int(one.verified), 1, machines=1))
        for uscc, one in enterprises.items()
        if one.in_scope
    ]


def _tally(
    uscc: str, enterprise: Enterprise, counts: Counts, *, needs_verified: bool = False
) -> Tally:
    missing = not enterprise.verified and (needs_verified or not counts.machines)
    return Tally(
        uscc,
        enterprise.county,
        enterprise.industry,
        counts.networked,
        counts.counted,
        area=enterprise.area,
        size=enterprise.size,
        verified=enterprise.verified,
        undetermined=counts.undetermined,
        missing=missing,
        assumed=Fraction(counts.asked_for) if missing else None,
    )
