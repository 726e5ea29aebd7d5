"""What a rate definition says: fixed predicates as data, no expressions. Pure."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from gateway.city.rates.days.calendar import Calendar


def _exact(value: object) -> Fraction:
    return Fraction(str(value))


ExactNumber = Annotated[Fraction, BeforeValidator(_exact)]
"""A decimal of the YAML file, kept exactly: 1.5 is 3/2."""


EquipmentClass = Literal["production", "aux", "test"]
MachineKind = Literal["digital", "key"]
"""What the ledger says of a machine by yes or no; an empty cell is a no."""
LedgerStatus = Literal["in_use", "standby", "idle", "sealed", "scrapped", "building", "leased_out"]
"""Codes of ``gateway/city/ledger/codes.py``."""

ABOVE_SCALE = "above_scale"
"""The only rule of membership there is: 规上."""


_WHOLE = 100


class StrictModel(BaseModel):
    """Base of the records: unknown keys are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


class Continuity(StrictModel):
    """How regularly valid data must have arrived in the month."""

    percent_of_days: int = Field(ge=1, le=100, description="share of in-service days, per cent")
    within_days: int = Field(
        ge=0, le=31, description="in-service days after the last valid one, at most"
    )


class Scope(StrictModel):
    """Which enterprises belong to a rate."""

    kind: Literal["all", "roster", "rule"] = Field(description="how membership is decided")
    id: str = Field("", max_length=32, description="roster code, or the rule above_scale")

    @model_validator(mode="after")
    def _has_its_id(self) -> Self:
        if self.kind == "roster" and not self.id:
            raise ValueError("a roster needs its code as id")
        if self.kind == "rule" and self.id != ABOVE_SCALE:
            raise ValueError(f"there is no rule {self.id!r}; the only one is {ABOVE_SCALE}")
        return self


class Band(StrictModel):
    """One band of a score: ``above < rate <= upto``; the lowest also holds its lower edge."""

    above: ExactNumber = Field(description="lower edge, per cent, outside the band")
    upto: ExactNumber = Field(description="upper edge, per cent, inside the band")
    score: ExactNumber = Field(description="points")


class Question(StrictModel):
    """What the bureau has yet to answer about a definition."""

    zh: str = Field(description="for Chinese readers")
    en: str = Field(description="for English readers")


class Approval(StrictModel):
    """Who approved a definition record, by which document, and for which days it holds.

    It is no part of the record: a record that is approved counts as it did before.
    """

    id: str = Field(max_length=32, description="of the record")
    version: int = Field(ge=1, description="of the record")
    hash: str = Field(
        "", pattern=r"^([0-9a-f]{12,64})?$", description="beginning of the approved text's SHA-256"
    )
    approved_by: str = Field(min_length=1, max_length=100, description="body or person")
    approved_on: date = Field(description="day of the approval")
    document: str = Field(min_length=1, max_length=200, description="number of the document")
    valid_from: date = Field(description="first day that it holds for")
    valid_to: date | None = Field(None, description="last day; null: until further notice")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is before valid_from {self.valid_from}")
        return self

    def is_of(self, record: "Definition") -> bool:
        """Whether it is of this text of a record."""
        same = (self.id, self.version) == (record.id, record.version)
        return same and record.hash.startswith(self.hash)

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def overlaps(self, other: "Approval") -> bool:
        """Whether both are valid on a day."""
        later = max(self.valid_from, other.valid_from)
        return self.holds_on(later) and other.holds_on(later)


class Target(StrictModel):
    """What a county is to reach by a rate at the end of a year, by a document of its own.

    The plan's targets are the city's; a county for which nobody wrote one has none. It is no part
    of the record of the rate.
    """

    id: str = Field(max_length=32, description="of the record")
    county: str = Field(pattern=r"^[0-9]{6}$", description="GB/T 2260 code")
    year: int = Field(ge=2000, le=2100, description="holds on 31 December of it")
    percent: ExactNumber = Field(gt=0, le=100, description="per cent")
    document: str = Field(min_length=1, max_length=200, description="that sets it: its number")
    valid_from: date = Field(description="first day on which it is in force")
    valid_to: date | None = Field(None, description="last day; null: until further notice")

    def holds_on(self, day: date) -> bool:
        """Whether it is in force on a day, and its year is not over."""
        in_force = self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
        return in_force and day <= date(self.year, 12, 31)


