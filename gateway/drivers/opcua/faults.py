"""What the protocol library and the network raise → the three errors of the driver SDK."""

import asyncio
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from asyncua import ua
from asyncua.crypto import uacrypto
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaError, UaStatusCodeError
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from edge_config.models.base import SecretUnavailableError
from gateway.drivers.api import DriverError, NotConnectedError, RefusedError
from gateway.drivers.opcua.encoding.binary import CodecError
from gateway.drivers.opcua.encoding.codec import ServiceFaultError

LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    UaError,
    ServiceFaultError,
    CodecError,
    OSError,  # ConnectionError and TimeoutError are subclasses
    EOFError,
    # asyncua first imports cryptography's class, then defines its own of the same name and raises
    # that one. Type checkers see the import only, which the module does not export.
    uacrypto.InvalidSignature,  # type: ignore[attr-defined]
    InvalidSignature,
    UnsupportedAlgorithm,
    struct.error,
    ValueError,
    TypeError,  # the library's decoder on bytes it did not expect
    AttributeError,  # the library, when a socket goes away between two of its steps
    IndexError,
    KeyError,
    AssertionError,
)
"""Everything that a call into the library was seen or read to raise, besides cancellation."""

_REFUSED_NAMES = (
    "BadUserAccessDenied",
    "BadIdentityTokenInvalid",
    "BadIdentityTokenRejected",
    "BadIdentityChangeNotSupported",
    "BadUserSignatureInvalid",
    "BadApplicationSignatureInvalid",
    "BadSecurityChecksFailed",
    "BadSecurityPolicyRejected",
    "BadSecurityModeRejected",
    "BadSecurityModeInsufficient",
    "BadCertificateInvalid",
    "BadCertificateTimeInvalid",
    "BadCertificateIssuerTimeInvalid",
    "BadCertificateHostNameInvalid",
    "BadCertificateUriInvalid",
    "BadCertificateUseNotAllowed",
    "BadCertificateIssuerUseNotAllowed",
    "BadCertificateUntrusted",
    "BadCertificateRevocationUnknown",
    "BadCertificateIssuerRevocationUnknown",
    "BadCertificateRevoked",
    "BadCertificateIssuerRevoked",
    "BadCertificateChainIncomplete",
    "BadCertificatePolicyCheckFailed",
    "BadNonceInvalid",
    "BadTooManySessions",
    "BadTooManySubscriptions",
    "BadLicenseExpired",
    "BadLicenseLimitsExceeded",
    "BadLicenseNotAvailable",
    "BadServiceUnsupported",
    "BadTcpEndpointUrlInvalid",
    "BadServerUriInvalid",
)
REFUSED_CODES = frozenset(int(getattr(StatusCodes, name)) for name in _REFUSED_NAMES)
"""StatusCodes that another attempt will not change: a person must act."""

OUT_OF_DATE = frozenset(
    map(int, (StatusCodes.BadCertificateTimeInvalid, StatusCodes.BadCertificateIssuerTimeInvalid))
)
"""StatusCodes that blame the dates of a certificate, and mostly mean a wrong clock."""

_HINTS = {
    "BadUserAccessDenied": "check 'username' and 'password' and the user's rights",
    "BadIdentityTokenRejected": "check 'username' and 'password'; anonymous may be forbidden",
    "BadIdentityTokenInvalid": "the server does not offer this way to log in",
    "BadTooManySessions": "close other clients or raise the server's session limit",
    "BadSecurityChecksFailed": "the server must trust our certificate (see certificate_dir)",
    "BadCertificateUntrusted": "the server must trust our certificate (see certificate_dir)",
    "BadCertificateUriInvalid": "the certificate must carry its application URI",
    "BadNodeIdUnknown": "the server has no such node now; it is asked for again from time to time",
    "BadNodeIdInvalid": "the server cannot have such a node; check the letter before '='",
    "BadNotReadable": "the server does not let anybody read it",
    "BadTooManyMonitoredItems": "the server monitors no more; poll some groups, or drop tags",
    "BadTooManySubscriptions": "close other clients, or poll some groups (mode: poll)",
    "BadWaitingForInitialData": "the server has no value yet; what is behind it may be off",
    **dict.fromkeys(
        (
            "BadTooManyOperations",
            "BadRequestTooLarge",
            "BadResponseTooLarge",
            "BadTcpMessageTooLarge",
        ),
        "lower 'max_nodes_per_call'; the server takes less than it says",
    ),
}


_SURPRISES = (TypeError, AttributeError, LookupError, AssertionError, struct.error)
"""What the library raises where an answer has not the form that it expects."""


def code_of(error: Exception) -> int | None:
    """The StatusCode that an error carries, if it carries one."""
    if isinstance(error, UaStatusCodeError | ServiceFaultError):
        code = error.code
        return code if isinstance(code, int) else None
    return None


def name_of(code: int) -> str:
    """The standard's name of a StatusCode, whatever its bits about the value (Part 4, 7.39)."""
    return str(ua.StatusCode(ua.UInt32(code & 0xFFFF_0000)).name)


def hint_of(code: int) -> str:
    """What to do about a StatusCode, to be put behind its name; mostly nothing."""
    hint = _HINTS.get(name_of(code))
    return f"; {hint}" if hint else ""


def translate(error: Exception, attempted: str) -> DriverError:
    """The SDK's error for a library's error.

    Args:
        error: one of :data:`LIBRARY_ERRORS`.
        attempted: what was tried, on what; begins the message.
    """
    code = code_of(error)
    if code is not None:
        kind = RefusedError if code in REFUSED_CODES else NotConnectedError
        return kind(f"{attempted}: {name_of(code)}{hint_of(code)}")
    if isinstance(error, TimeoutError):
        return NotConnectedError(f"{attempted}: no answer in time")
    if isinstance(error, _SURPRISES):
        return NotConnectedError(
            f"{attempted}: the server's answer cannot be used ({type(error).__name__}: {error})"
        )
    return NotConnectedError(f"{attempted}: {str(error) or type(error).__name__}")


@contextmanager
def translated(attempted: str) -> Iterator[None]:
    """Run library calls; their errors leave as errors of the SDK, cancellation passes through."""
    with heeding_cancellation():
        try:
            yield
        except DriverError:
            raise
        except SecretUnavailableError as error:
            raise RefusedError(f"{attempted}: {error}") from error
        except LIBRARY_ERRORS as error:
            raise translate(error, attempted) from error


@contextmanager
def heeding_cancellation() -> Iterator[None]:
    """Run library calls; a cancellation that they swallow is raised after them.

    The library swallows one while it ends its own tasks, and so does ``asyncio.wait_for`` of
    Python 3.11, which it uses everywhere, if the answer comes in the same moment.
    """
    before = _cancellations()
    try:
        yield
    finally:
        if _cancellations() > before:
            raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0
