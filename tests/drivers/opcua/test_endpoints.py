"""Servers that tell their endpoints elsewhere, late, or in part."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicyNone

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, NotConnectedError, RefusedError
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.client import GatewayClient, new_client
from gateway.drivers.opcua.connecting.session import _clocks_told
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import AsyncuaServer, ForeignServer, point
from tests.drivers.opcua.test_security import reads_well, trust_server
from tests.support.peers import free_port

Admits = Callable[[str], bool]


async def message(reader: asyncio.StreamReader) -> bytes:
    """One message of OPC UA TCP."""
    head = await reader.readexactly(8)
    return head + await reader.readexactly(int.from_bytes(head[4:], "little") - 8)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def gate(port: int, admits: Admits) -> AsyncIterator[tuple[int, list[str]]]:
    """A way to a server that hangs up on channels without security, except at some addresses."""
    asked: list[str] = []
    pumps: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            hello = await message(reader)
            there, back = await asyncio.open_connection("127.0.0.1", port)
            writers.append(back)
            back.write(hello)
            writer.write(await message(there))
            channel = await message(reader)
        except (OSError, EOFError):
            return writer.close()
        url = hello[32:].decode()
        if b"#None" in channel:
            asked.append(url)
        if b"#None" in channel and not admits(url):
            back.close()
            return writer.close()
        back.write(channel)
        pumps.update(
            (asyncio.create_task(pump(reader, back)), asyncio.create_task(pump(there, writer)))
        )
        return None

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in writers:
            writer.close()
        await asyncio.gather(*(one.wait_closed() for one in writers), return_exceptions=True)
        await server.wait_closed()


def through(port: int, folder: Path, **fields: object) -> Connection:
    url = f"opc.tcp://127.0.0.1:{port}/plant"
    given = {"url": url, "security": "basic256sha256", "certificate_dir": folder, **fields}
    return validated(Connection, given)


async def test_endpoints_are_asked_for_beneath_the_path_too(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    async with gate(foreign.port, lambda url: url.endswith("/plant/discovery")) as (port, asked):
        driver = driver_for(through(port, tmp_path))
        await trust_server(driver, tmp_path)
        await driver.connect()
        assert await reads_well(driver)
        assert len(asked) == 4, "each time at both"


async def test_where_endpoints_are_told_can_be_said(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    async with gate(foreign.port, lambda url: url.endswith("/elsewhere")) as (port, asked):
        with pytest.raises(DriverError, match=r"no more than at .*/plant/discovery.*discovery_url"):
            await driver_for(through(port, tmp_path)).connect()
        asked.clear()
        elsewhere = f"opc.tcp://127.0.0.1:{port}/elsewhere"
        driver = driver_for(through(port, tmp_path, discovery_url=elsewhere))
        await trust_server(driver, tmp_path)
        await driver.connect()
        assert await reads_well(driver)
        assert asked == [elsewhere] * 2


async def test_a_server_that_lists_no_endpoints_with_the_session_is_asked(
    driver_for: Connect,
) -> None:
    with AsyncuaServer() as server:
        server.tell(endpoints=None)
        driver = driver_for(server.connection())
        await driver.connect()
        reading = await driver.read(driver.plan([point("Double", "float64")]))
        assert reading.columns[0].tolist() == [1.5]


NO_SECURITY = SecurityPolicyNone.URI


def endpoint(uri: str, mode: ua.MessageSecurityMode, certificate: bytes) -> ua.EndpointDescription:
    made = ua.EndpointDescription()
    made.SecurityPolicyUri, made.SecurityMode, made.ServerCertificate = uri, mode, certificate
    made.UserIdentityTokens = []
    return made


@pytest.fixture
async def client() -> GatewayClient:
    return new_client(validated(Connection, {"url": "opc.tcp://plc:4840"}))


async def test_a_certificate_may_be_in_the_endpoint_only(client: GatewayClient) -> None:
    made = ua.CreateSessionResult()
    made.ServerCertificate = None
    made.ServerEndpoints = [endpoint(NO_SECURITY, ua.MessageSecurityMode.None_, b"der")]
    await client._complete(made)
    assert made.ServerCertificate == b"der"
    assert made.ServerEndpoints[0].EndpointUrl == "opc.tcp://plc:4840"


async def test_a_server_without_our_endpoint_says_what_it_offers(client: GatewayClient) -> None:
    made = ua.CreateSessionResult()
    uri = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
    secure = endpoint(uri, ua.MessageSecurityMode.SignAndEncrypt, b"der")
    made.ServerEndpoints = client.endpoints = [secure]
    with pytest.raises(RefusedError, match="connected, None; it offers Basic256Sha256/SignAndEn"):
        await client._complete(made)


async def test_an_encrypted_password_needs_a_certificate(client: GatewayClient) -> None:
    policy = ua.UserTokenPolicy()
    policy.TokenType = ua.UserTokenType.UserName
    policy.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
    client._policy_ids = [policy]
    with pytest.raises(RefusedError, match="wants the password encrypted and shows no certificate"):
        await client.activate_session("me", "secret")


@pytest.mark.parametrize("name", ["BadCertificateTimeInvalid", "BadCertificateIssuerTimeInvalid"])
async def test_a_certificate_out_of_date_is_told_with_both_clocks(
    client: GatewayClient, name: str
) -> None:
    code = int(getattr(ua.StatusCodes, name))
    unknown = rf"{name}.*our clock says 20.*UTC.*is not known"
    with pytest.raises(RefusedError, match=unknown), _clocks_told(client):
        raise ua.uaerrors.UaStatusCodeError(code)
    with AsyncuaServer() as server:
        asking = new_client(server.connection())
        await asking.connect_and_get_server_endpoints()
    with (
        pytest.raises(
            RefusedError, match=r"our clock says (20\d\d-).* UTC, the server's \1.* UTC:"
        ),
        _clocks_told(asking),
    ):
        raise ua.uaerrors.UaStatusCodeError(code)
    assert asking.server_time is not None


async def test_where_nobody_listens_no_other_address_is_advised(tmp_path: Path) -> None:
    driver = OpcUaDriver(through(free_port(), tmp_path))
    with pytest.raises(NotConnectedError) as raised:
        await driver.connect()
    assert "discovery" not in str(raised.value)
