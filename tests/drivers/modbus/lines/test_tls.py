"""Modbus/TCP Security: both sides show certificates, and the server reads our role in ours."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from edge_config.models.validation import validated
from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection
from tests.drivers.modbus.support import points, read
from tests.support.certificates import Authority
from tests.support.serial_server import SerialServer

ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
OPERATOR = b"\x0c\x08Operator"  # a UTF8String of DER (MODBUS/TCP Security V21, 8.4)


class Secured(SerialServer):
    """Keeps the role in the certificate of whoever connects."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.roles: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        extension = x509.load_der_x509_certificate(shown).extensions.get_extension_for_oid(ROLE)
        assert isinstance(extension.value, x509.UnrecognizedExtension)
        self.roles.append(extension.value.value)
        await super().serve(reader, writer)


@asynccontextmanager
async def secured(authority: Authority) -> AsyncIterator[tuple[Secured, int]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    context.load_cert_chain(*authority.server())
    context.verify_mode = ssl.CERT_REQUIRED
    one = Secured()
    server = await asyncio.start_server(one.serve, "127.0.0.1", ssl=context)
    yield one, server.sockets[0].getsockname()[1]
    server.close()


def way(port: int, authority: Authority, own: tuple[Path, Path]) -> Connection:
    tls = {"ca_file": authority.file, "cert_file": own[0], "key_file": own[1]}
    return validated(
        Connection, {"host": "127.0.0.1", "port": port, "transport": "tls", "tls": tls, "unit": 7}
    )


async def test_a_role_is_shown_and_values_are_read(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    role = x509.UnrecognizedExtension(ROLE, OPERATOR)
    own = authority.client("gateway", role)
    async with secured(authority) as (server, port):
        driver = SPEC.make(way(port, authority, own))
        await driver.connect()
        assert await read(driver, points("holding:0", "input:9")) == [7, 7]  # type: ignore[arg-type]
        await driver.close()
        assert server.roles == [OPERATOR]


async def test_strangers_are_refused_on_both_sides(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    role = x509.UnrecognizedExtension(ROLE, OPERATOR)
    async with secured(authority) as (server, port):
        trusting_others = SPEC.make(way(port, stranger, authority.client("gateway", role)))
        with pytest.raises(RefusedError, match=f"127.0.0.1:{port}/tls: the certificate that the"):
            await trusting_others.connect()
        unknown = SPEC.make(way(port, authority, stranger.client("nobody", role)))
        with pytest.raises((RefusedError, NotConnectedError), match=f"127.0.0.1:{port}/tls"):
            await unknown.connect()  # TLS 1.3 tells it with the first answer
            await read(unknown, points("holding:0"))  # type: ignore[arg-type]
        assert not server.roles
        for driver in (trusting_others, unknown):
            await driver.close()


def test_the_registered_port_is_802(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = authority.client("gateway")
    tls = {"ca_file": authority.file, "cert_file": own[0], "key_file": own[1]}
    assert SPEC.endpoint(
        validated(Connection, {"host": "plc", "transport": "tls", "tls": tls})
    ) == ("plc:802/tls")
