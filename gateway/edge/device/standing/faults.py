"""What keeps a device away, more exactly than the reason of its gap: an id with words elsewhere.

The books need few reasons; a technician needs to know whether the name, the route, the port, the
certificate or the unit is wrong. Words and what to do stand under ``fault`` and ``fault_advice`` in
the catalogues of ``gateway/web``, in Chinese and English (``fault_words``).
"""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gateway.core.status import Reason
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError, RefusedError


class Fault(StrEnum):
    """Why a device is not read; empty: it is, or nobody knows."""

    NONE = ""
    NAME_UNKNOWN = "name_unknown"
    UNREACHABLE = "unreachable"
    PORT_REFUSED = "port_refused"
    NO_CONNECTION = "no_connection"
    CONNECTION_ENDED = "connection_ended"
    TLS = "tls"
    REFUSED = "refused"
    SERIAL_MISSING = "serial_missing"
    SERIAL_DENIED = "serial_denied"
    SERIAL_IN_USE = "serial_in_use"
    SILENT = "silent"
    WRONG_UNIT = "wrong_unit"
    METER_SILENT = "meter_silent"
    WRONG_METER = "wrong_meter"
    SLOW = "slow"
    BEHIND_GATEWAY = "behind_gateway"
    WRONG_ANSWER = "wrong_answer"
    DRIVER_BUG = "driver_bug"
    STOPPED = "stopped"


class NoConnectionInTimeError(TimeoutError):
    """Connecting took too long; the message names the setting that bounds it."""


class Loss(NamedTuple):
    """Why a session, or an attempt at one, has ended.

    Attributes:
        cause: of the gap that begins.
        detail: in the driver's words.
        fault: more exactly.
    """

    cause: Reason
    detail: str
    fault: Fault = Fault.NONE


ENDED = Loss(Reason.DISCONNECTED, "the driver ended", Fault.CONNECTION_ENDED)

_BY_ERRNO = {
    errno.ECONNREFUSED: Fault.PORT_REFUSED,
    errno.EHOSTUNREACH: Fault.UNREACHABLE,
    errno.ENETUNREACH: Fault.UNREACHABLE,
    errno.EHOSTDOWN: Fault.UNREACHABLE,
    errno.ENETDOWN: Fault.UNREACHABLE,
    errno.ETIMEDOUT: Fault.NO_CONNECTION,
    errno.ECONNRESET: Fault.CONNECTION_ENDED,
    errno.ECONNABORTED: Fault.CONNECTION_ENDED,
    errno.EPIPE: Fault.CONNECTION_ENDED,
    errno.ENOENT: Fault.SERIAL_MISSING,
    errno.ENODEV: Fault.SERIAL_MISSING,
    errno.ENXIO: Fault.SERIAL_MISSING,
    errno.EACCES: Fault.SERIAL_DENIED,
    errno.EPERM: Fault.SERIAL_DENIED,
    errno.EBUSY: Fault.SERIAL_IN_USE,
    errno.EAGAIN: Fault.SERIAL_IN_USE,
}
_BY_REASON = {
    Reason.PROTOCOL: Fault.WRONG_ANSWER,
    Reason.GATEWAY_PATH: Fault.BEHIND_GATEWAY,
    Reason.GATEWAY_TARGET: Fault.BEHIND_GATEWAY,
    Reason.STOPPED: Fault.STOPPED,
    Reason.TIMEOUT: Fault.SILENT,
}
_NUMBER = re.compile(r"\[Errno (\d+)\]")
"""Of a host with several addresses asyncio raises one error that holds the others as text."""


def loss_of(error: Exception) -> Loss:
    """What ended a session: one of the errors that a driver raises, or a bug of it."""
    if isinstance(error, TimeoutError):
        fault = Fault.SLOW
        if isinstance(error, NoConnectionInTimeError):
            fault = Fault.NO_CONNECTION
        return Loss(Reason.TIMEOUT, str(error) or "no answer in time", fault)
    if isinstance(error, DriverError):
        return Loss(error.reason, str(error), fault_of(error))
    return Loss(Reason.DRIVER_BUG, f"{type(error).__name__}: {error}", Fault.DRIVER_BUG)


def fault_of(error: DriverError) -> Fault:
    """What is behind a driver's error, by what the system said and by its reason."""
    causes = list(_causes(error))
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return Fault.TLS
    if isinstance(error, RefusedError):
        return Fault.REFUSED
    if error.reason in _BY_REASON:
        return _BY_REASON[error.reason]
    if isinstance(error, NoResponseError):
        return Fault.SILENT
    for cause in causes:
        if (fault := fault_of_system(cause)) is not Fault.NONE:
            return fault
    return Fault.CONNECTION_ENDED if isinstance(error, NotConnectedError) else Fault.NONE


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def fault_of_system(error: BaseException) -> Fault:
    """What an error of the system means where a device was to be reached; NONE: not known."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return Fault.NAME_UNKNOWN
    if not isinstance(error, OSError):
        return Fault.NONE
    if isinstance(error, TimeoutError):
        return Fault.NO_CONNECTION
    if error.errno is not None:
        return _BY_ERRNO.get(error.errno, Fault.NONE)
    found = [_BY_ERRNO.get(int(number), Fault.NONE) for number in _NUMBER.findall(str(error))]
    return found[-1] if found else Fault.NONE
