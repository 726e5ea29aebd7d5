"""What the seam asks of an engine: to hold tables of numbers, and to answer a question."""

from collections.abc import Sequence
from typing import Protocol

from gateway.city.rates.engines.gathering import Columns


class Store(Protocol):
    """An engine that holds copies of months.

    Every method raises :class:`EngineError` with one sentence if the engine is away, refuses, or
    takes too long.
    """

    where: str
    """Which engine, in words of a message."""

    def prepare(self) -> None:
        """Make the tables that are not there."""

    def append(self, table: str, columns: Columns) -> None:
        """Add rows; each column is as long as the others."""

    def ask(self, text: str) -> Sequence[Sequence[int | str]]:
        """The rows that answer a question; whole numbers, and a USCC as text."""

    def drop(self, copy: int) -> None:
        """Take a copy away."""

    def close(self) -> None:
        """Let go of it."""
