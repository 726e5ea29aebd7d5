"""Ranges of addresses as operators write them: ``holding:100-199``. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from edge_config.models.settings import Rule
from gateway.drivers.modbus.codec import ADDRESSES, Table

_TEXT = re.compile(r"(?P<table>[a-z]+):(?P<first>\d+)(?:-(?P<last>\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring addresses of one table, counted from 0 as on the wire, the last included."""

    table: Table
    first: int
    last: int

    @classmethod
    def of(cls, text: str) -> "Range":
        """What a text means.

        Raises:
            ValueError: nothing.
        """
        found = _TEXT.fullmatch(text.strip().lower())
        if found is None or found["table"] not in set(Table) - {Table.FILE}:
            raise ValueError("must be table:first-last, as holding:100-199, from 0 as on the wire")
        first = int(found["first"])
        last = int(found["last"] or first)
        if not first <= last < ADDRESSES:
            raise ValueError(f"{first}-{last} is no range: it goes upwards, to 65535 at most")
        return cls(Table(found["table"]), first, last)

    @property
    def stop(self) -> int:
        """The address after the last."""
        return self.last + 1

    @property
    def length(self) -> int:
        """How many addresses."""
        return self.stop - self.first

    def meets(self, other: "Range") -> bool:
        """Whether they have an address in common."""
        return self.table is other.table and self.first < other.stop and other.first < self.stop

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.table}:{self.first}-{self.last}"


RangeText = Annotated[str, Rule(lambda text: str(Range.of(text)))]
"""A range as it is written."""


def ranges_of(texts: Iterable[str]) -> tuple[Range, ...]:
    """What is written."""
    return tuple(Range.of(text) for text in texts)
