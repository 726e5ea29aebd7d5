"""The silences that alerts are judged by. Functions of a connection that only read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from gateway.city.alerts.gathering import Judging, Rests
from gateway.city.alerts.model import Condition, Kind, Level, Subject
from gateway.city.alerts.rules import has_lasted
from gateway.city.db.schema.alerting.alerts import watched
from gateway.city.db.tables import equipment, evidence, gap, gateway
from gateway.city.ledger.history import statuses_on
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.schedules.held import held_schedules, schedules_of
from gateway.city.ledger.schedules.table import by_precedence
from gateway.city.ledger.stops.held import standing, stops_of
from gateway.core.days import HOUR_MS, day_of
from gateway.core.status import Reason
from gateway.relational.database import chunks
from gateway.wire.messages import decode_state

_IN_SERVICE = frozenset({"in_use", "standby"})


class _Place(NamedTuple):
    """Where a gateway is."""

    gateway: str
    uscc: str
    site_no: str


def silent_gateways(connection: Connection, by: Judging, now_ms: int) -> list[Condition]:
    """The gateways that are not heard of, and those that reach none of their devices."""
    silent = dict(_silent(connection))
    deaf = {one: ms for one, ms in _cut_off(connection, now_ms) if one not in silent}
    rests = _Resting(connection) if silent or deaf else None
    return [
        _silence(
            kind,
            Subject(Level.GATEWAY, one.gateway, one.uscc),
            since_ms,
            least_s * 1000,
            (by, rests.of(one) if rests else Rests(), now_ms),
        )
        for kind, found, least_s in (
            (Kind.GATEWAY, silent, by.config.silent_s),
            (Kind.CUT_OFF, deaf, by.config.cut_off_s),
        )
        for one, since_ms in found.items()
    ]


def _silent(connection: Connection) -> Iterator[tuple[_Place, int]]:
    query = select(gateway.c.id, gateway.c.uscc, gateway.c.site_no, gap.c.from_ms)
    query = query.join(gap, gateway.c.id == gap.c.gateway).where(
        gap.c.to_ms.is_(None),
        gap.c.cause == Reason.GATEWAY_SILENT.code,
        gap.c.device == "",
        gateway.c.revoked_ms.is_(None),
    )
    for row in connection.execute(query):
        yield _Place(row.id, row.uscc, row.site_no), row.from_ms


def _cut_off(connection: Connection, now_ms: int) -> Iterator[tuple[_Place, int]]:
    """Gateways whose last sign of life has all devices down, and since when the last one is.

    A time that the edge's clock cannot have is none: such a gateway is heard, and judged later.
    """
    columns = gateway.c
    query = select(columns.id, columns.uscc, columns.site_no, columns.state)
    some_down = columns.state.contains('"down"')
    for row in connection.execute(query.where(columns.revoked_ms.is_(None), some_down)):
        devices = decode_state(row.state.encode()).devices.values()
        if devices and all(one.link == "down" for one in devices):
            since_ms = max(one.since_ms for one in devices)
            yield (
                _Place(row.id, row.uscc, row.site_no),
                since_ms if 0 < since_ms <= now_ms else now_ms,
            )


class _Resting:
    """Planned stops of whole sites and enterprises, and their shift schedules."""

    def __init__(self, connection: Connection) -> None:
        self._stops = [
            one
            for one in standing(connection)
            if not (one.what.workshop or one.what.line or one.what.asset_no)
        ]
        self._schedules = held_schedules(connection)

    def of(self, place: _Place) -> Rests:
        """When a place rests; gateways stop with their site."""
        sites = ("", place.site_no)
        stops = [
            one for one in self._stops if one.what.uscc == place.uscc and one.what.site_no in sites
        ]
        own = {
            one.number: one
            for one in self._schedules
            if one.what.uscc == place.uscc and one.what.site_no in sites
        }
        order = by_precedence((number, one.what) for number, one in own.items())
        return Rests(tuple(stops), tuple(own[number] for number, _ in order))


def _silence(
    kind: Kind, subject: Subject, since_ms: int, least_ms: int, judged: tuple[Judging, Rests, int]
) -> Condition:
    by, rests, now_ms = judged
    counts = by.counts(rests)
    holds = has_lasted(since_ms, now_ms, least_ms, counts, by.config.from_hour)
    return Condition(kind, subject, since_ms, holds)


def silent_machines(connection: Connection, by: Judging, now_ms: int) -> list[Condition]:
    """The machines that somebody watches, that are in service and have sent nothing lately."""
    least_ms = by.config.machine_hours * HOUR_MS
    asked = select(watched.c.subject).where(watched.c.level == Level.MACHINE).distinct()
    ids = [int(one) for one in connection.scalars(asked)]
    statuses = statuses_on(connection, ids, day_of(now_ms))
    in_service = [one for one in ids if statuses.get(one) in _IN_SERVICE]
    found = []
    for machine, name, last_ms in _last_sent(connection, in_service, by.demonstration):
        if now_ms - last_ms > least_ms:
            subject = Subject(Level.MACHINE, str(machine), name.uscc)
            stops, own = stops_of(connection, machine), schedules_of(connection, name)
            judged = (by, Rests(tuple(stops), tuple(own)), now_ms)
            found.append(_silence(Kind.MACHINE, subject, last_ms, least_ms, judged))
    return found


def _last_sent(
    connection: Connection, machines: Iterable[int], demonstration: bool
) -> Iterator[tuple[int, MachineName, int]]:
    """Machine, name and newest valid time of those that ever sent."""
    columns, named = evidence.c, equipment.c
    newest = select(columns.machine_id, func.max(columns.last_ms).label("last_ms"))
    if not demonstration:
        newest = newest.where(columns.synthetic.is_(False))
    for part in chunks(machines):
        own = newest.where(columns.machine_id.in_(part)).group_by(columns.machine_id).subquery()
        query = select(named.id, named.uscc, named.site_no, named.asset_no, own.c.last_ms)
        for row in connection.execute(query.join(own, own.c.machine_id == named.id)):
            yield row.id, MachineName(row.uscc, row.site_no, row.asset_no), row.last_ms
