"""What is said of enterprises, machines and their days."""

from datetime import date, datetime

from pydantic import Field

from gateway.city.console.api.answers.saying import Words, stamp, words
from gateway.city.console.api.declaring import ListAsked, MonthAsked, Said
from gateway.city.console.queries.database import EnterpriseRow
from gateway.city.ledger.codes import county_name, industry_name
from gateway.city.rates.proving.days import ProofDay, Source
from gateway.city.rates.proving.proof import Proof
from gateway.city.rates.reports.drilldown import MachineVerdict

Purpose = Field("", max_length=200, description="why it is looked at; stands in the audit log")


class EnterprisesAsked(ListAsked):
    """Enterprises of a county or an industry."""

    county: str = Field("", max_length=12, examples=["330822"])
    industry: str = Field("", max_length=12, examples=["3451"])


class MachinesAsked(MonthAsked, ListAsked):
    """Machines of an enterprise in a month."""

    purpose: str = Purpose


class MachineAsked(MonthAsked):
    """A machine in a month."""

    purpose: str = Purpose


class Enterprise(Said):
    """An enterprise of the ledger, as it is now."""

    uscc: str
    name: str
    county: str
    county_name: Words
    industry: str
    industry_name: Words
    above_scale: bool
    ledger_verified_on: date | None
    ledger_verified_by: str | None


class EnterprisesSaid(Said):
    """Enterprises, in order of their codes."""

    scope: str
    data: list[Enterprise]
    next: str | None


class Verdict(Said):
    """How a machine is counted in a month, and why."""

    uscc: str
    site_no: str
    asset_no: str
    name: str
    equipment_class: str
    status: str | None = Field(description="of the ledger, on the day that the month is judged at")
    counted: bool = Field(description="in the denominator")
    networked: bool = Field(description="in the numerator")
    reason: str = Field(description="code; it stays")
    why: Words
    service_days: int
    undated_days: int = Field(description="of which it is undetermined whether it was in service")
    valid_days: int
    last_valid: date | None


class MachinesSaid(Said):
    """Machines of an enterprise."""

    definition: str
    month: str
    enterprise: Enterprise
    data: list[Verdict]
    next: str | None


class MachineSaid(Said):
    """A machine."""

    definition: str
    month: str
    data: Verdict


class Came(Said):
    """What one kind of source gave on a day; bit h of a mask is the hour that begins at h."""

    source: str = Field(description="controller or sensor")
    synthetic: bool
    gateway: str
    good_hours: int
    uncertain_hours: int
    replayed_hours: int
    first: datetime
    last: datetime


class Day(Said):
    """A day of a machine."""

    day: date
    in_service: bool | None = Field(description="null: undetermined, since a date is missing")
    rest: bool | None = Field(description="null: the year's calendar is not known")
    sources: list[Came]
    valid: int | None = Field(description="values, as the edge counted them; null: not told")
    expected: int | None
    gaps_ms: dict[str, int] = Field(description="milliseconds by cause")
    doubted_hours: int = Field(description="mask: the gateway's clock was not confirmed")
    marks: dict[str, str] = Field(description="what the day is, by id of the definition")


class DaysSaid(Said):
    """The days that a machine's verdicts rest on."""

    month: str
    machine: list[str] = Field(description="USCC, site, asset number")
    service_by: str = Field(description="id of the definition whose statuses decide")
    data: list[Day]
    verdicts: dict[str, Verdict] = Field(description="by id of the definition")
    evidence_root: str | None = Field(description="of the newest taking of the month's evidence")
    evidence_digest: str | None = Field(description="of the enterprise's day map in it")


def enterprise_said(row: EnterpriseRow) -> Enterprise:
    """An enterprise for programs."""
    return Enterprise(
        uscc=row.uscc,
        name=row.name,
        county=row.county,
        county_name=words(county_name(row.county)),
        industry=row.industry,
        industry_name=words(industry_name(row.industry)),
        above_scale=row.above_scale,
        ledger_verified_on=row.verified_on,
        ledger_verified_by=row.verified_by,
    )


def verdict_said(one: MachineVerdict) -> Verdict:
    """How a machine is counted, for programs."""
    return Verdict(
        uscc=one.uscc,
        site_no=one.site_no,
        asset_no=one.asset_no,
        name=one.name,
        equipment_class=one.equipment_class,
        status=one.status,
        counted=one.reason.counted,
        networked=one.reason.networked,
        reason=str(one.reason),
        why=words(one.why),
        service_days=one.service_days,
        undated_days=one.undated_days,
        valid_days=one.valid_days,
        last_valid=one.last_valid,
    )


def days_said(proof: Proof) -> DaysSaid:
    """The days of a machine, for programs."""
    return DaysSaid(
        month=proof.month,
        machine=list(proof.machine),
        service_by=proof.definition,
        data=[_day(one, proof) for one in proof.days],
        verdicts={name: verdict_said(one) for name, one in proof.verdicts.items()},
        evidence_root=proof.sealed.root if proof.sealed else None,
        evidence_digest=(proof.sealed.digest or None) if proof.sealed else None,
    )


def _day(day: ProofDay, proof: Proof) -> Day:
    return Day(
        day=day.day,
        in_service=day.service,
        rest=day.rest,
        sources=[_came(one) for one in day.sources],
        valid=day.counts.valid if day.counts else None,
        expected=day.counts.expected if day.counts else None,
        gaps_ms=dict(day.gaps_ms),
        doubted_hours=day.doubted_hours,
        marks={name: str(marks[day.day]) for name, marks in proof.marks.items()},
    )


def _came(one: Source) -> Came:
    return Came(
        source=one.source,
        synthetic=one.synthetic,
        gateway=one.gateway,
        good_hours=one.good_hours,
        uncertain_hours=one.uncertain_hours,
        replayed_hours=one.replayed_hours,
        first=stamp(one.first_ms),
        last=stamp(one.last_ms),
    )
