"""What drivers of one connection a device share: a plan that asks, and says what it misses. Pure.

It awaits what it is given to ask with, and nothing else.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from gateway.core.batch import Reading
from gateway.drivers.api import TagFault
from gateway.drivers.toolkit.layout import Kept
from gateway.drivers.toolkit.learnt import Codes
from gateway.drivers.toolkit.merge import Block
from gateway.drivers.toolkit.reading import Answer, ReadPlan

Ask = Callable[[Sequence[Any]], Awaitable[list[Answer]]]
"""Sends requests of a layout together; one answer or code a request."""


class PointPlan(ReadPlan):
    """The plan of one device; it keeps the layout that equal devices share.

    Args:
        kept: the layout, and the points it is known by.
        codes: of the protocol.
    """

    def __init__(self, kept: Kept, codes: Codes) -> None:
        super().__init__(kept.layout, codes)
        self._kept = kept

    async def read(self, ask: Ask) -> Reading:
        """Read once.

        Raises:
            UnansweredError: the device answered nothing.
        """
        steps = self.poll()
        try:
            requests = next(steps)
            while True:
                requests = steps.send(await ask(requests))
        except StopIteration as end:
            reading: Reading = end.value
            return reading

    def faults(self, words: Callable[[Block, int], str]) -> Iterator[tuple[str, TagFault]]:
        """The tags that the last reading missed, and why.

        Args:
            words: a request and the code it was answered with, for people.
        """
        for block, code in self.missed:
            fault = TagFault(self._codes.reason(code), words(block, code))
            for member in block.members:
                yield self._kept.points[member].name, fault
