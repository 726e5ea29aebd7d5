"""Trying until store and database take what they are given: nothing that came is given up.

But for one message that a database will never take: it is found by halving what is written at
once, and goes to quarantine, or it would stop the city for ever.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.ingest.limits import BATCH_FRAMES
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.live.metrics import CityMetrics
from gateway.city.stores.api import StoreError, StoreMisconfiguredError
from gateway.relational.database import is_permanent, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

T = TypeVar("T")


class PoisonedError(Exception):
    """The database will never take something of a batch; nothing of it was written."""


@dataclass(slots=True)
class Isolation:
    """Finds the one message that the database refuses.

    Attributes:
        most: how many messages a batch may hold; halved where one is refused, doubled where one
            is written.
    """

    most: int = BATCH_FRAMES
    _refused: dict[Incoming, str] = field(default_factory=dict)
    _suspects: set[Incoming] = field(default_factory=set)

    def why(self, message: Incoming) -> str | None:
        """Why a message is refused; None if it is not known to be."""
        return self._refused.get(message) if self._refused else None

    def refused(self, messages: Sequence[Incoming], error: Exception) -> None:
        """Of these the database refuses one or more; what stands alone is tried once more."""
        if len(messages) == 1:
            # two workers may have met at one row: that ends by itself
            if messages[0] in self._suspects:
                self._refused[messages[0]] = f"the database will never take it: {words(error)}"
            self._suspects.add(messages[0])
        self.most = max(1, len(messages) // 2)

    def written(self, messages: Sequence[Incoming]) -> None:
        """These are written; those that were refused are in quarantine."""
        self.most = min(2 * self.most, BATCH_FRAMES)
        for message in messages if self._suspects else ():
            self._suspects.discard(message)
            self._refused.pop(message, None)


class Persistence:
    """Tries with growing pauses; logs when a fault begins and when it ends.

    Args:
        metrics: told whether the store takes values.

    Attributes:
        store_problem: why the store takes nothing now; empty while it does.
        isolation: finds what the database will never take.
    """

    def __init__(self, metrics: CityMetrics) -> None:
        self._metrics = metrics
        self._store_attempts = _attempts("store")
        self._database_attempts = _attempts("database")
        self.store_problem = ""
        self.isolation = Isolation()

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
        return await self._database_attempts.until_done(
            work, SQLAlchemyError, MemoryError, words=words
        )

    async def written(self, messages: Sequence[Incoming], work: Callable[[], Awaitable[T]]) -> T:
        """Write what messages say until it succeeds.

        Raises:
            PoisonedError: the database will never take one of them.
        """

        async def attempt() -> T:
            try:
                return await work()
            except Exception as error:  # whatever the driver makes of a row; others go on
                # what is in quarantine already is tried on: there is no smaller piece of it
                if not is_permanent(error) or any(map(self.isolation.why, messages)):
                    raise
                self.isolation.refused(messages, error)
                raise PoisonedError(f"the database refuses them: {words(error)}") from error

        result = await self._database_attempts.until_done(
            attempt, SQLAlchemyError, MemoryError, OverflowError, UnicodeError, words=words
        )
        self.isolation.written(messages)
        return result


def _attempts(what: str) -> Retry:
    lost, back = f"the {what} refuses, nothing is acknowledged", f"the {what} answers again"
    return Retry(log, lost, back, level=logging.ERROR)
