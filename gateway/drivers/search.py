"""How people look for devices and for values in them: what a driver may bring beside reading.

Nothing of it is imported while an edge runs, unless a person asks.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from edge_config.models.settings import Field, Settings
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


class InOrder(NamedTuple):
    """What the bytes of a number say in one byte order.

    Attributes:
        order: its name.
        value: as the driver reads it; None: no number.
    """

    order: str
    value: Value | None


class Detective(Protocol):
    """Reads a range in every way that its driver knows.

    Attributes:
        tables: where it can look, in the driver's words; the usual one first.
    """

    tables: Sequence[str]

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


class Place(NamedTuple):
    """Where a search looks.

    Attributes:
        target: as a URL has it.
        connection: the same as an instance of the driver's connection model.
    """

    target: Target
    connection: Any


@dataclass(slots=True)
class FoundDevice:
    """A device that was found.

    Attributes:
        name: what tells it from the others there, as ``unit 3``.
        connection: as a configuration would have it below ``connection:``.
        identity: what it says of itself, by the protocol's own words.
        readable: addresses that it gives, in words, as ``holding 0–99``.
        points: suggested name of a tag → address, for what it gives.
        labels: suggested name of a tag → what the device calls it, for people, in any script.
        remarks: what is odd about it, or was not finished.
        map: the driver's own record of what it gives, for :meth:`Probe.holds`.
    """

    name: str
    connection: dict[str, Any]
    identity: dict[str, str] = field(default_factory=dict)
    readable: list[str] = field(default_factory=list)
    points: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    map: Any = None


@dataclass(slots=True)
class Findings:
    """What a search has found so far; it is whole when the search has ended.

    Attributes:
        devices: those that are there.
        remarks: what holds for the search.
    """

    devices: list[FoundDevice] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class SearchOptions(Settings):
    """What a person may say of every search."""

    pause_ms: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="wait between an answer and the next request",
        title_zh="等待间隔（毫秒）",
        title_en="Pause (ms)",
    )


Step = Callable[[str, int, int], Awaitable[None]]
"""Is told before each request what is being done, how many steps of it are over, and how many
there are; the request may be sent when it is over. The pace of a search is its caller's, as a
driver waits for nothing by itself (rule D-05)."""


class Probe(Protocol):
    """Looks for devices."""

    async def look(
        self, where: Place, options: Any, wanted: Sequence[Any], findings: Findings, step: Step
    ) -> None:
        """Look; over one connection at a time, and at the pace of ``step``: nobody is flooded.

        May be cancelled; what was found by then is in ``findings``.

        Args:
            where: where to look.
            options: an instance of the model that the driver gives for them.
            wanted: addresses of known machines, which are worth a look.
            findings: grows.
            step: is awaited before each request.

        Raises:
            NotConnectedError: nobody is there.
            RefusedError: who is there refuses us.
        """

    def holds(self, device: FoundDevice, address: Any) -> bool:
        """Whether a device gave an address when it was looked at."""
