"""Every exception of the library and the network becomes one of the SDK's, and none gets by."""

import asyncio
import inspect
import struct
from contextlib import suppress

import pytest
from asyncua import ua
from asyncua.common.utils import NotEnoughData, ServiceError, SocketClosedException
from asyncua.crypto import uacrypto
from asyncua.ua import uaerrors
from cryptography.exceptions import InvalidSignature

from edge_config.models.base import Secret
from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, NotConnectedError, RefusedError
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.client import GatewayClient
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.binary import CodecError
from gateway.drivers.opcua.encoding.codec import ServiceFaultError
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
async def test_status_errors(kind: type[uaerrors.UaStatusCodeError]) -> None:
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
async def test_what_a_person_must_mend_is_a_refusal(name: str) -> None:
    error = uaerrors.UaStatusCodeError(getattr(ua.StatusCodes, name))
    assert type(outcome(error)) is RefusedError
    assert ";" in str(outcome(error)), "says what to do"


async def test_a_server_that_takes_less_than_it_says_is_told_how_to_mend() -> None:
    assert "lower 'max_nodes_per_call'" in str(outcome(uaerrors.BadTooManyOperations()))


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
        asyncio.IncompleteReadError(b"", 3),
        EOFError(),
        ValueError("x"),
        UnicodeError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_everything_else_is_a_lost_connection(error: Exception) -> None:
    assert type(outcome(error)) is NotConnectedError


async def test_the_errors_of_the_sdk_pass_unchanged() -> None:
    with pytest.raises(RefusedError, match=r"^mine$"), translated("x"):
        raise RefusedError("mine")


async def test_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError), translated("x"):
        raise asyncio.CancelledError


async def test_a_missing_secret_is_a_refusal_that_names_where() -> None:
    missing = "environment variable QULINK_NOT_SET"
    with pytest.raises(RefusedError, match=missing), translated("log in"):
        validated(Secret, {"env": "QULINK_NOT_SET"}).reveal()


async def swallows() -> None:
    """What ``wait_for`` and the library do when an answer comes as they are cancelled."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


@pytest.mark.parametrize("then", [None, uaerrors.BadTimeout()], ids=["result", "error"])
async def test_a_swallowed_cancellation_is_raised(then: Exception | None) -> None:
    async def call() -> None:
        with translated("read"):
            await swallows()
            if then:
                raise then

    calling = asyncio.create_task(call())
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call()


async def test_close_heeds_a_cancellation_that_the_library_swallows() -> None:
    class Swallowing(GatewayClient):
        async def disconnect(self) -> None:
            await swallows()

    connection = validated(Connection, {"url": "opc.tcp://127.0.0.1:4840"})
    closing = asyncio.create_task(Session(Swallowing(connection.url), connection).close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing


@pytest.mark.parametrize("bits", [0, 0x500, 0x480, 0xC700])
def test_a_name_does_not_depend_on_the_bits_about_the_value(bits: int) -> None:
    assert name_of(0x8034_0000 | bits) == "BadNodeIdUnknown"
    assert name_of(0x408F_0000 | bits) == "UncertainNoCommunicationLastUsableValue"
    assert name_of(bits) == "Good"
