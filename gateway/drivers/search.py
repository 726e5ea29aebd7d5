"""How people look for devices and for values in them: what a driver may bring beside reading.

Nothing of it is imported while an edge runs, unless a person asks.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from gateway.drivers.api import Value


class CandidateValue(NamedTuple):
    """One way to read what stands in a range.

    Attributes:
        address: as a tag would have it, an instance of the driver's address model.
        span: how many cells it takes.
        group: what neighbours of one form have in common: type and order.
        value: what it says; None: these cells hold none in this form.
    """

    address: Any
    span: int
    group: str
    value: Value | None


class Detective(Protocol):
    """Reads a range in every way that its driver knows."""

    def cells(self, table: str, address: int, count: int) -> Sequence[Any]:
        """The addresses of the single cells of a range, to be read once.

        Args:
            table: where, in the driver's words; empty: where it is usual.
            address: of the first cell.
            count: how many.

        Raises:
            ValueError: there is no such range.
        """

    def readings(
        self, connection: Any, cells: Sequence[Any], values: Sequence[Value | None]
    ) -> Sequence[CandidateValue]:
        """Every type, order and offset, by the driver's own decoding. Pure.

        Args:
            connection: of the device, for what its settings say of orders.
            cells: as :meth:`cells` gave them.
            values: what they hold; None: the device gave nothing.
        """


class Target(NamedTuple):
    """Where to look, from a URL.

    Attributes:
        connection: as a configuration would have it below ``connection:``, the unit apart.
        unit: keys of it that single devices differ in, where the URL says them.
    """

    connection: Mapping[str, Any]
    unit: Mapping[str, Any]
