"""Why a machine is counted: what is known of each of its days in a month.

From committed data only, and as a few queries of one machine and its enterprise.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, or_, select

from gateway.city.db.operation import began_on
from gateway.city.db.schema.clock import doubted_evidence
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment, evidence, gap, machine_books
from gateway.city.evidence.counts import DayCounts, counts_of
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.columns.evidence import service_days, statuses_in_service
from gateway.city.rates.columns.ledger import read_ledger
from gateway.city.rates.compute import Period
from gateway.city.rates.days.calendar import is_rest
from gateway.city.rates.model import Definition
from gateway.city.rates.period import period_of
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.core.days import DAY_MS, day_start_ms

_NAME_PARTS = 3


class _Gap(NamedTuple):
    cause: str
    from_ms: int
    to_ms: int | None


class ProofError(Exception):
    """A machine of which nothing can be shown; the message says why and what to do."""


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
    """

    source: str
    synthetic: bool
    gateway: str
    good_hours: int
    uncertain_hours: int
    replayed_hours: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class ProofDay:
    """What is known of a machine on a day.

    Attributes:
        day: Asia/Shanghai day.
        service: in service by the ledger; None: undetermined, since a date is missing.
        rest: a day of rest by the official calendar, which some definitions leave out; None: the
            year's arrangement is not known.
        sources: what came, by kind of source.
        counts: values valid and due, as its edges counted them; None: not told.
        gaps_ms: milliseconds of the day in gaps of its devices, by cause; gaps of several tags at
            one time are one.
        doubted_hours: hours of values that wait for their gateway's clock to be confirmed.
    """

    day: date
    service: bool | None
    rest: bool | None
    sources: tuple[Source, ...]
    counts: DayCounts | None
    gaps_ms: Mapping[str, int]
    doubted_hours: int


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of a machine in a month.

    Attributes:
        machine: as the ledger names it.
        month: ``YYYY-MM``.
        definition: whose statuses decide about days in service.
        days: of the month so far, since the city began.
        verdicts: by id of every definition that counts networked machines.
    """

    machine: MachineName
    month: str
    definition: str
    days: Sequence[ProofDay]
    verdicts: Mapping[str, MachineVerdict]


def machine_asked_for(connection: Connection, text: str, day: date) -> tuple[int, MachineName]:
    """Id and name in the ledger of ``USCC/site/asset_no``, or of an identifier.

    Args:
        connection: the city's database.
        text: as somebody wrote it; a number may hold slashes itself.
        day: on which a name means a machine.

    Raises:
        ProofError: the ledger knows no such machine.
    """
    handle = select(identifier.c.equipment_id).where(identifier.c.handle_key == text.upper())
    number = connection.scalar(handle)
    parts = text.split("/", _NAME_PARTS - 1)
    if number is None and len(parts) == _NAME_PARTS:
        number = next(iter(find(connection, [MachineName(*parts)], day).values()), None)
    columns = equipment.c
    query = select(columns.uscc, columns.site_no, columns.asset_no).where(columns.id == number)
    row = connection.execute(query).first() if number is not None else None
    if number is None or row is None:
        raise ProofError(
            f"the ledger has no machine {text!r}; write USCC/site/asset_no, or its identifier"
        )
    return number, MachineName(*row)


def proof_of(
    connection: Connection,
    text: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    headline: Definition,
    definitions: Mapping[str, Definition],
) -> Proof:
    """What a machine's month rests on, day by day, and how each definition counts it.

    Args:
        connection: the city's database.
        text: ``USCC/site/asset_no`` or an identifier.
        month: ``YYYY-MM``; None: the running one.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        headline: whose statuses decide about days in service.
        definitions: by id.

    Raises:
        ProofError: no such machine.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    period = period_of(month, now_ms, began_on(connection))
    machine_id, machine = machine_asked_for(connection, text, period.as_of)
    days = list(_days(connection, machine_id, machine.uscc, period, headline, now_ms))
    verdicts = {
        name: verdict
        for name, one in definitions.items()
        if one.measure == "networked"
        for verdict in machine_facts(
            connection, name, period.month, now_ms,
            demonstration=demonstration, uscc=machine.uscc, definitions=definitions,
        )
        if verdict.equipment_id == machine_id
    }  # fmt: skip
    return Proof(machine, period.month, headline.id, days, verdicts)


