"""Handles at a node where identifiers are registered, read by who may register there."""

import time

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.registry import Outcome as Said
from gateway.identifier.registering.registry import Reading, Registry
from gateway.identifier.resolving.answer import Answer, Hop, Item, Outcome

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
    """A node with a login, whatever it speaks.

    Args:
        registry: the node.
        place: its address, as the walk tells it.
    """

    def __init__(self, registry: Registry, place: str) -> None:
        self.name = registry.name
        self._registry = registry
        self._place = place

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Handle)

    async def ask(self, code: Code) -> Answer:
        """See ``Source``."""
        began_s = time.monotonic()
        reading = await self._registry.read(str(code))
        outcome = _OUTCOMES.get(reading.outcome, Outcome.UNREACHABLE)
        is_found = outcome is Outcome.FOUND
        why = "" if is_found else reading.message or reading.outcome
        took_s = time.monotonic() - began_s
        hop = Hop(self.name, self._place, str(code), why or outcome, took_s)
        ttl_s = TTL_S if is_found else 0
        return Answer(str(code), outcome, _items(reading), self.name, why, ttl_s, (hop,))

    async def close(self) -> None:
        """See ``Source``."""
        await self._registry.close()


def _items(reading: Reading) -> tuple[Item, ...]:
    if reading.record is None:
        return ()
    items = [Item(value.type, value.text, value.index) for value in reading.record.values]
    withdrawn = [Item(WITHDRAWN, reading.message)] if reading.message else []
    return (*items, *withdrawn)
