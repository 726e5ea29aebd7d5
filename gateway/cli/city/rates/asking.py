"""What commands about rates ask of the database, and what they say when it cannot be answered."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from gateway.cli.city.opening import fail, opened

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.relational.database import Database

T = TypeVar("T")


def answer(city: "CityConfig", ask: Callable[["Database"], T]) -> T:
    """What the database says; what cannot be computed is said instead."""
    from gateway.city.ledger.bitemporal.knowledge import UnknownPastError
    from gateway.city.rates.definitions import DefinitionError
    from gateway.city.rates.engines.engine import EngineError
    from gateway.city.rates.period import MonthError
    from gateway.city.rates.tallies import NotComputableError

    refused = (DefinitionError, EngineError, MonthError, NotComputableError, UnknownPastError)

    with opened(city) as database:
        try:
            return ask(database)
        except refused as error:
            fail(str(error))
