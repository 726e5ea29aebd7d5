"""What is known of a machine's day, and what the day is to a definition. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.city.evidence.counts import DayCounts
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import DayOfRest
from gateway.city.ledger.stops.table import Stop
from gateway.city.rates.model import Definition
from gateway.city.rates.reasons import Reason

_OFFICIAL = DayOfRest(None)
_CONTROLLER, _SENSOR_LEVEL = "controller", 1


@dataclass(frozen=True, slots=True)
class Source:
    """What one kind of source proves of a machine on a day.

    Attributes:
        source: ``controller`` (the machine's own) or ``sensor``.
        synthetic: simulated; it counts in a demonstration only.
        gateway: that sent it, the last one of several.
        good_hours: hours with GOOD values; bit h is the hour that begins at h, Asia/Shanghai.
        uncertain_hours: with UNCERTAIN ones.
        replayed_hours: with values that the source repeated.
        first_ms: first value of the day, UTC milliseconds.
        last_ms: last one.
        late_days: how many days after its day further data came, each time that some did.
    """

    source: str
    synthetic: bool
    gateway: str
    good_hours: int
    uncertain_hours: int
    replayed_hours: int
    first_ms: int
    last_ms: int
    late_days: tuple[int, ...] = ()

    def is_valid(self, definition: Definition) -> bool:
        """Whether a definition takes its values for valid data, of whatever level."""
        uncertain = self.uncertain_hours if definition.count_uncertain else 0
        return bool(self.good_hours | uncertain)

    def is_at_level(self, definition: Definition) -> bool:
        """Whether it is the kind of source that a definition asks for."""
        return definition.level == _SENSOR_LEVEL or self.source == _CONTROLLER


@dataclass(frozen=True, slots=True)
class ProofDay:
    """What is known of a machine on a day.

    Attributes:
        day: Asia/Shanghai day.
        service: in service by the ledger; None: undetermined, since a date is missing.
        rest: a day of rest by the schedule of its enterprise, or else by the official calendar,
            which some definitions leave out; None: the year's arrangement is not known.
        stop: by which the machine stood still by plan, which the same definitions leave out.
        sources: what came, by kind of source.
        counts: values valid and due, as its edges counted them; None: not told.
        gaps_ms: milliseconds of the day in gaps of its devices, by cause; gaps of several tags at
            one time are one.
        doubted_hours: hours of values that wait for their gateway's clock to be confirmed.
        schedule: the schedule that says whether it is a day of rest, and whether it was late.
    """

    day: date
    service: bool | None
    rest: bool | None
    sources: tuple[Source, ...]
    counts: DayCounts | None
    gaps_ms: Mapping[str, int]
    doubted_hours: int
    stop: Standing[Stop] | None = None
    schedule: DayOfRest = _OFFICIAL

    def first_ms(self) -> int | None:
        """Time of the first value of the day, of any source; None: none came."""
        return min((one.first_ms for one in self.sources), default=None)

    def last_ms(self) -> int | None:
        """Time of the last one."""
        return max((one.last_ms for one in self.sources), default=None)


class Mark(StrEnum):
    """What a day of a machine is to a definition."""

    VALID = "valid"
    SEEN = "seen"
    DOUBTFUL = "doubtful"
    MISSING = "missing"
    REST = "rest"
    STOPPED = "stopped"
    OUT = "out"
    UNDATED = "undated"
    PENDING = "pending"
    BEFORE = "before"


def mark_of(
    day: ProofDay,
    service: bool | None,
    definition: Definition,
    *,
    demonstration: bool,
    runs: bool = False,
) -> Mark:
    """What a day is: the same rules as those of the rate, in the same order.

    Args:
        day: what is known of it.
        service: in service by the definition's statuses; None: undetermined.
        definition: whose level and days hold.
        demonstration: synthetic data count too.
        runs: the day is not over: without valid data it is not missing yet.
    """
    if definition.days == "scheduled" and day.rest:
        return Mark.REST
    if service is False:
        return Mark.OUT
    if definition.days == "scheduled" and day.stop is not None:
        return Mark.STOPPED
    if service is None:
        return Mark.UNDATED
    came = _came(day, definition, demonstration=demonstration)
    return Mark.PENDING if runs and came is not Mark.VALID else came


def _came(day: ProofDay, definition: Definition, *, demonstration: bool) -> Mark:
    sources = [one for one in day.sources if demonstration or not one.synthetic]
    valid = [one for one in sources if one.is_valid(definition)]
    if any(one.is_at_level(definition) for one in valid):
        return Mark.VALID
    if valid:
        return Mark.SEEN
    return Mark.DOUBTFUL if sources or day.doubted_hours else Mark.MISSING


_DECIDED_BY = {
    Reason.TOO_FEW_DAYS: (Mark.MISSING, Mark.SEEN, Mark.DOUBTFUL),
    Reason.NO_EVIDENCE: (Mark.MISSING,),
    Reason.UNCERTAIN_ONLY: (Mark.DOUBTFUL,),
    Reason.SENSOR_ONLY: (Mark.SEEN,),
    Reason.START_UNDATED: (Mark.UNDATED,),
    Reason.STATUS_UNDATED: (Mark.UNDATED,),
    Reason.NETWORKED: (Mark.VALID,),
}
_SILENT = (Mark.MISSING, Mark.SEEN, Mark.DOUBTFUL)


def deciding(reason: Reason, marks: Mapping[date, Mark], last_valid: date | None) -> Sequence[date]:
    """The days of a month that made a verdict what it is, in order.

    Args:
        reason: of the verdict.
        marks: of the month's days, by the verdict's definition.
        last_valid: last day with valid data.

    Returns:
        None of them where no day decided, as for a class that does not count.
    """
    if reason is Reason.SILENT_AT_END:
        after = last_valid or date.min
        return [day for day, mark in sorted(marks.items()) if mark in _SILENT and day > after]
    wanted = _DECIDED_BY.get(reason, ())
    return [day for day, mark in sorted(marks.items()) if mark in wanted]
