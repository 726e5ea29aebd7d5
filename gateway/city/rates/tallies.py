"""Numerator and denominator of every enterprise, from ledger and evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection

from gateway.city.rates.attendance import Flags, Numbers
from gateway.city.rates.cells.excused import Excused
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.columns.evidence import is_there
from gateway.city.rates.columns.ledger import ReadLedger, read_ledger
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.compute import (
    Counts,
    Enterprise,
    has_no_say,
    is_asked_for,
    judge,
    tally,
    tally_ledgers,
)
from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.engines.engine import Engine, FirmCount
from gateway.city.rates.facts import MachineMonths, enterprises, machine_months
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.reasons import EXCUSED, UNDATED
from gateway.core.days import day_of

Places = Mapping[str, Enterprise]
"""Enterprises by USCC."""


_UNKNOWN = Enterprise("", "", "", in_scope=False, verified=False)
"""One that the ledger did not know then."""


class NotComputableError(ValueError):
    """A rate does not exist for the month asked for."""


def tallies_of(
    connection: Connection,
    inquiries: Sequence[Inquiry],
    progress: Progress = unreported,
    ledgers: ReadLedger = read_ledger,
    engine: Engine | None = None,
) -> list[tuple[list[Tally], Places]]:
    """Numerator and denominator of every enterprise in scope, and all enterprises, by inquiry.

    Ledger and evidence are read once, whatever the number of inquiries.

    Args:
        connection: the city's database.
        inquiries: all with the same evidence.
        progress: is told how far it is.
        ledgers: reads the machines.
        engine: counts them; None: this process does.

    Raises:
        NotComputableError: an instantaneous rate of a past month.
        EngineError: the engine cannot be asked.
    """
    for inquiry in inquiries:
        _check(inquiry)
    counting = [one for one in inquiries if one.definition.measure != "ledger"]
    counted = iter(_tallies(connection, counting, progress, ledgers, engine))
    found: list[tuple[list[Tally], Places]] = []
    for inquiry in inquiries:
        if inquiry in counting:
            found.append(next(counted))
        else:
            places = enterprises(connection, inquiry)
            found.append((tally_ledgers(places), places))
    return found


def _tallies(
    connection: Connection,
    inquiries: Sequence[Inquiry],
    progress: Progress,
    ledgers: ReadLedger,
    engine: Engine | None,
) -> Iterator[tuple[list[Tally], Places]]:
    """Of inquiries that count machines."""
    if not inquiries:
        return
    if engine is not None:
        of_firms = engine.counted(connection, inquiries, progress)
        for inquiry, one in zip(inquiries, of_firms, strict=True):
            places = enterprises(connection, inquiry)
            yield _by_engine(inquiry, places, one), places
        return
    months = machine_months(connection, inquiries, progress, ledgers)
    for inquiry, month in zip(inquiries, months, strict=True):
        places = enterprises(connection, inquiry)
        yield _counted(inquiry, places, month), places


def _check(inquiry: Inquiry) -> None:
    definition = inquiry.definition
    if definition.measure == "answering" and inquiry.period.as_of != day_of(inquiry.now_ms):
        raise NotComputableError(
            f"{definition.id} is instantaneous; it exists for the running month only, "
            f"not for {inquiry.period.month}"
        )


def _counted(inquiry: Inquiry, places: Places, months: MachineMonths) -> list[Tally]:
    """Judge one machine of each kind, and count the machines of each enterprise by their kinds."""
    firms = [places.get(uscc, _UNKNOWN) for uscc in months.ledger.firm_names.known]
    # What a rule asks of an enterprise; the code of the first one is 1.
    marks = np.array([0, *(1 + one.in_scope + 2 * one.verified for one in firms)], np.int64)
    firm_of = months.ledger.firms
    shown, kinds = months.kinds(inquiry.period.first, marks[firm_of])
    flags = [
        _flags(inquiry, firms[firm_of[place] - 1], months.at(place)) for place in shown.tolist()
    ]
    columns = np.array(flags, np.int64).reshape(-1, len(Counts._fields)).T
    sums = [_sums(firm_of, one, kinds, len(firms)) for one in columns]
    usccs = months.ledger.firm_names.known
    found = dict(zip(usccs, map(Counts._make, np.array(sums, np.int64).T.tolist()), strict=True))
    if inquiry.calendar is None:
        return _told(inquiry, places, found, {})
    counted, without = columns[Counts._fields.index("counted")], Counts._fields.index("excused")
    concerned = ((counted | columns[without]) != 0)[kinds]
    return _told(inquiry, places, found, _excused(months, concerned, len(firms)))


def _by_engine(inquiry: Inquiry, places: Places, machines: Mapping[str, FirmCount]) -> list[Tally]:
    """What an engine counted; whether an enterprise counts at all is not its to say."""
    counts, days = dict[str, Counts](), dict[str, Excused]()
    for uscc, one in machines.items():
        if has_no_say(inquiry.definition, places.get(uscc, _UNKNOWN)):
            counts[uscc] = Counts(asked_for=one.asked_for, machines=one.machines)
            continue
        counts[uscc] = Counts(
            one.networked,
            one.asked_for,
            one.undetermined,
            one.asked_for,
            one.machines,
            one.excused,
        )
        days[uscc] = Excused(one.days, one.rest, one.stopped, one.late)
    return _told(inquiry, places, counts, days)


def _told(
    inquiry: Inquiry,
    places: Places,
    counts: Mapping[str, Counts],
    days: Mapping[str, Excused],
) -> list[Tally]:
    """The enterprises in scope, with what was counted of each."""
    found = tally(places, counts, needs_verified=inquiry.definition.excludes_unverified)
    if inquiry.calendar is None:
        return found
    none = Excused(0, 0, 0, 0)
    return [replace(one, excused=days.get(one.uscc, none)) for one in found]


def _sums(firm_of: Numbers, flags: Numbers, kinds: Numbers, firms: int) -> Numbers:
    """How many machines of each enterprise are of kinds that have a flag."""
    if not flags.any():
        return np.zeros(firms, np.int64)
    flagged = firm_of if flags.all() else firm_of[(flags != 0)[kinds]]
    return np.bincount(flagged, minlength=firms + 1)[1:]


def _excused(months: MachineMonths, concerned: Flags, firms: int) -> dict[str, Excused]:
    """Days of the machines that count, or would but for excused days, by enterprise."""
    came = months.attendance
    columns = (
        came.service + came.rested + came.stopped,
        came.rested,
        came.stopped,
        came.stopped_late + came.rest_late,
    )
    firm_of = months.ledger.firms[concerned]
    # Sums of days are far below what a float holds exactly.
    sums = [np.bincount(firm_of, one[concerned], firms + 1)[1:] for one in columns]
    rows = np.array(sums).T.astype(np.int64).tolist()
    return dict(zip(months.ledger.firm_names.known, map(Excused._make, rows), strict=True))


def _flags(inquiry: Inquiry, enterprise: Enterprise, machine: MachineMonth) -> Counts:
    """What one machine adds to the counts of its enterprise."""
    definition, period = inquiry.definition, inquiry.period
    reason = judge(definition, enterprise, machine, period)
    return Counts(
        reason.networked,
        reason.counted,
        undetermined=reason in UNDATED,
        asked_for=is_asked_for(definition, machine, period),
        machines=1,
        excused=reason in EXCUSED,
    )


def is_known(connection: Connection, inquiry: Inquiry) -> bool:
    """Whether the city received anything that the rate looks at.

    Without any evidence every machine counts as not networked, and the formula says 0 %; but
    the city did not run, or nobody was connected to it: the rate is unknown. So it is where days
    of rest do not count, and nobody has told which these are, or no other day has come yet.
    """
    if inquiry.unknown_years or inquiry.only_rest:
        return False
    if inquiry.definition.measure != "networked":  # the others do not rest on evidence alone
        return True
    return is_there(connection, inquiry)
