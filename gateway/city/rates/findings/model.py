"""What the checks look at, and what they find. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from gateway.city.rates.model import StrictModel


class Rules(StrictModel):
    """When a pattern is told; the reasons stand beside the numbers, in ``rules.yaml``."""

    version: int = Field(ge=1)
    one_in: int = Field(ge=1, description="chance alone makes the pattern in one of so many cases")
    least_enterprises: int = Field(ge=1)
    least_count: int = Field(ge=10)
    least_days: int = Field(ge=1)
    agreeing_percent: int = Field(ge=1, le=100)
    spread_ms: int = Field(ge=0)
    midnight_ms: int = Field(ge=0)
    near_threshold: int = Field(ge=1)
    silent_days: int = Field(ge=1)
    silent_percent: int = Field(ge=1, le=100)
    least_machines: int = Field(ge=1)
    last_days: int = Field(ge=1, le=28)
    valid_percent: int = Field(ge=0, le=100)
    run_values: int = Field(ge=4, le=64)
    least_steps: int = Field(ge=2)
    least_runs: int = Field(ge=1)
    resembling_percent: int = Field(ge=1, le=100)
    outside_percent: int = Field(ge=1, le=100)


class Kind(StrEnum):
    """What was found."""

    HEAPED = "heaped"
    SAME_TIMES = "same_times"
    FIXED_TIMES = "fixed_times"
    MOSTLY_INVALID = "mostly_invalid"
    AT_THRESHOLD = "at_threshold"
    UPTO_SNAPSHOT = "upto_snapshot"
    SHRUNK = "shrunk"
    SAME_VALUES = "same_values"
    SAME_DAYS = "same_days"
    OUTSIDE_RANGE = "outside_range"


class Times(NamedTuple):
    """When the values of a day began and ended, milliseconds since midnight in Shanghai."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MachineDays:
    """A machine's month, and the week behind it. Of a mask bit d is day d + 1 of the month.

    Attributes:
        number: site and asset number, ``1/BR-001``.
        place: gateway and device that sent it, any one; empty: unknown.
        service: days in service.
        valid: of those that count, days with valid data at the headline's level.
        after: days that count of the week behind the month that are over.
        valid_after: of those, days with valid data.
        excused: of ``service``, days on neither side: of rest, and of planned stops.
        networked: it counts in the numerator of the month.
        times: of days with data.
        counts: values valid and due of a day, as edges counted them.
    """

    number: str
    place: str
    service: int
    valid: int
    after: int = 0
    valid_after: int = 0
    excused: int = 0
    networked: bool = False
    times: Mapping[int, Times] = field(default_factory=dict)
    counts: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def due(self) -> int:
        """Days in service that count."""
        return self.service & ~self.excused


@dataclass(frozen=True, slots=True)
class EnterpriseDays:
    """The machines of an enterprise in a month.

    Attributes:
        uscc: its code.
        month: ``YYYY-MM``.
        days: of the month.
        percent_of_days: share of the in-service days that the headline asks for; 0: none.
        machines: of the ledger that are or were in service in the month.
    """

    uscc: str
    month: str
    days: int
    percent_of_days: int
    machines: tuple[MachineDays, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern that is worth a look.

    Attributes:
        kind: which.
        whose: USCC, or code of the county.
        machines: site and asset numbers of those it rests on; of machines of several enterprises
            with the USCC before.
        numbers: by name in its sentences.
        part: which counts of a county it is about; empty: of an enterprise.
    """

    kind: Kind
    whose: str
    machines: tuple[str, ...]
    numbers: Mapping[str, int]
    part: str = ""
