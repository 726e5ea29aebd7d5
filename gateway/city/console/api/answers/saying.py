"""What answers of the API are made of."""

from datetime import datetime
from fractions import Fraction
from typing import Literal

from pydantic import Field

from gateway.city.console.api.declaring import Said
from gateway.city.console.pages.choice import Choice
from gateway.city.ledger.codes import Name
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.reports.aims import Aim, AimState, gap_number
from gateway.city.rates.reports.shown import Shown, percent_text
from gateway.city.rates.reports.table import PublishedMonth
from gateway.core.days import SHANGHAI

Stamp = Field(examples=["2026-10-20T02:00:00+08:00"])


class Rate(Said):
    """A rate in per cent."""

    percent: str = Field(
        description="as it is shown: rounded, but never onto or over an edge that it does not "
        "reach",
        examples=["47.73"],
    )
    fraction: str = Field(description="exact, in lowest terms", examples=["4773/100"])


class Words(Said):
    """A text for Chinese and for English readers."""

    zh: str
    en: str


class Corrected(Said):
    """Why a final month was published anew, and who answers for it; to a part the reason alone."""

    reason: str
    note: str
    corrected_by: str


class Of(Said):
    """What the figures of an answer are of."""

    definition: str = Field(description="id of the definition")
    definition_hash: str = Field(description="of the record that it was computed with")
    month: str = Field(examples=["2026-09"])
    status: Literal["P", "F"] = Field(description="P provisional, F final")
    vintage: int | None = Field(description="of the stored result; null: computed now")
    correction: Corrected | None
    evidence_root: str | None = Field(
        description="digest of the evidence that a final month of the whole city rests on"
    )
    as_of: datetime = Stamp
    computed: datetime = Stamp
    audience: Literal["operational"] = Field(
        description="rows of the scope, whole: not for publication; see /published for what is"
    )
    scope: str = Field(description="whose rows these are", examples=["county 330822"])
    demonstration: bool = Field(description="machines are simulated: no basis for statistics")


class AimSaid(Said):
    """What a county is to reach, and how far it is from it."""

    state: AimState = Field(
        description="met, not_met; no_rate: nothing to hold against it; none: no target is in "
        "force; part: not all of the county is seen"
    )
    percent: Rate | None
    year: int | None = Field(description="holds on 31 December of it")
    document: str | None = Field(description="that sets it")
    gap: str | None = Field(
        description="percentage points, the county's figure less the target; never 0 where there "
        "is one",
        examples=["-0.01"],
    )
    gap_fraction: str | None = Field(description="exact", examples=["-1/250"])


def of(month: PublishedMonth, choice: Choice) -> Of:
    """What a month's figures are of."""
    return Of(
        definition=month.definition.id,
        definition_hash=month.definition_hash,
        month=month.month,
        status=month.status,
        vintage=month.vintage,
        correction=corrected(month.correction),
        evidence_root=month.root,
        as_of=stamp(month.as_of_ms),
        computed=stamp(month.computed_ms),
        audience="operational",
        scope=str(choice.scope),
        demonstration=month.demonstration,
    )


def corrected(made: Correction | None) -> Corrected | None:
    """A correction; None: there was none."""
    if made is None:
        return None
    return Corrected(reason=made.reason, note=made.note, corrected_by=made.corrected_by)


def stamp(time_ms: int) -> datetime:
    """A time of China, to the second."""
    return datetime.fromtimestamp(time_ms // 1000, SHANGHAI)


def rate(exact: Fraction | None, write: Shown) -> Rate | None:
    """A rate as shown and exact; None: there is none."""
    if exact is None:
        return None
    return Rate(percent=write(exact), fraction=f"{exact.numerator}/{exact.denominator}")


def aim_said(found: Aim | None) -> AimSaid | None:
    """A county's target; None: the line is no county."""
    if found is None:
        return None
    target, gap = found.target, found.gap
    return AimSaid(
        state=found.state,
        percent=None if target is None else rate(target.percent, percent_text),
        year=None if target is None else target.year,
        document=None if target is None else target.document,
        gap=None if gap is None else str(gap_number(gap)),
        gap_fraction=None if gap is None else f"{gap.numerator}/{gap.denominator}",
    )


def words(name: Name) -> Words:
    """A name for both readers."""
    return Words(zh=name.zh, en=name.en)
