"""Why a machine is counted: what is known of each of its days in a month.

From committed data only, and as a few queries of one machine and its enterprise.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from gateway.city.db.operation import began_on
from gateway.city.db.schema.clock import doubted_evidence
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.evidence.counts import counts_of
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.schedules.held import day_of_rest, schedules_of
from gateway.city.ledger.stops.held import stops_of
from gateway.city.rates.columns.evidence import statuses_in_service
from gateway.city.rates.columns.ledger import read_ledger
from gateway.city.rates.compute import Period
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import days_of, period_of
from gateway.city.rates.proving.behind import Behind, behind, by_cause, gaps_of
from gateway.city.rates.proving.days import Mark, ProofDay, mark_of
from gateway.city.rates.proving.raw import RawDay, digest, raw_days, sources_of
from gateway.city.rates.proving.sealed import Computed, Sealed, computed, sealed_of
from gateway.city.rates.reports.drilldown import MachineVerdict, verdicts_of
from gateway.core.days import day_of, day_start_ms

_NAME_PARTS = 3


class ProofError(Exception):
    """A machine of which nothing can be shown; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a machine is to be proven.

    Attributes:
        machine_id: its id.
        machine: as the ledger names it.
        period: the month so far.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        headline: whose statuses decide about days in service.
        definitions: by id; those that count networked machines.
        names: with the people who had results computed; for who sees the whole city.
    """

    machine_id: int
    machine: MachineName
    period: Period
    now_ms: int
    demonstration: bool
    headline: Definition
    definitions: Mapping[str, Definition]
    names: bool = False

    @property
    def days(self) -> list[date]:
        """Of the month so far, since the city began; at least one."""
        return days_of(self.period)


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of a machine in a month.

    Attributes:
        machine: as the ledger names it.
        month: ``YYYY-MM``.
        definition: whose statuses decide about days in service.
        days: of the month so far, since the city began.
        verdicts: by id of every definition that counts networked machines.
        marks: what each day is, by id of the same definitions.
        behind: where it was read.
        sealed: of a month of which rates are stored.
        raw: the rows of its days, as they stand in the database.
        computed: the newest results of the month by id of definition, with their jobs.
    """

    machine: MachineName
    month: str
    definition: str
    days: Sequence[ProofDay]
    verdicts: Mapping[str, MachineVerdict]
    marks: Mapping[str, Mapping[date, Mark]]
    behind: Behind
    sealed: Sealed | None
    raw: Sequence[RawDay]
    computed: Mapping[str, Computed]

    @property
    def block(self) -> str:
        """Digest of ``raw``, SHA-256, 64 hex digits; ``digest`` of ``raw.py`` says how."""
        return digest(self.raw)


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
    """What the month of a machine rests on that somebody names; see :func:`proven`.

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
    named = machine_asked_for(connection, text, period.as_of)
    asked = Asked(*named, period, now_ms, demonstration, headline, definitions, names=True)
    return proven(connection, asked)


def proven(connection: Connection, asked: Asked) -> Proof:
    """What a machine's month rests on, day by day, and how each definition counts it."""
    known = {name: one for name, one in asked.definitions.items() if one.measure == "networked"}
    service = _service(connection, asked, [asked.headline, *known.values()])
    place = behind(connection, asked.machine_id, asked.machine, asked.days)
    raw = raw_days(connection, asked.machine_id, asked.days)
    days = list(_days(connection, asked, place, service[asked.headline.statuses], raw))
    today = day_of(asked.now_ms)
    marks = {
        name: {
            day.day: mark_of(
                day,
                service[one.statuses][day.day],
                one,
                demonstration=asked.demonstration,
                runs=day.day == today,
            )
            for day in days
        }
        for name, one in known.items()
    }
    return Proof(
        asked.machine,
        asked.period.month,
        asked.headline.id,
        days,
        verdicts_of(connection, asked.machine_id, _inquiries(asked, known)),
        marks,
        place,
        sealed_of(
            connection,
            asked.machine.uscc,
            asked.period.month,
            demonstration=asked.demonstration,
        ),
        raw,
        computed(connection, known, asked.period.month, names=asked.names),
    )


def _inquiries(asked: Asked, known: Mapping[str, Definition]) -> list[Inquiry]:
    uscc = asked.machine.uscc
    return [
        Inquiry(one, asked.period, asked.now_ms, asked.demonstration, uscc=uscc)
        for one in known.values()
    ]


def _days(
    connection: Connection,
    asked: Asked,
    place: Behind,
    service: Mapping[date, bool | None],
    raw: Sequence[RawDay],
) -> Iterator[ProofDay]:
    days = asked.days
    sources, lacking = sources_of(raw), gaps_of(connection, place, days)
    counts, doubted = counts_of(connection, asked.machine_id, days), _doubted(connection, asked)
    stops, own = stops_of(connection, asked.machine_id), schedules_of(connection, asked.machine)
    for day in days:
        rest = day_of_rest(own, day, asked.headline.calendar)
        yield ProofDay(
            day=day,
            service=service[day],
            rest=rest.rest,
            sources=sources.get(day, ()),
            counts=counts.get(day),
            gaps_ms=by_cause(lacking, day_start_ms(day), asked.now_ms),
            doubted_hours=doubted[day],
            stop=next((one for one in stops if one.covers(day)), None),
            schedule=rest,
        )


_Days = dict[date, bool | None]


def _service(
    connection: Connection, asked: Asked, definitions: Sequence[Definition]
) -> dict[tuple[str, ...], _Days]:
    """By statuses that are in service: on which days the machine was."""
    days = asked.days
    ledger = read_ledger(connection, days[0], asked.machine.uscc)
    place = ledger.place_of([asked.machine_id])[asked.machine_id]
    service = ledger.service
    serving = {one.statuses: statuses_in_service(ledger, one) for one in definitions}
    found: dict[tuple[str, ...], _Days] = {statuses: {} for statuses in serving}
    for first in dict.fromkeys(day.replace(day=1) for day in days):
        month = service.month(first)
        for statuses, codes in serving.items():
            due, sure = (int(masks[place]) for masks in month.service(codes))
            found[statuses] |= {
                day: None if (due ^ sure) >> (day.day - 1) & 1 else bool(due >> (day.day - 1) & 1)
                for day in days
                if day.replace(day=1) == first
            }
    return found


def _doubted(connection: Connection, asked: Asked) -> defaultdict[date, int]:
    columns, found, days = doubted_evidence.c, defaultdict[date, int](int), asked.days
    query = select(columns.day, columns.hours).where(
        columns.machine_id == asked.machine_id, columns.day.between(days[0], days[-1])
    )
    for day, hours in connection.execute(query):
        found[day] |= hours
    return found