class Definition(StrictModel):
    """One networking rate, versioned; a change of any field is a new version.

    ``measure`` says what the numerator counts: machines ``networked`` in a month, machines
    ``answering`` now, machines that are ``digital``, or enterprises with a verified ``ledger``.
    """

    id: str = Field(pattern=r"^[A-Z][A-Z0-9-]{0,31}$", description="short name, as ENR-A")
    version: int = Field(ge=1, description="counts up with every change")
    name_zh: str = Field(description="name for Chinese readers")
    name_en: str = Field(description="name for English readers")
    formula_zh: str = Field(description="formula for Chinese readers")
    formula_en: str = Field(description="formula for English readers")
    source_zh: str = Field("", description="where the definition comes from")
    source_en: str = Field("", description="where the definition comes from")
    measure: Literal["networked", "answering", "digital", "ledger"] = Field(
        description="what is counted"
    )
    classes: tuple[EquipmentClass, ...] = Field((), description="equipment classes; empty: all")
    only: tuple[MachineKind, ...] = Field(
        (), description="what a machine must be to be in N (and so in K); empty: anything"
    )
    statuses: tuple[LedgerStatus, ...] = Field(
        ("in_use", "standby"), description="ledger statuses that are in service"
    )
    level: int = Field(2, ge=1, le=2, description="1 seen by a sensor, 2 by its own controller")
    denominator_level: int = Field(
        0, ge=0, le=2, description="level a machine needs to be in N; at most that of K"
    )
    continuity: Continuity | None = Field(None, description="null: one valid day is enough")
    days: Literal["all", "scheduled"] = Field(
        "all",
        description="which in-service days count; scheduled: not those of rest by the "
        "enterprise's schedule, or else the official calendar, nor planned stops",
    )
    window_days: int | None = Field(
        None, ge=1, le=366, description="evidence of the last days; null: of the month"
    )
    scope: Scope = Field(description="which enterprises")
    count_uncertain: bool = Field(
        False, description="UNCERTAIN values are valid data too; repeated ones never are"
    )
    exclude: tuple[Literal["synthetic", "unverified_ledger"], ...] = Field(
        ("synthetic",), description="what never counts"
    )
    aggregate: Literal["pooled", "mean"] = Field(description="which of the two figures leads")
    bands: tuple[Band, ...] = Field((), description="score of an enterprise's rate")
    decimals: int = Field(2, ge=0, le=6, description="decimals shown")
    open_questions: tuple[str, ...] = Field((), description="ids of unanswered questions")
    # Not of the record: a notice that is published each year makes no new version of it.
    _calendar: Calendar = PrivateAttr(default_factory=Calendar)
    _approvals: tuple[Approval, ...] = PrivateAttr(default=())
    _targets: tuple[Target, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.denominator_level > self.level:
            raise ValueError("denominator_level is above level: K would not be a part of N")
        if self.days == "scheduled" and self.measure != "networked":
            raise ValueError("days: scheduled is for measure: networked; nothing else counts days")
        edges = [(band.above, band.upto) for band in self.bands]
        gaps = any(one[1] != following[0] for one, following in pairwise(edges))
        if edges and (gaps or edges[0][0] != 0 or edges[-1][1] != _WHOLE):
            raise ValueError("bands must follow one another from 0 to 100 without gap or overlap")
        return self

    @property
    def hash(self) -> str:
        """SHA-256 of the record's canonical JSON, 64 hex digits.

        Defaults are left out: a field that a later release adds does not make another version.
        """
        record = self.model_dump(mode="json", exclude_defaults=True)
        body = json.dumps(record, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(body.encode()).hexdigest()

    @property
    def calendar(self) -> Calendar:
        """By which days of rest are told; it knows no year until :meth:`counted_by` says."""
        return self._calendar

    def counted_by(self, calendar: Calendar) -> Self:
        """The same record with a calendar."""
        one = self.model_copy()
        one._calendar = calendar  # noqa: SLF001 - the copy's own
        return one

    def approval_on(self, day: date) -> Approval | None:
        """The approval that holds on a day; None: the record is not approved for it (待批准)."""
        return next((one for one in self.approvals if one.holds_on(day)), None)

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """All approvals of this text, in order of their first days."""
        return tuple(one for one in self._approvals if one.is_of(self))

    def approved_with(self, approvals: Iterable[Approval]) -> Self:
        """The same record with those of some approvals that are of it, of whatever version."""
        own = [approval for approval in approvals if approval.id == self.id]
        one = self.model_copy()
        one._approvals = tuple(sorted(own, key=lambda own: own.valid_from))  # noqa: SLF001 - the copy's own
        return one

    @property
    def targets(self) -> tuple[Target, ...]:
        """What counties are to reach by it, in order of county and year."""
        return self._targets

    def aimed_by(self, targets: Iterable[Target]) -> Self:
        """The same record with those of some targets that are of its id."""
        one = self.model_copy()
        own = (target for target in targets if target.id == self.id)
        one._targets = tuple(sorted(own, key=lambda own: (own.county, own.year)))  # noqa: SLF001 - the copy's own
        return one

    def target_of(self, county: str, day: date) -> Target | None:
        """The next target of a county that is in force on a day; None: it has none."""
        own = (one for one in self._targets if one.county == county)
        return next((one for one in own if one.holds_on(day)), None)

    def restored(self, earlier: Self) -> Self:
        """An earlier version of this record, with the same calendar, approvals and targets."""
        known = earlier.counted_by(self._calendar).approved_with(self._approvals)
        return known.aimed_by(self._targets)

    @property
    def excludes_unverified(self) -> bool:
        """Whether enterprises without a verified ledger stay out of both sides."""
        return "unverified_ledger" in self.exclude
