"""The driver SDK: everything a driver needs, and all that a driver may rely on.

::

    DriverError
    ├── NotConnectedError   the connection is gone or could not be made
    ├── NoResponseError     the device is silent; what it is reached by stands
    └── RefusedError        the device said no: password, certificate, session limit

A driver does not schedule, retry, reconnect, scale, filter or log faults; the poller owns all of
that. Calls never overlap, but ``arrivals`` may be awaited while another call runs. Each other call
is under a timeout of the poller's. After a timeout or a cancelled call the poller closes the driver
and connects anew, so that a late answer can never be taken for the next one. Devices that are
reached by one thing, such as a serial line, share a :class:`Link`; their calls take turns, and a
timeout begins with the turn. The rules are numbered in ``docs/driver-contract.md``.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edge_config.loading.resolved import ResolvedDevice
from edge_config.models.gateway import DeviceConfig, Mode, Notation
from edge_config.models.settings import Settings
from gateway.core.batch import Reading, Status
from gateway.core.schema import Column, Kind
from gateway.core.status import Reason

ENTRY_POINT_GROUP = "qulink.drivers"

Value = float | int | bool | str


class DriverError(Exception):
    """Base of every fault that a driver raises on purpose.

    Attributes:
        reason: cause of the gap that begins where it ends a session.
    """

    reason = Reason.DISCONNECTED

    def __init__(self, message: str, reason: Reason | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


class NotConnectedError(DriverError):
    """The connection is gone, or could not be made. The poller will reconnect."""


class NoResponseError(DriverError):
    """The device does not answer, though what it is reached by stands.

    The poller leaves the device alone for a while and reads it again over the same connection,
    which others may share.
    """

    reason = Reason.TIMEOUT


class RefusedError(DriverError):
    """The device said no: wrong password, certificate, session limit. Longest back-off."""

    reason = Reason.REFUSED


@dataclass(frozen=True, slots=True)
class Point:
    """One tag as a driver sees it.

    Attributes:
        name: tag name, for messages only.
        kind: kind of the raw value, from ``DriverSpec.kind``.
        address: the validated ``address:`` of the tag, an instance of ``DriverSpec.address``.
    """

    name: str
    kind: Kind
    address: Any  # an instance of the driver's own address model


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Values that a subscription delivered, before processing.

    Attributes:
        group: the group name given to ``subscribe``.
        index: uint32[m], ascending: positions in the points of that group.
        time_ms: int64[m]: source time of each value, UTC milliseconds; arrival time if the
            device gives none.
        columns: one array a run of the raw kinds of ``points[index]``.
        status: uint8[m]: status byte of each value.
    """

    group: str
    index: npt.NDArray[np.uint32]
    time_ms: npt.NDArray[np.int64]
    columns: tuple[Column, ...]
    status: Status


class Driver(Protocol):
    """One connection to one device."""

    async def connect(self) -> None:
        """Open the connection; may be called again after a failure.

        Raises:
            NotConnectedError: nobody answers.
            RefusedError: the device rejects our credentials or has no session left.
        """

    def plan(self, points: Sequence[Point]) -> Any:
        """Prepare the reading of these points: merge addresses, compile decoders. No I/O.

        Whatever it returns is only handed back to :meth:`read`.
        """

    async def read(self, plan: Any) -> Reading:
        """Read all points of a plan once.

        Returns:
            One status a point, and one column a run of their raw kinds, in the plan's order.
            A fault of one point is a BAD status with its reason.

        Raises:
            NotConnectedError: the connection is lost.
            NoResponseError: the device gave no value at all, the connection is as it was.
        """

    async def write(self, point: Point, value: Value) -> None:
        """Write one value.

        Raises:
            DriverError: the device refused it, or the point cannot be written.
            NotConnectedError: the connection is lost.
        """

    async def close(self) -> None:
        """Release everything. Never raises, is quick, works twice and after a failed connect."""


class TagFault(NamedTuple):
    """Why a tag is BAD, in words for people that hold as long as it is BAD for this reason."""

    reason: Reason
    words: str


class ExplainingDriver(Driver, Protocol):
    """A driver that can say more of a tag than its reason."""

    def tag_faults(self) -> Mapping[str, TagFault]:
        """The newest fault of each tag that had one, by tag name. Asked when a person looks."""


