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
reached by one thing, such as a serial line, share a link (``gateway/drivers/spec.py``); their
calls take turns, and a timeout begins with the turn. The rules are numbered in
``docs/driver-contract.md``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Reading, Status
from gateway.core.schema import Column, Kind
from gateway.core.status import Reason

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
