"""Gaps, findings and definitions as files."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.city.console.queries.database import Rows
from gateway.city.console.queries.findings import Findings
from gateway.city.console.queries.gaps import GapRow
from gateway.city.console.queries.gateways import GatewayState
from gateway.city.console.queries.ghosts import Ghosts
from gateway.city.evidence.auditing.reach import Reach
from gateway.city.evidence.auditing.reach import Standing as Kept
from gateway.city.ledger.agreements.report import Line, Standing
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.rates.days.late_excuses import LateExcuse
from gateway.city.rates.definitions import open_questions
from gateway.city.rates.frozen.acted import Acted
from gateway.city.rates.model import Definition
from gateway.city.registry.twins import Twin
from gateway.web.formats import moment
from gateway.web.i18n import cause_words
from gateway.web.tables import Cell, Table

Row = dict[str, Cell]


def finding_table(
    found: Findings,
    silent: Iterable[GatewayState],
    late: Rows,
    agreed: Iterable[Line],
    now_ms: int,
    acts: Iterable[Acted] = (),
    kept: Reach | None = None,
) -> Table:
    """Everything that weakens the figures, one row a finding."""
    columns = (
        "finding",
        "uscc",
        "site_no",
        "asset_no",
        "name",
        "gateway",
        "detail",
        "count",
        "time",
    )
    rows = [*_gateway_rows(silent), *_late_rows(late), *map(_agreed, agreed)]
    rows += [*_finding_rows(found), *map(_acted, acts), *_kept(kept)]
    notes = {"as_of": moment(now_ms)}
    return Table("data-quality", columns, rows, notes, words={"finding": "finding"})


def _gateway_rows(states: Iterable[GatewayState]) -> Iterator[Row]:
    for state in states:
        yield {
            "finding": state.text_key,
            "uscc": state.row.uscc,
            "site_no": state.row.site_no,
            "name": state.row.enterprise,
            "gateway": state.row.id,
            "count": state.devices - state.devices_up,
            "time": moment(state.last_seen_ms),
        }


def _kept(found: Reach | None) -> list[Row]:
    if found is None or found.standing is Kept.PROMISED:
        return []
    since = f"; evidence can be audited from {found.since}" if found.since else ""
    detail = found.why or f"promised {found.promised} days, store {found.kept or 'for ever'}{since}"
    return [{"finding": f"retention.{found.standing}", "detail": detail}]


def _agreed(line: Line) -> Row:
    holds = line.standing is Standing.HOLDS
    return {
        "finding": "agreement.outside" if holds else f"agreement.{line.standing}",
        "uscc": line.uscc,
        "name": line.name,
        "detail": f"until {line.until}" if line.until else "",
        "count": line.outside,
    }


def _acted(one: Acted) -> Row:
    days = f"from {one.since}" if one.since > SINCE_EVER else "of all days"
    return {
        "finding": "acted",
        "name": f"{one.kind} {one.number}",
        "detail": f"{days}, final before: {' '.join(one.months)}; {one.made_by}",
        "count": one.machines + one.enterprises,
        "time": moment(one.known_ms),
    }


def _late_rows(late: Rows) -> Iterator[Row]:
    for row in late:
        yield {
            "finding": "late_data",
            "name": f"{row.definition} {row.month}",
            "detail": f"vintage {row.vintage}: {row.days} days came, {row.lost_days} are gone",
            "count": row.machines,
            "time": moment(row.compared_ms),
        }


def _finding_rows(found: Findings) -> Iterator[Row]:
    yield from map(_quarantined, found.quarantined)
    for row in found.doubted:
        yield {
            "finding": "clock.ahead" if row.is_ahead else "clock.doubt",
            "uscc": row.uscc,
            "name": row.name,
            "gateway": row.gateway,
            "count": row.machines,
            "time": moment(row.last_ms),
        }
    for row in found.orphans:
        yield _machine(row, "orphan") | {
            "gateway": row.gateway,
            "count": row.days,
            "time": moment(row.last_ms),
            "detail": f"perhaps {meant}" if (meant := _meant(found, row)) else "",
        }
    yield from _ghosts(found.ghosts)
    yield from map(_undated, found.undated)
    yield from map(_excuse, found.excuses)
    for row in found.retired:
        yield _machine(row, "retired") | {
            "name": row.name,
            "gateway": row.gateway,
            "detail": f"{row.status} since {row.since}",
            "count": row.days,
            "time": moment(row.last_ms),
        }
    yield from map(_twin, found.twins)
    for row in found.unverified:
        yield {"finding": "ledger.unverified", "uscc": row.uscc, "name": row.name}
    for row in found.unregistered:
        yield _machine(row, "identifier.pending") | {
            "name": row.name,
            "detail": "issued" * bool(row.issued_ms),
        }


def _meant(found: Findings, row: Any) -> str | None:
    return found.ghosts.meant.get((row.uscc, row.site_no, row.asset_no))


def _ghosts(found: Ghosts) -> Iterator[Row]:
    for row in found.enterprises:
        own = {"uscc": row.uscc, "name": row.name, "count": row.machines}
        yield {"finding": "ghost.never", **own}
    if found.unreached:
        yield {"finding": "ghost.unreached", "count": found.unreached}


def _quarantined(row: Any) -> Row:
    return {
        "finding": "quarantine",
        "gateway": row.gateway,
        "detail": row.reason,
        "count": row.messages,
        "time": moment(row.newest_ms),
    }


def _twin(one: Twin) -> Row:
    return _machine(one.machine, "unit.same" if one.is_certain else "unit.maybe_same") | {
        "gateway": one.gateway,
        "detail": f"reads the unit of {one.first.asset_no}",
        "time": moment(one.came_ms),
    }


def _excuse(one: LateExcuse) -> Row:
    frozen = f", final before: {' '.join(one.frozen)}" if one.frozen else ""
    return {
        "finding": f"late.{one.kind}",
        "uscc": one.uscc,
        "site_no": one.site_no,
        "name": one.name,
        "detail": f"{one.number}: {one.first_day} to {one.last_day or '…'}, {one.document}{frozen}",
        "time": one.entered_on.isoformat(),
    }


def _undated(row: Any) -> Row:
    finding = "undated.start" if row.no_start else "undated.status"
    return _machine(row, finding) | {"detail": f"{row.status} entered {row.entered}"}


def _machine(row: object, finding: str) -> Row:
    keys = ("uscc", "site_no", "asset_no")
    return {"finding": finding, **{key: getattr(row, key) for key in keys}}


def definition_table(definitions: Iterable[Definition]) -> Table:
    """Every definition, one row each."""
    rows = [_definition(record) for record in definitions]
    return Table("definitions", tuple(rows[0]), rows, {})


def _definition(record: Definition) -> Row:
    rule = record.continuity
    return {
        "definition": record.id,
        "version": record.version,
        "name_zh": record.name_zh,
        "name_en": record.name_en,
        "formula_zh": record.formula_zh,
        "formula_en": record.formula_en,
        "source_zh": record.source_zh,
        "source_en": record.source_en,
        "measure": record.measure,
        "scope": f"{record.scope.kind} {record.scope.id}".strip(),
        "classes": " ".join(record.classes),
        "only": " ".join(record.only),
        "statuses": " ".join(record.statuses),
        "level": record.level,
        "percent_of_days": rule.percent_of_days if rule else None,
        "within_days": rule.within_days if rule else None,
        "days": record.days,
        "exclude": " ".join(record.exclude),
        "aggregate": record.aggregate,
        "open_questions_zh": "\n".join(one.zh for one in open_questions(record)),
        "open_questions_en": "\n".join(one.en for one in open_questions(record)),
        "hash": record.hash,
    }


def gap_table(rows: Iterable[GapRow], now_ms: int) -> Table:
    """Intervals without data, one row each."""
    return Table(
        name="gaps",
        columns=(
            "gateway", "enterprise", "device", "group", "tags", "cause", "cause_zh", "cause_en",
            "from", "to", "seconds",
        ),
        rows=[
            {
                "gateway": row.gateway,
                "enterprise": row.enterprise,
                "device": row.device,
                "group": row.group,
                "tags": " ".join(row.tags),
                "cause": row.cause,
                "cause_zh": cause_words("zh", row.cause),
                "cause_en": cause_words("en", row.cause),
                "from": moment(row.from_ms),
                "to": moment(row.to_ms),
                "seconds": row.length_ms(now_ms) // 1000,
            }
            for row in rows
        ],
        notes={"as_of": moment(now_ms)},
    )  # fmt: skip