class SubscribingDriver(Driver, Protocol):
    """A driver whose device pushes values."""

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        """Ask the device to push changes of these points. Called after every connect.

        Returns:
            One status a point: BAD where the device does not know or refuses it.

        Raises:
            NotConnectedError: the connection is lost.
        """

    async def arrivals(self) -> Sequence[Arrivals]:
        """Wait for values; returns everything that has come since the last call.

        May be awaited while ``subscribe``, ``read`` or ``write`` runs, and may be cancelled
        without losing a value.

        Raises:
            NotConnectedError: the connection is lost, or the device stopped publishing.
        """


class Link(Protocol):
    """What several devices of one driver are reached by: a serial line, a serial server.

    It has no life of its own: its drivers connect it, and it is closed when all of them are.
    """

    @property
    def turns(self) -> int:
        """How many of its drivers may connect, read or write at one time; it may change."""

    def configure(self, connections: Sequence[Any]) -> None:
        """Follow what its devices say of it: at the begin, and when one comes, goes or changes.

        Args:
            connections: of all its devices; where they contradict, the first one counts.
        """

    def driver(self, connection: Any) -> Driver:
        """A driver for one of its devices. No I/O.

        Args:
            connection: one that has the key of this link; not only those it was made for.
        """


def no_conflicts(_connections: Sequence[Any]) -> Iterable[tuple[int, str, str]]:
    """For links without settings of their own."""
    return ()


def no_doubts(_devices: Sequence[ResolvedDevice]) -> Iterable[str]:
    """For links that can carry whatever is asked of them."""
    return ()


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """How a driver's devices share links. The edge makes one link a key and grants the turns.

    Attributes:
        key: what connections of one link have in common, ``(host, port)``, say. Pure.
        make: a link for connections of one key. No I/O.
        conflicts: what in connections of one key, in the order of the file, contradicts an
            earlier one: position, key of ``connection:`` and a sentence. Pure.
        doubts: what all devices of a link together ask of it that it can hardly give, as
            sentences; ``qulink check`` shows them as warnings. Pure.
    """

    key: Callable[[Any], Hashable]
    make: Callable[[Sequence[Any]], Link]
    conflicts: Callable[[Sequence[Any]], Iterable[tuple[int, str, str]]] = no_conflicts
    doubts: Callable[[Sequence[ResolvedDevice]], Iterable[str]] = no_doubts


def as_written(written: Any, _notation: Notation) -> Any:
    """For drivers whose addresses are written in one way only."""
    return written


def never_unclear(_written: Any, _address: Any) -> str:
    """For drivers whose addresses mean the same to everybody."""
    return ""


def no_misfits(_connection: Any, _device: DeviceConfig) -> Iterable[tuple[str, str]]:
    """For drivers whose connection fits every device."""
    return ()


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """What a driver package exports as ``SPEC`` (entry point group ``qulink.drivers``).

    Importing it must not import a protocol library.

    Attributes:
        name: the word after ``driver:``.
        title_zh: name for Chinese readers.
        title_en: name for English readers.
        connection: model of a device's ``connection:``.
        address: model of a tag's ``address:``.
        kind: raw kind of a tag from its address. Pure.
        make: driver from a validated connection. No I/O; imports the protocol library, and
            raises :class:`RefusedError` if that is not installed.
        modes: what a group's ``mode:`` may be; the first is the default.
        endpoint: ``host:port`` of a connection, for messages and the console.
        unit: what makes a connection's physical unit – of Modbus host, port and unit id – and
            nothing else of it, so that two devices that read one unit are recognised whatever
            their time-outs. By default the whole connection. Pure.
        misfits: what in a valid connection contradicts the rest of its device (time-outs, say),
            as pairs of a key of ``connection:`` and a sentence. Pure; ``qulink check`` shows it
            with its line.
        link: how its devices share links; None: each is reached on its own, by ``make``.
        in_notation: a written address of a profile that says which notation its manual has,
            as it is written in a profile that does not. Pure.
        unclear: how else a written address (second: what it was understood as) may be meant, and
            what to write so that it cannot, as a sentence; empty: in no other way. Pure.
    """

    name: str
    title_zh: str
    title_en: str
    connection: type[Settings]
    address: type[Settings]
    kind: Callable[[Any], Kind]
    make: Callable[[Any], Driver]
    modes: tuple[Mode, ...] = ("poll",)
    endpoint: Callable[[Any], str] = str
    unit: Callable[[Any], Hashable] = repr
    misfits: Callable[[Any, DeviceConfig], Iterable[tuple[str, str]]] = no_misfits
    link: LinkSpec | None = None
    in_notation: Callable[[Any, Notation], Any] = as_written
    unclear: Callable[[Any, Any], str] = never_unclear
