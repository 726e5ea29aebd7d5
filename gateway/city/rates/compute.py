"""From facts about machines in a month to rates. Pure; exact fractions throughout.

``K`` machines of ``N`` are networked. For a cell of enterprises ``e``::

    pooled = 100 × ΣK / ΣN
    mean   = 1/n × Σ (100 × K_e / N_e)      over the n enterprises with N_e > 0

Nothing is rounded here; for display :mod:`gateway.city.rates.reports.shown` does it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from operator import attrgetter
from typing import Literal

from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.model import Continuity, Definition
from gateway.city.rates.reasons import Reason


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise of the ledger on the as-of day.

    Attributes:
        name: as the ledger has it.
        county: GB/T 2260 code.
        industry: GB/T 4754 class.
        in_scope: it is in the definition's scope.
        verified: its ledger was verified by that day.
    """

    name: str
    county: str
    industry: str
    in_scope: bool
    verified: bool


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
        return Reason.NOT_IN_SERVICE
    # Whoever came within the month had no whole month to show regular data.
    if machine.commissioned_on is not None and machine.commissioned_on >= period.first:
        return Reason.NEWLY_COMMISSIONED
    if not _reaches(machine, definition.denominator_level):
        return Reason.NEVER_CONNECTED
    return None


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


@dataclass(frozen=True, slots=True)
class Tally:
    """Numerator and denominator of one enterprise."""

    uscc: str
    county: str
    industry: str
    networked: int
    equipment: int


def tally(
    enterprises: Mapping[str, Enterprise], counts: Mapping[str, tuple[int, int]]
) -> list[Tally]:
    """Numerator and denominator of every enterprise in scope; one without machines has ``N = 0``.

    Args:
        enterprises: by USCC.
        counts: networked and counted machines of each, by USCC.
    """
    return [
        _tally(uscc, one, *counts.get(uscc, (0, 0)))
        for uscc, one in enterprises.items()
        if one.in_scope
    ]


def tally_ledgers(enterprises: Mapping[str, Enterprise]) -> list[Tally]:
    """Count the enterprises in scope themselves: how many of them have a verified ledger."""
    return [_tally(uscc, one, one.verified, 1) for uscc, one in enterprises.items() if one.in_scope]


def _tally(uscc: str, enterprise: Enterprise, networked: int, equipment: int) -> Tally:
    return Tally(uscc, enterprise.county, enterprise.industry, int(networked), equipment)


@dataclass(frozen=True, slots=True)
class Cell:
    """A rate with the integers it comes from; ``None`` where nothing can be divided.

    Attributes:
        networked: numerator ΣK.
        equipment: denominator ΣN.
        enterprises: n, those with ``N_e > 0``.
        pooled: per cent, exact.
        mean: per cent, exact.
    """

    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None


def cell(tallies: Iterable[Tally]) -> Cell:
    """The rate of a set of enterprises."""
    # An enterprise without machines has no rate of its own that a mean could take in.
    counted = [one for one in tallies if one.equipment > 0]
    networked = sum(one.networked for one in counted)
    equipment = sum(one.equipment for one in counted)
    if not counted:
        return Cell(0, 0, 0, None, None)
    pooled = percent(networked, equipment)
    # A city has ten thousand cells of one enterprise each, and fractions are slow.
    mean = pooled if len(counted) == 1 else _mean(counted)
    return Cell(networked, equipment, len(counted), pooled, mean)


def _mean(tallies: list[Tally]) -> Fraction:
    """Mean of the enterprises' rates; equal denominators are added first, which keeps it fast."""
    by_size: dict[int, int] = defaultdict(int)
    for one in tallies:
        by_size[one.equipment] += one.networked
    total = sum((Fraction(k, n) for n, k in sorted(by_size.items())), Fraction(0))
    return 100 * total / len(tallies)


Dimension = Literal["county", "industry", "enterprise"]
DIMENSIONS: tuple[Dimension, ...] = ("county", "industry", "enterprise")

_KEYS: dict[Dimension, Callable[[Tally], str]] = {
    "county": attrgetter("county"),
    "industry": attrgetter("industry"),
    "enterprise": attrgetter("uscc"),
}


def partition(tallies: Iterable[Tally], by: Dimension) -> Mapping[str, Cell]:
    """The rates of the parts that a dimension cuts the enterprises into, in order of the key."""
    key = _KEYS[by]
    parts: dict[str, list[Tally]] = defaultdict(list)
    for one in tallies:
        parts[key(one)].append(one)
    return {name: cell(parts[name]) for name in sorted(parts)}


CITY = "city"
"""Dimension and key of the total."""

Cells = Mapping[str, Mapping[str, Cell]]
"""The rates of a month by dimension and key; the total under :data:`CITY`."""


def all_cells(tallies: Sequence[Tally]) -> Cells:
    """The total, pooled over all enterprises, and every dimension."""
    return {CITY: {CITY: cell(tallies)}, **{by: partition(tallies, by) for by in DIMENSIONS}}


def unknown(cells: Cells) -> Cells:
    """The machines without their rates: what nobody knows is not 0 %."""
    return {
        by: {key: replace(part, pooled=None, mean=None) for key, part in parts.items()}
        for by, parts in cells.items()
    }


def percent(networked: int, equipment: int) -> Fraction | None:
    """``100 × K / N``; None for ``N = 0``, which is neither 0 nor 100 %."""
    return Fraction(100 * networked, equipment) if equipment else None
