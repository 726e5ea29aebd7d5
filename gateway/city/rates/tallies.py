"""Numerator and denominator of every enterprise, from ledger and evidence."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from gateway.city.rates.compute import Tally, tally
from gateway.city.rates.facts import EnterpriseFact, Inquiry, enterprises, machines
from gateway.core.books import day_of


class NotComputableError(ValueError):
    """A rate does not exist for the month asked for."""


def tallies_of(
    connection: Connection, inquiry: Inquiry
) -> tuple[list[Tally], Mapping[str, EnterpriseFact]]:
    """Numerator and denominator of every enterprise in scope.

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
        return _ledger_tallies(places.values()), places
    facts = (fact.month for fact in machines(connection, inquiry, places))
    tallies = tally(definition, facts, inquiry.period)
    return [*tallies, *_without_machines(places, tallies)], places


def _ledger_tallies(places: Iterable[EnterpriseFact]) -> list[Tally]:
    return [
        Tally(place.uscc, place.county, place.industry, int(place.verified), 1)
        for place in places
        if place.in_scope
    ]


def _without_machines(
    places: Mapping[str, EnterpriseFact], tallies: Iterable[Tally]
) -> list[Tally]:
    """Enterprises in scope whose ledger holds no machine: shown, with N = 0."""
    known = {one.uscc for one in tallies}
    return [
        Tally(place.uscc, place.county, place.industry, 0, 0)
        for place in places.values()
        if place.in_scope and place.uscc not in known
    ]