def _days(
    connection: Connection,
    machine_id: int,
    uscc: str,
    period: Period,
    headline: Definition,
    now_ms: int,
) -> Iterator[ProofDay]:
    first = max(period.first, period.began_on or period.first)
    days = [first + timedelta(days=one) for one in range((period.as_of - first).days + 1)]
    service = _service(connection, machine_id, uscc, days, headline)
    sources = _sources(connection, machine_id, days)
    counts, doubted = (
        counts_of(connection, machine_id, days),
        _doubted(connection, machine_id, days),
    )
    lacking = _gaps(connection, machine_id, days)
    for day in days:
        gaps_ms = _by_cause(lacking, day_start_ms(day), now_ms)
        yield ProofDay(
            day=day,
            service=service[day],
            rest=is_rest(day),
            sources=tuple(sources[day]),
            counts=counts.get(day),
            gaps_ms=gaps_ms,
            doubted_hours=doubted[day],
        )


def _service(
    connection: Connection, machine_id: int, uscc: str, days: Sequence[date], headline: Definition
) -> dict[date, bool | None]:
    ledger = read_ledger(connection, days[0], uscc)
    place = ledger.place_of([machine_id])[machine_id]
    service, serving = service_days(ledger), statuses_in_service(ledger, headline)
    found: dict[date, bool | None] = {}
    for day in days:
        service.turn_to(day)
        due, sure = service.service(serving)
        found[day] = bool(due[place]) if due[place] == sure[place] else None
    return found


def _sources(
    connection: Connection, machine_id: int, days: Sequence[date]
) -> defaultdict[date, list[Source]]:
    columns, found = evidence.c, defaultdict[date, list[Source]](list)
    query = select(evidence).where(
        columns.machine_id == machine_id, columns.day.between(days[0], days[-1])
    )
    for row in connection.execute(query.order_by(columns.day, columns.source, columns.synthetic)):
        found[row.day].append(
            Source(
                row.source,
                row.synthetic,
                row.gateway,
                row.good_hours,
                row.uncertain_hours,
                row.replayed_hours,
                row.first_ms,
                row.last_ms,
            )
        )
    return found


def _doubted(
    connection: Connection, machine_id: int, days: Sequence[date]
) -> defaultdict[date, int]:
    columns, found = doubted_evidence.c, defaultdict[date, int](int)
    query = select(columns.day, columns.hours).where(
        columns.machine_id == machine_id, columns.day.between(days[0], days[-1])
    )
    for day, hours in connection.execute(query):
        found[day] |= hours
    return found


def _gaps(connection: Connection, machine_id: int, days: Sequence[date]) -> list[_Gap]:
    """Gaps of the devices behind which the machine was in these days."""
    columns, span = gap.c, (day_start_ms(days[0]), day_start_ms(days[-1]) + DAY_MS)
    books = select(machine_books.c.gateway, machine_books.c.device).where(
        machine_books.c.machine_id == machine_id, machine_books.c.day.between(days[0], days[-1])
    )
    behind = [
        and_(columns.gateway == gateway, columns.device.in_(["", device]))
        for gateway, device in connection.execute(books.distinct())
    ]
    if not behind:
        return []
    query = select(columns.cause, columns.from_ms, columns.to_ms).where(
        or_(*behind),
        columns.from_ms < span[1],
        or_(columns.to_ms.is_(None), columns.to_ms > span[0]),
    )
    return [_Gap(*row) for row in connection.execute(query.order_by(columns.from_ms))]


def _by_cause(gaps: Sequence[_Gap], start_ms: int, now_ms: int) -> dict[str, int]:
    """How long each cause lasted on a day; the gaps are in order of their beginnings."""
    end_ms, lengths, upto = min(start_ms + DAY_MS, now_ms), dict[str, int](), dict[str, int]()
    for cause, from_ms, to_ms in gaps:
        begins = max(from_ms, start_ms, upto.get(cause, start_ms))
        ends = end_ms if to_ms is None else min(to_ms, end_ms)
        if ends > begins:
            lengths[cause] = lengths.get(cause, 0) + ends - begins
            upto[cause] = ends
    return lengths
