"""Open findings of what somebody watches. A function of a connection that only reads."""

import json

from sqlalchemy import Connection, select

from gateway.city.alerts.gathering import Judging
from gateway.city.alerts.model import Condition, Kind, Level, Subject
from gateway.city.alerts.rules import OpenFinding, open_of
from gateway.city.db.schema.alerting.alerts import watched
from gateway.city.db.schema.checking.findings import finding, finding_seen
from gateway.city.db.tables import equipment
from gateway.city.rates.findings.kept.keeping import State
from gateway.relational.database import chunks

_LEVELS = (Level.COUNTY, Level.ENTERPRISE, Level.MACHINE)


def open_findings(connection: Connection, by: Judging, _now_ms: int) -> list[Condition]:
    """An open finding of a watched county, enterprise or machine; explained ones are none."""
    columns, of = finding.c, finding_seen.c
    query = select(columns.uscc, columns.county, columns.first_ms, of.machines)
    query = query.join(finding_seen, of.id == columns.seen_id).where(
        columns.state == State.OPEN.value, columns.synthetic.is_(by.demonstration)
    )
    known = [
        OpenFinding(row.uscc, row.county, frozenset(json.loads(row.machines)), row.first_ms)
        for row in connection.execute(query)
    ]
    subjects = _watched(connection) if known else {}
    return [
        Condition(Kind.FINDING, subject, min(times), holds=True, detail={"count": len(times)})
        for subject, name in subjects.items()
        if (times := open_of(known, subject, name))
    ]


def _watched(connection: Connection) -> dict[Subject, str]:
    """What is watched, with the site and asset number of machines."""
    columns = watched.c
    query = select(columns.level, columns.subject, columns.uscc).distinct()
    rows = connection.execute(query.where(columns.level.in_(_LEVELS)))
    subjects = [Subject(Level(row.level), row.subject, row.uscc) for row in rows]
    machines = [int(one.key) for one in subjects if one.level is Level.MACHINE]
    names = _names(connection, machines)
    return {one: names.get(one.key, "") for one in subjects}


def _names(connection: Connection, machines: list[int]) -> dict[str, str]:
    columns = equipment.c
    query = select(columns.id, columns.site_no, columns.asset_no)
    return {
        str(row.id): f"{row.site_no}/{row.asset_no}"
        for part in chunks(machines)
        for row in connection.execute(query.where(columns.id.in_(part)))
    }
