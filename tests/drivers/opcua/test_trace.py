"""The flight recorder: messages in words, whole conversations, and no secret in any of it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.api import DriverError, NotConnectedError
from gateway.drivers.frames import LONGEST, Direction, Frame, FrameLog
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.driver import OpcUaDriver
from gateway.drivers.opcua.trace.keeping import HEAD, kept_request, kept_response
from gateway.drivers.opcua.trace.services import REQUESTS, RESPONSES, SECRET
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import ForeignServer, point
from tests.drivers.opcua.test_client import short_lived
from tests.drivers.opcua.test_security import PASSWORD, USER, secured, trust_server

__all__ = ["short_lived"]  # a fixture

TOKEN = ua.NodeId(b"the token of the session", ua.Int16(1))


def recorded(driver: OpcUaDriver) -> FrameLog:
    log = FrameLog()
    driver.record(log)
    return log


def told(log: FrameLog) -> list[str]:
    return [frame.note or SPEC.explain(frame) for _, frame in log.since()]


def sent(request: Any) -> str:
    request.RequestHeader.AuthenticationToken = TOKEN
    data = kept_request(b"MSG", 7, struct_to_binary(request))
    assert b"token" not in data
    return SPEC.explain(Frame(0.0, Direction.SENT, data))


def came(response: Any) -> str:
    data = kept_response(b"MSG", 7, struct_to_binary(response))
    return SPEC.explain(Frame(0.0, Direction.RECEIVED, data[:LONGEST]))


def test_of_a_login_only_the_header_is_kept() -> None:
    login = ua.ActivateSessionRequest()
    login.Parameters.UserIdentityToken = ua.UserNameIdentityToken(
        UserName="operator", Password=PASSWORD.encode()
    )
    login.RequestHeader.AuthenticationToken = TOKEN
    body = struct_to_binary(login)
    assert PASSWORD.encode() in body
    assert len(kept_request(b"MSG", 7, body)) < 60
    unknown = b"\1\0\x0f\x27" + body[4:]  # a service that is not known here
    assert len(kept_request(b"MSG", 7, unknown)) < 60


def test_numbers_of_services_are_the_standards() -> None:
    for table, what in ((REQUESTS, "Request"), (RESPONSES, "Response")):
        for number, name in table.items():
            written = name if name == "ServiceFault" else f"{name}{what}"
            assert getattr(ua.ObjectIds, f"{written}_Encoding_DefaultBinary") == number
    assert set(REQUESTS.values()) >= SECRET


def test_a_read_and_a_write_name_their_nodes() -> None:
    read = ua.ReadRequest()
    for at in range(8):
        wanted = ua.ReadValueId(ua.NodeId(f"温度{at}", ua.Int16(3)), ua.AttributeIds.Value)
        read.Parameters.NodesToRead.append(wanted)
    assert sent(read).startswith("request 7: Read 8 attributes – ns=3;s=温度0; ns=3;s=温度1; ")
    assert "温度5; … (" in sent(read) and "温度6" not in sent(read)
    write = ua.WriteRequest()
    one = ua.WriteValue(ua.NodeId(ua.Int32(5), ua.Int16(3)), ua.AttributeIds.Value, "2")
    one.Value = ua.DataValue(ua.Variant(-1.5, ua.VariantType.Double))
    write.Parameters.NodesToWrite = [one]
    assert sent(write).startswith("request 7: Write 1 attribute – ns=3;i=5[2] = Double -1.5")


def test_an_answer_shows_values_states_and_faults() -> None:
    read = ua.ReadResponse()
    text = ua.Variant("衢" * 99, ua.VariantType.String)
    read.Results = [
        ua.DataValue(ua.Variant(2.5, ua.VariantType.Float)),
        ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadNodeIdUnknown))),
        ua.DataValue(ua.Variant([1, 2, 3], ua.VariantType.Int16)),
        ua.DataValue(ua.Variant([1, 2, 3, 4, 5], ua.VariantType.Int16)),
        ua.DataValue(text),
    ]
    shown = "Float 2.5; null BadNodeIdUnknown; Int16 [1, 2, 3]; Int16 [1, 2, 3, 4, … of 5]; String"
    assert came(read).startswith(f"answer 7: Read: Good 5 values – {shown} '衢衢")
    fault = ua.ServiceFault()
    fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(ua.StatusCodes.BadTooManySessions))
    assert came(fault).startswith("answer 7: ServiceFault: BadTooManySessions (")


def test_of_a_long_message_the_beginning_is_kept_and_its_length_told() -> None:
    read = ua.ReadResponse()
    read.Results = [ua.DataValue(ua.Variant(1.0, ua.VariantType.Double))] * 10_000
    assert "10,000 values – Double 1; Double 1" in came(read) and came(read).endswith(
        "; … (140,048 bytes)"
    )
    read.Results = [ua.DataValue(ua.Variant("x" * 600, ua.VariantType.String))] * 3
    assert re.search(r"3 values – String 'x{60}…'; … \(", came(read))


@given(st.binary(max_size=80), st.sampled_from([*REQUESTS, *RESPONSES, 9999]), st.booleans())
def test_whatever_came_is_told_somehow(body: bytes, service: int, was_sent: bool) -> None:
    start = b"\1\0" + service.to_bytes(2, "little")
    for content in (body, start + body, start + bytes(24) + body):
        keep = kept_request if was_sent else kept_response
        direction = Direction.SENT if was_sent else Direction.RECEIVED
        for data in (keep(b"MSG", 1, content), HEAD.pack(b"MSG", b"F", 1, 1) + content, content):
            assert SPEC.explain(Frame(0.0, direction, data))


async def test_a_conversation_is_told_from_its_opening_to_its_end(
    driver_for: Connect, pki: Path
) -> None:
    with ForeignServer(pki, items=1) as server:
        driver = driver_for(server.connection(publishing_ms=50))
        log = recorded(driver)
        await driver.connect()
        await driver.read(driver.plan([point("Double", "float64"), point("None", "string")]))
        await driver.subscribe("g", [point("String", "string")], 100)
        await driver.arrivals()
        server.kill()
        with pytest.raises(NotConnectedError):
            while True:
                await driver.arrivals()
    words = "\n".join(told(log))
    for wanted in (
        r"^request 1: OpenSecureChannel new",
        r"^answer 1: OpenSecureChannel: Good channel \d+, token \d+, for 600 s",
        r"^request \d+: ActivateSession \(\d+ bytes\)$",
        r"^request \d+: Read 2 attributes – ns=\d+;s=Double; ns=\d+;s=None",
        r"^answer \d+: Read: Good 2 values – Double 1.5; no value BadNodeIdUnknown",
        r"^request \d+: CreateSubscription each 50 ms",
        r"^request \d+: CreateMonitoredItems in subscription \d+: 1 item – 0: ns=\d+;s=String",
        r"^answer \d+: Publish: Good subscription \d+, message 1 with \d values? – 0: String '衢州",
        r"^the connection ended",
    ):
        assert re.search(wanted, words, re.MULTILINE), wanted


async def test_an_answer_that_does_not_come_is_noted(driver_for: Connect, pki: Path) -> None:
    with ForeignServer(pki, items=1) as server:
        driver = driver_for(server.connection(request_timeout_ms=2_000))
        log = recorded(driver)
        await driver.connect()
        plan = driver.plan([point("Double", "float64")])
        await driver.read(plan)
        server.freeze()
        with pytest.raises(NotConnectedError, match="no answer in time"):
            await driver.read(plan)
        server.thaw()
    assert "no answer to Read in time" in told(log)


@pytest.mark.usefixtures("short_lived")
async def test_a_renewal_of_the_channel_is_told(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    log = recorded(driver)
    await driver.connect()
    plan = driver.plan([point("Double", "float64")])
    async with asyncio.timeout(60):
        while not any("OpenSecureChannel renewed" in words for words in told(log)):
            await driver.read(plan)


def secrets_of(driver: OpcUaDriver) -> Iterator[bytes]:
    """What keys are made of, the session's token, the password."""
    protocol = driver._open()._client.uaclient.protocol
    assert protocol is not None
    yield nodeid_to_binary(protocol.authentication_token)
    for nonce in (protocol._connection.local_nonce, protocol._connection.remote_nonce):
        if nonce:
            assert isinstance(nonce, bytes)
            yield nonce
    yield PASSWORD.encode()


