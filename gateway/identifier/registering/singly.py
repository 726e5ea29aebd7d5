"""Identifiers for a node that takes one at a time. Pure."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.identifier.record import Record
from gateway.identifier.registering.registry import Result


async def one_by_one(
    records: Sequence[Record], act: Callable[[Record], Awaitable[Result]]
) -> list[Result]:
    """Results in the order of the records; behind one that pauses nothing more is asked."""
    results: list[Result] = []
    for record in records:
        if results and results[-1].outcome.pauses:
            results.append(replace(results[-1], handle=record.handle))
        else:
            results.append(await act(record))
    return results
