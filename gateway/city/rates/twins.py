"""Machines whose unit counts for another asset number already, in the figures of a month."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from gateway.city.ledger.machines import find
from gateway.city.rates.compute import meets
from gateway.city.rates.days.month import MachineMonth
from gateway.city.rates.inquiry import Inquiry
from gateway.city.registry.readings import twins

Twins = Mapping[int, Mapping[int, str]]
"""By machine those that came before it and read the same: their id and number."""


def certain_twins(connection: Connection, inquiry: Inquiry) -> Twins:
    """Those of which nothing but the unit of another one was read in the window."""
    window = inquiry.window
    pairs = [
        one for one in twins(connection, window.first, window.as_of, inquiry.uscc) if one.is_certain
    ]
    names = {name for one in pairs for name in (one.machine, one.first)}
    known = find(connection, names, window.as_of) if names else {}
    found: dict[int, dict[int, str]] = {}
    for one in pairs:
        later, first = known.get(one.machine), known.get(one.first)
        if later is not None and first is not None and later != first:
            found.setdefault(later, {})[first] = one.first.asset_no
    return found


def counted_first(
    twins_known: Twins, inquiry: Inquiry, firsts: Iterable[tuple[int, MachineMonth]]
) -> dict[int, str]:
    """Which machines do not count, with the number that counts for them.

    A unit is not lost: where the first one is out of service, or has no data, the other counts.

    Args:
        twins_known: of :func:`certain_twins`.
        inquiry: the month.
        firsts: the machines that came first, with their months.
    """
    counting = {
        number for number, month in firsts if meets(inquiry.definition, month, inquiry.period)
    }
    return {
        later: next(asset_no for first, asset_no in known.items() if first in counting)
        for later, known in twins_known.items()
        if counting & known.keys()
    }
