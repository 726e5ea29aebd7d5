"""Handles at a node where identifiers are registered, read by who may register there."""

import asyncio
import logging
import time
from collections.abc import Callable

from edge_config.models.base import SecretUnavailableError
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.native.keys import KeyFileError
from gateway.identifier.registering.registry import Outcome as Said
from gateway.identifier.registering.registry import Reading, Registry
from gateway.identifier.resolving.answer import Answer, Hop, Item, Outcome
from gateway.retry import Retry

logger = logging.getLogger(__name__)

TTL_S = 3_600
"""Such nodes say nothing of how long a record may be kept."""
WITHDRAWN = "WITHDRAWN"
_OUTCOMES = {
    Said.OK: Outcome.FOUND,
    Said.NOT_FOUND: Outcome.NOT_FOUND,
    Said.INVALID: Outcome.INVALID,
    Said.DENIED: Outcome.DENIED,
    Said.LOGIN: Outcome.DENIED,
    Said.BUSY: Outcome.BUSY,
    Said.QUOTA: Outcome.BUSY,
}
"""Whatever else is said of a question is that it was not answered."""


class RegisteredSource:
    """A node with a login, whatever it speaks; opened when it is first asked.

    A secret or a file of ``tls`` that cannot be used makes it unreachable, and nobody else; once
    it is mended, the node is asked.

    Args:
        name: as answers name it.
        place: its address, as the walk tells it.
        make: opens the node; raises ``OSError``, ``SecretUnavailableError`` or ``KeyFileError``.
    """

    def __init__(self, name: str, place: str, make: Callable[[], Registry]) -> None:
        self.name = name
        self._place = place
        self._make = make
        self._registry: Registry | None = None
        self._one_at_a_time = asyncio.Lock()
        lost, back = f"resolver.sources: {name} cannot be asked", f"{name} can be asked again"
        self._retry = Retry(logger, lost, back)

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Handle)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``."""
        began_s = time.monotonic()
        reading = await self._read(str(code))
        outcome = _OUTCOMES.get(reading.outcome, Outcome.UNREACHABLE)
        is_found = outcome is Outcome.FOUND
        why = "" if is_found else reading.message or reading.outcome
        took_s = time.monotonic() - began_s
        hop = Hop(self.name, self._place, str(code), why or outcome, took_s)
        ttl_s = TTL_S if is_found else 0
        return Answer(str(code), outcome, _items(reading), self.name, why, ttl_s, (hop,))

    async def fault(self) -> str:
        """Why the node cannot be opened, in words; empty: it is open."""
        try:
            await self._opened()
        except _UNUSABLE as error:
            return str(error)
        return ""

    async def close(self) -> None:
        """See ``Source``."""
        if self._registry is not None:
            await self._registry.close()

    async def _read(self, handle: str) -> Reading:
        try:
            registry = await self._opened()
        except _UNUSABLE as error:
            return Reading(Said.UNREACHABLE, message=str(error))
        return await registry.read(handle)

    async def _opened(self) -> Registry:
        """The node; what keeps it from being asked is logged once while that lasts."""
        async with self._one_at_a_time:
            if self._registry is None:
                try:
                    self._registry = await asyncio.to_thread(self._make)
                except _UNUSABLE as error:
                    self._retry.failed(str(error))
                    raise
                self._retry.succeeded()
            return self._registry


_UNUSABLE = (OSError, SecretUnavailableError, KeyFileError)


def _items(reading: Reading) -> tuple[Item, ...]:
    if reading.record is None:
        return ()
    items = [Item(value.type, value.text, value.index) for value in reading.record.values]
    withdrawn = [Item(WITHDRAWN, reading.message)] if reading.message else []
    return (*items, *withdrawn)
