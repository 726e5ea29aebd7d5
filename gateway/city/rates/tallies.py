"""Numerator and denominator of every enterprise, from ledger and evidence."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from gateway.city.db.tables import evidence
from gateway.city.rates.compute import Enterprise, Tally, tally, tally_ledgers
from gateway.city.rates.facts import enterprises, looked_at, machines
from gateway.city.rates.inquiry import Inquiry
from gateway.core.days import day_of


class NotComputableError(ValueError):
    """A rate does not exist for the month asked for."""


def tallies_of(
    connection: Connection, inquiry: Inquiry
) -> tuple[list[Tally], Mapping[str, Enterprise]]:
    """Numerator and denominator of every enterprise in scope, and all enterprises by USCC.

    Raises:
        NotComputableError: an instantaneous rate of a past month.
    """
    definition = inquiry.definition
    if definition.measure == "answering" and inquiry.period.as_of != day_of(inquiry.now_ms):
        raise NotComputableError(
            f"{definition.id} is instantaneous; it exists for the running month only, "
            f"not for {inquiry.period.month}"
        )
    places = enterprises(connection, inquiry)
    if definition.measure == "ledger":
        return tally_ledgers(places), places
    facts = ((fact.uscc, fact.month) for fact in machines(connection, inquiry))
    return tally(definition, places, facts, inquiry.period), places


def is_known(connection: Connection, inquiry: Inquiry) -> bool:
    """Whether the city received anything that the rate looks at.

    Without any evidence every machine counts as not networked, and the formula says 0 %; but
    the city did not run, or nobody was connected to it: the rate is unknown.
    """
    if inquiry.definition.measure != "networked":  # the others do not rest on evidence alone
        return True
    query = select(evidence.c.day).where(*looked_at(inquiry)).limit(1)
    return connection.execute(query).first() is not None
