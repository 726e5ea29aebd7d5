"""From facts about machines in a month to rates. Pure; exact fractions throughout.

``K`` machines of ``N`` are networked. For a cell of enterprises ``e``::

    pooled = 100 × ΣK / ΣN
    mean   = 1/n × Σ (100 × K_e / N_e)      over the n enterprises with N_e > 0

Nothing is rounded but by :func:`percent_text`, for display.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter
from typing import Literal

from gateway.city.rates.model import Band, Continuity, Definition


class Reason(StrEnum):
    """Why a machine is counted as it is."""

    NETWORKED = "networked"
    ANSWERING = "answering"
    OUT_OF_SCOPE = "out_of_scope"
    LEDGER_UNVERIFIED = "ledger_unverified"
    CLASS_EXCLUDED = "class_excluded"
    NOT_IN_SERVICE = "not_in_service"
    NEWLY_COMMISSIONED = "newly_commissioned"
    NEVER_CONNECTED = "never_connected"
    NO_EVIDENCE = "no_evidence"
    SENSOR_ONLY = "sensor_only"
    TOO_FEW_DAYS = "too_few_days"
    SILENT_AT_END = "silent_at_end"
    NOT_ANSWERING = "not_answering"


@dataclass(frozen=True, slots=True)
class MachineMonth:
    """What the ledger and the evidence say of one machine in one month.

    Attributes:
        equipment_id: key in the ledger.
        uscc: enterprise.
        county: GB/T 2260 code of the enterprise.
        industry: GB/T 4754 class of the enterprise.
        in_scope: the enterprise is in the definition's scope on the as-of day.
        ledger_verified: the enterprise's ledger was verified by the as-of day.
        equipment_class: production, aux or test.
        status: on the as-of day; None before its first entry.
        commissioned_on: None if unknown, which is taken as long ago.
        service_days: in-service days of the window that are over, and today if it has evidence.
        seen_days: of those, days with valid data of any source.
        valid_days: of those, days with valid data at the definition's level.
        last_valid: last of the valid days.
        answering: it answers now.
    """

    equipment_id: int
    uscc: str
    county: str
    industry: str
    in_scope: bool
    ledger_verified: bool
    equipment_class: str
    status: str | None
    commissioned_on: date | None
    service_days: int
    seen_days: int
    valid_days: int
    last_valid: date | None
    answering: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A month ``YYYY-MM`` from its first day to the day it is judged on (inclusive)."""

    month: str
    first: date
    as_of: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a machine is in the denominator, whether in the numerator, and why."""

    counted: bool
    networked: bool
    reason: Reason


def judge(definition: Definition, machine: MachineMonth, period: Period) -> Verdict:
    """Decide one machine by the predicates of one definition."""
    reason = _exclusion(definition, machine, period)
    if reason is not None:
        return Verdict(counted=False, networked=False, reason=reason)
    reason = _shortfall(definition, machine, period)
    if reason is not None:
        return Verdict(counted=True, networked=False, reason=reason)
    met = Reason.ANSWERING if definition.measure == "answering" else Reason.NETWORKED
    return Verdict(counted=True, networked=True, reason=met)


def _exclusion(definition: Definition, machine: MachineMonth, period: Period) -> Reason | None:
    """Why a machine is not in the denominator; None if it is."""
    tests = (
        (machine.in_scope, Reason.OUT_OF_SCOPE),
        (machine.ledger_verified or not definition.excludes_unverified, Reason.LEDGER_UNVERIFIED),
        (_of_class(definition, machine), Reason.CLASS_EXCLUDED),
        (machine.status in definition.statuses, Reason.NOT_IN_SERVICE),
        (_commissioned_before(machine, period.first), Reason.NEWLY_COMMISSIONED),
        (_reaches(machine, definition.denominator_level), Reason.NEVER_CONNECTED),
    )
    return next((reason for passed, reason in tests if not passed), None)


def _of_class(definition: Definition, machine: MachineMonth) -> bool:
    return not definition.classes or machine.equipment_class in definition.classes


def _commissioned_before(machine: MachineMonth, first: date) -> bool:
    return machine.commissioned_on is None or machine.commissioned_on < first


def _reaches(machine: MachineMonth, level: int) -> bool:
    return level == 0 or (machine.seen_days if level == 1 else machine.valid_days) > 0


def _shortfall(definition: Definition, machine: MachineMonth, period: Period) -> Reason | None:
    """What a machine of the denominator lacks to be in the numerator; None: nothing."""
    if definition.measure == "answering":
        return None if machine.answering else Reason.NOT_ANSWERING
    if machine.valid_days == 0:
        return Reason.SENSOR_ONLY if machine.seen_days else Reason.NO_EVIDENCE
    return _discontinuity(definition.continuity, machine, period)


def _discontinuity(rule: Continuity | None, machine: MachineMonth, period: Period) -> Reason | None:
    if rule is None:
        return None
    if machine.valid_days * 100 < machine.service_days * rule.percent_of_days:
        return Reason.TOO_FEW_DAYS
    if machine.last_valid is None or (period.as_of - machine.last_valid).days > rule.within_days:
        return Reason.SILENT_AT_END
    return None


@dataclass(frozen=True, slots=True)
class Tally:
    """Numerator and denominator of one enterprise."""

    uscc: str
    county: str
    industry: str
    networked: int
    equipment: int


def tally(definition: Definition, machines: Iterable[MachineMonth], period: Period) -> list[Tally]:
    """Count machines by enterprise; one in scope whose machines are all out has ``N = 0``."""
    counts: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for machine in machines:
        if not machine.in_scope:
            continue
        verdict = judge(definition, machine, period)
        count = counts[machine.uscc, machine.county, machine.industry]
        count[0] += verdict.networked
        count[1] += verdict.counted
    return [Tally(*place, *count) for place, count in counts.items()]


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
    counted = [one for one in tallies if one.equipment > 0]
    networked = sum(one.networked for one in counted)
    equipment = sum(one.equipment for one in counted)
    if not counted:
        return Cell(0, 0, 0, None, None)
    return Cell(networked, equipment, len(counted), percent(networked, equipment), _mean(counted))


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


def percent(networked: int, equipment: int) -> Fraction | None:
    """``100 × K / N``; None for ``N = 0``, which is neither 0 nor 100 %."""
    return Fraction(100 * networked, equipment) if equipment else None


def score(bands: Iterable[Band], rate: Fraction | None) -> Fraction | None:
    """Points of a rate by right-closed bands; 60 % exactly is still in (40, 60]."""
    if rate is None:
        return None
    for band in sorted(bands, key=lambda band: band.upto):
        if rate <= band.upto:
            return band.score
    return None


def percent_text(rate: Fraction | None, decimals: int = 2) -> str:
    """A rate for display, rounded half up: ``47.73``; ``—`` if there is none."""
    if rate is None:
        return "—"
    unit = 10**decimals
    whole, part = divmod(
        (2 * rate.numerator * unit + rate.denominator) // (2 * rate.denominator), unit
    )
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)
