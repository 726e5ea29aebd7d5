"""Every exception of the library and the network becomes one of the SDK's, and none gets by."""

import asyncio
import inspect
import struct

import pytest
from asyncua import ua
from asyncua.common.utils import NotEnoughData, ServiceError, SocketClosedException
from asyncua.crypto import uacrypto
from asyncua.ua import uaerrors
from cryptography.exceptions import InvalidSignature

from edge_config.base import Secret
from gateway.drivers.api import DriverError, NotConnectedError, RefusedError
from gateway.drivers.opcua.binary import CodecError
from gateway.drivers.opcua.codec import ServiceFaultError
from gateway.drivers.opcua.faults import REFUSED_CODES, code_of, name_of, translated

FAMILY = [
    error
    for _, error in inspect.getmembers(uaerrors, inspect.isclass)
    if issubclass(error, ua.uaerrors.UaStatusCodeError)
    and error not in (uaerrors.UaStatusCodeError, uaerrors.UaStatusCodeErrors)
]


def outcome(error: Exception) -> DriverError:
    with pytest.raises(DriverError) as caught, translated("connect to plc:4840"):
        raise error
    assert str(caught.value).startswith("connect to plc:4840: ")
    return caught.value


def test_the_family_is_there() -> None:
    assert len(FAMILY) > 200


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_status_errors(kind: type[uaerrors.UaStatusCodeError]) -> None:
    error = kind()
    code = code_of(error)
    assert code is not None
    expected = RefusedError if code in REFUSED_CODES else NotConnectedError
    assert type(outcome(error)) is expected
    assert name_of(code) in str(outcome(error))


@pytest.mark.parametrize(
    "name",
    [
        "BadUserAccessDenied",
        "BadIdentityTokenRejected",
        "BadCertificateUntrusted",
        "BadSecurityChecksFailed",
        "BadTooManySessions",
    ],
)
def test_what_a_person_must_mend_is_a_refusal(name: str) -> None:
    error = uaerrors.UaStatusCodeError(getattr(ua.StatusCodes, name))
    assert type(outcome(error)) is RefusedError
    assert ";" in str(outcome(error)), "says what to do"


@pytest.mark.parametrize(
    "error",
    [
        uaerrors.UaError("x"),
        uaerrors.UaStringParsingError("x"),
        uaerrors.UaStructParsingError("x"),
        uaerrors.UaInvalidParameterError("x"),
        NotEnoughData("x"),
        SocketClosedException("x"),
        ServiceError(0x80010000),
        ServiceFaultError(0x80010000),
        CodecError("x"),
        uacrypto.InvalidSignature(),
        InvalidSignature(),
        struct.error("x"),
        ConnectionError("x"),
        ConnectionResetError(),
        BrokenPipeError(),
        OSError(113, "No route to host"),
        TimeoutError(),
        TimeoutError(),
        asyncio.IncompleteReadError(b"", 3),
        EOFError(),
        ValueError("x"),
        UnicodeError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_everything_else_is_a_lost_connection(error: Exception) -> None:
    assert type(outcome(error)) is NotConnectedError


def test_the_errors_of_the_sdk_pass_unchanged() -> None:
    with pytest.raises(RefusedError, match=r"^mine$"), translated("x"):
        raise RefusedError("mine")


def test_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError), translated("x"):
        raise asyncio.CancelledError


def test_a_missing_secret_is_a_refusal_that_names_where() -> None:
    with pytest.raises(RefusedError, match="environment variable QULINK_NOT_SET"):  # noqa: SIM117
        with translated("log in"):
            Secret.model_validate({"env": "QULINK_NOT_SET"}).reveal()