@pytest.mark.parametrize("security", ["none", "basic256sha256"])
async def test_no_password_token_or_nonce_is_kept(
    foreign: ForeignServer,
    driver_for: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
) -> None:
    monkeypatch.setenv("QULINK_TEST_PASSWORD", PASSWORD)
    if security != "none":
        await trust_server(driver_for(secured(foreign, tmp_path)), tmp_path)
    fields = {**USER, "security": security, "certificate_dir": tmp_path, "publishing_ms": 50}
    driver = driver_for(foreign.connection(password_in_clear="allow", **fields))
    log = recorded(driver)
    await driver.connect()
    await driver.read(driver.plan([point("Double", "float64")]))
    await driver.subscribe("g", [point("String", "string")], 100)
    await driver.arrivals()
    secrets = list(secrets_of(driver))
    await driver.close()
    content = b"".join(frame.data for _, frame in log.since()) + "".join(told(log)).encode()
    assert log.count > 10 and "ActivateSession" in content.decode("utf-8", "replace")
    assert [secret for secret in secrets if secret in content] == []


async def test_a_wrong_password_is_not_kept_either(
    foreign: ForeignServer, driver_for: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QULINK_TEST_PASSWORD", "not this one")
    driver = driver_for(foreign.connection(password_in_clear="allow", **USER))
    log = recorded(driver)
    with pytest.raises(DriverError):
        await driver.connect()
    assert any(re.search(r"^answer \d+: \w+: Bad", words) for words in told(log)), told(log)
    assert b"not this one" not in b"".join(frame.data for _, frame in log.since())
