"""The evidence of a machine's month, as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime

import typer

from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.stops.table import REASONS, Stop
from gateway.city.rates.frozen.jobs import Job
from gateway.city.rates.proving.days import ProofDay, Source
from gateway.city.rates.proving.proof import Proof
from gateway.city.rates.proving.raw import RawDay, digest, known_by, sources_of
from gateway.city.rates.reports.drilldown import MachineVerdict
from gateway.cli.wording import counted, visible
from gateway.core.days import HOUR_MS, SHANGHAI

_SERVICE = {True: "in service", False: "out of service", None: "service undetermined"}
_REST = {True: ", day of rest", False: "", None: ", calendar unknown"}
_LEVELS = {"controller": "N2", "sensor": "N1"}
_HOURS = 24
_LEGEND = "hours 0 to 23 (Asia/Shanghai): # GOOD, ? UNCERTAIN, ~ repeated, . nothing"
_MASKS = (("good_hours", "#"), ("uncertain_hours", "?"), ("replayed_hours", "~"))


def show(proof: Proof, known: date | None, *, as_json: bool) -> None:
    """The proof, or its raw days as they were known at the end of a day."""
    if as_json:
        typer.echo(proof_json(proof) if known is None else known_json(proof, known))
    elif known is None:
        print_proof(proof)
    else:
        print_known(proof, known)


def print_proof(proof: Proof) -> None:
    """A line for each day and source, the verdicts behind them."""
    typer.echo(f"{visible('/'.join(proof.machine))}, {proof.month}")
    typer.echo(_LEGEND)
    for day in proof.days:
        for line in _lines(day):
            typer.echo(f"{day.day}  {line}")
    typer.echo(f"days in service by {proof.definition}; counted from ledger and evidence of now:")
    for name, verdict in proof.verdicts.items():
        typer.echo(f"{name}: {_sentence(verdict)}")
    if proof.sealed is not None:
        typer.echo(f"digest of the enterprise's days: {proof.sealed.digest or 'no data'}")
        typer.echo(f"evidence root of the month: {proof.sealed.root}")
    typer.echo(f"digest of the machine's raw days: {proof.block}")
    for name, one in proof.computed.items():
        typer.echo(f"{name}, vintage {one.vintage}: {_job(one.job)}")


def print_known(proof: Proof, day: date) -> None:
    """Raw days as they were known at the end of a day: a line for each day and source."""
    rows = known_by(proof.raw, day)
    typer.echo(f"{visible('/'.join(proof.machine))}, {proof.month}, raw days as known on {day}")
    typer.echo(_LEGEND)
    for held, sources in sources_of(rows).items():
        for one in sources:
            typer.echo(f"{held}  {_source(one)}")
    if not rows:
        typer.echo("nothing of this month was known then")
    typer.echo(f"digest of the raw days known then: {digest(rows)}")
    typer.echo(f"rows that came later: {len(proof.raw) - len(rows)}")


def known_json(proof: Proof, day: date) -> str:
    """Raw days as they were known at the end of a day; values as :func:`proof_json` has them."""
    rows = known_by(proof.raw, day)
    told = {
        "machine": proof.machine._asdict(),
        "month": proof.month,
        "known": day.isoformat(),
        "raw": {"digest": digest(rows), "rows": [_raw(one) for one in rows]},
        "later": len(proof.raw) - len(rows),
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _job(job: Job) -> str:
    by = f"job {job.number}, started by {visible(job.started_by)}"
    return f"{by}, software {job.software}, code {job.code}"


def _lines(day: ProofDay) -> Iterator[str]:
    service, more = _SERVICE[day.service] + _rest(day) + _stop(day), _more(day)
    if not day.sources:
        yield f"{'.' * _HOURS}  {service}, no evidence{more}"
    for one in day.sources:
        yield f"{_source(one, f'{service}, ')}{more}"


def _source(one: Source, service: str = "") -> str:
    kind = f"{one.source} ({_LEVELS[one.source]})" + ", synthetic" * one.synthetic
    times = f"{_clock(one.first_ms)} to {_clock(one.last_ms)}"
    late = "".join(f"; data came {counted(days, 'day')} late" for days in one.late_days)
    return f"{_hours(one)}  {service}{kind} by {one.gateway}, {times}{late}"


def _hours(one: Source) -> str:
    """A character for each hour: the best quality that came in it."""
    return "".join(
        next((sign for mask, sign in _MASKS if getattr(one, mask) >> hour & 1), ".")
        for hour in range(_HOURS)
    )


def _more(day: ProofDay) -> str:
    parts = []
    if day.counts is not None:
        parts.append(f"{day.counts.valid:,} of {day.counts.expected:,} values valid")
    parts += [f"gap {cause} {length / HOUR_MS:.1f} h" for cause, length in day.gaps_ms.items()]
    if day.doubted_hours:
        parts.append(f"{counted(day.doubted_hours.bit_count(), 'hour')} in clock doubt")
    return "".join(f"; {one}" for one in parts)


def _clock(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, SHANGHAI):%H:%M:%S}"


def _sentence(one: MachineVerdict) -> str:
    reason = one.reason
    side = "networked" if reason.networked else "not networked" if reason.counted else "not counted"
    days = f"valid data on {one.valid_days} of {counted(one.service_days, 'day')} in service"
    why = "" if reason.networked else f" ({visible(one.why.en)})"
    return f"{side}{why}; {days}"


def proof_json(proof: Proof) -> str:
    """Times are UTC milliseconds; bit h of a mask is the hour that begins at h, Asia/Shanghai."""
    return json.dumps(
        {
            "machine": proof.machine._asdict(),
            "month": proof.month,
            "service_by": proof.definition,
            "days": [_day(one) for one in proof.days],
            "verdicts": {name: _verdict(one) for name, one in proof.verdicts.items()},
            "sealed": None if proof.sealed is None else proof.sealed._asdict(),
            "raw": {"digest": proof.block, "rows": [_raw(one) for one in proof.raw]},
            "results": {
                name: {"vintage": one.vintage, "job": asdict(one.job)}
                for name, one in proof.computed.items()
            },
        },
        ensure_ascii=False,
        indent=2,
    )


def _raw(row: RawDay) -> dict[str, object]:
    return row._asdict() | {"day": row.day.isoformat()}


def _day(day: ProofDay) -> dict[str, object]:
    names = Source.__slots__
    return {
        "day": day.day.isoformat(),
        "in_service": day.service,
        "rest": day.rest,
        **_rest_json(day),
        **({} if day.stop is None else {"planned_stop": _stop_json(day.stop)}),
        "sources": [
            {name: getattr(one, name) for name in names} | {"level": _LEVELS[one.source]}
            for one in day.sources
        ],
        "values": day.counts and day.counts._asdict(),
        "gaps_ms": dict(day.gaps_ms),
        "doubted_hours": day.doubted_hours,
    }


def _rest(day: ProofDay) -> str:
    held = day.schedule.by
    if held is None:
        return _REST[day.rest]
    when = ", entered when the day was over" if day.schedule.late else ""
    kind = "rest" if day.rest else "work"
    return f", day of {kind} by schedule {held.number} ({visible(held.what.document)}{when})"


def _rest_json(day: ProofDay) -> dict[str, object]:
    held = day.schedule.by
    if held is None:
        return {}
    said = held.what
    own = {"number": held.number, "document": said.document, "late": day.schedule.late}
    return {"schedule": own | {"entered_on": held.entered_on.isoformat()}}


def _stop(day: ProofDay) -> str:
    if day.stop is None:
        return ""
    said, late = day.stop.what, day.stop.entered_on > day.day
    when = ", entered when the day was over" if late else ""
    return f", stopped by plan ({REASONS[said.reason].en}, {visible(said.document)}{when})"


def _stop_json(one: Standing[Stop]) -> dict[str, object]:
    said, entered = one.what, one.entered_on.isoformat()
    return {"reason": said.reason, "document": said.document, "entered_on": entered}


def _verdict(one: MachineVerdict) -> dict[str, object]:
    return {
        "reason": one.reason.value,
        "counted": one.reason.counted,
        "networked": one.reason.networked,
        "why": {"zh": one.why.zh, "en": one.why.en},
        "valid_days": one.valid_days,
        "service_days": one.service_days,
    }
