"""Trying until store and database take what they are given: nothing that came is given up."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.database import words
from gateway.city.live.metrics import CityMetrics
from gateway.city.stores.api import StoreError, StoreMisconfiguredError
from gateway.retry import Retry

log = logging.getLogger(__name__)

T = TypeVar("T")


class Persistence:
    """Tries with growing pauses; logs when a fault begins and when it ends.

    Args:
        metrics: told whether the store takes values.

    Attributes:
        store_problem: why the store takes nothing now; empty while it does.
    """

    def __init__(self, metrics: CityMetrics) -> None:
        self._metrics = metrics
        self._store_attempts = _attempts("store")
        self._database_attempts = _attempts("database")
        self.store_problem = ""

    async def store(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the store until it succeeds, whatever the store says.

        That it is misconfigured is no reason to give up: a person may mend it at any time.
        """

        async def attempt() -> T:
            try:
                result = await work()
            except StoreError as error:
                self._note(error)
                raise
            self._note(None)
            return result

        return await self._store_attempts.until_done(attempt, StoreError)

    def _note(self, error: StoreError | None) -> None:
        self.store_problem = str(error or "")
        self._metrics.set_store(error is None, isinstance(error, StoreMisconfiguredError))

    async def database(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the database until it succeeds."""
        return await self._database_attempts.until_done(work, SQLAlchemyError, words=words)


def _attempts(what: str) -> Retry:
    lost, back = f"the {what} refuses, nothing is acknowledged", f"the {what} answers again"
    return Retry(log, lost, back, level=logging.ERROR)
