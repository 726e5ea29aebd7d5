"""TCP, UDP and TLS to servers on loopback."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import pytest

from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.transport.settings import DeviceTls
from gateway.drivers.transport.tcp import TcpWay
from gateway.drivers.transport.tls import TlsWay
from gateway.drivers.transport.udp import UdpWay
from tests.drivers.transport.listener import Listener, opened
from tests.support.certificates import Authority
from tests.support.peers import free_port
from tests.support.waiting import until


class Echo(asyncio.DatagramProtocol):
    """Gives every datagram back, in two."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        self.transport.sendto(data[:2], sender)
        self.transport.sendto(data[2:], sender)


async def test_tcp_that_nobody_answers() -> None:
    way = TcpWay("127.0.0.1", free_port())
    with pytest.raises(NotConnectedError, match="refused"):
        await way.open(Listener)
    with pytest.raises(NotConnectedError):
        await TcpWay("nowhere.invalid", 502).open(Listener)


async def test_datagrams_keep_their_borders() -> None:
    loop = asyncio.get_running_loop()
    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    way = UdpWay("127.0.0.1", server.get_extra_info("sockname")[1])
    assert way.endpoint.endswith("/udp")
    listener = await opened(way)
    listener.transport.write(b"abcdef")
    await until(lambda: len(listener.pieces) == 2)
    assert listener.pieces == [b"ab", b"cdef"]
    listener.transport.abort()
    assert await listener.lost() is None
    server.close()


async def test_a_datagram_of_another_sender_is_not_heard() -> None:
    loop = asyncio.get_running_loop()
    server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    listener = await opened(UdpWay("127.0.0.1", server.get_extra_info("sockname")[1]))
    mine = listener.transport.get_extra_info("sockname")
    forger, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    forger.sendto(b"forged", mine)
    listener.transport.write(b"abcdef")
    await until(lambda: len(listener.pieces) == 2)
    assert listener.heard == b"abcdef"
    for transport in (server, forger, listener.transport):
        transport.close()


async def test_a_port_on_which_nobody_listens_ends_it() -> None:
    listener = await opened(UdpWay("127.0.0.1", free_port()))
    listener.transport.write(b"anybody?")
    assert isinstance(await listener.lost(), ConnectionRefusedError)


# -- TLS --------------------------------------------------------------------------------------


class Secured:
    """A TLS server that demands a certificate of its CA, and keeps what it is shown."""

    def __init__(self, authority: Authority, server: tuple[Path, Path]) -> None:
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
        self.context.load_cert_chain(*server)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.shown: list[str] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.shown.append(str(writer.get_extra_info("peercert")["subject"]))
        while data := await reader.read(99):
            writer.write(data)
        writer.close()

    async def start(self) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", ssl=self.context)
        port: int = self.server.sockets[0].getsockname()[1]
        return port


def tls(authority: Authority, own: tuple[Path, Path], name: str | None = None) -> DeviceTls:
    return DeviceTls(ca_file=authority.file, cert_file=own[0], key_file=own[1], server_name=name)


async def test_tls_shows_our_certificate_and_checks_theirs(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = Secured(authority, authority.server())
    port = await server.start()
    own = authority.client("gateway-7")
    listener = await opened(TlsWay("127.0.0.1", port, tls(authority, own)))
    listener.transport.write(b"hello")
    await until(lambda: listener.heard == b"hello")
    assert "gateway-7" in server.shown[0]
    chosen = listener.transport.get_extra_info("ssl_object").version()
    assert chosen in {"TLSv1.2", "TLSv1.3"}
    listener.transport.abort()
    await listener.lost()
    server.server.close()


async def test_a_stranger_is_refused(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    server = Secured(authority, stranger.server("theirs"))
    port = await server.start()
    own = authority.client("gateway-7")
    with pytest.raises(RefusedError, match=r"certificate that the device shows .* is refused"):
        await TlsWay("127.0.0.1", port, tls(authority, own)).open(Listener)
    right = Secured(authority, authority.server())
    port = await right.start()
    with pytest.raises(RefusedError, match=r"for 'plc\.example' is refused.*server_name"):
        await TlsWay("127.0.0.1", port, tls(authority, own, "plc.example")).open(Listener)
    server.server.close()
    right.server.close()


async def test_old_tls_and_no_tls_are_told_apart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = tls(authority, authority.client("gateway-7"))

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(9)
        writer.write(b"no idea what you mean, I speak Modbus")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(NotConnectedError, match="does the port speak TLS"):
        await TlsWay("127.0.0.1", port, own).open(Listener)
    server.close()
    with pytest.raises(RefusedError, match=r"cannot read the certificates .*nothing\.pem"):
        missing = DeviceTls(
            ca_file=authority.file, cert_file=tmp_path / "nothing.pem", key_file=own.key_file
        )
        await TlsWay("127.0.0.1", port, missing).open(Listener)


@contextmanager
def blunt_server(context: ssl.SSLContext) -> Iterator[int]:
    """A server on OpenSSL's own sockets, which send their alert before they close."""

    def serve() -> None:
        with (
            suppress(OSError),
            listening.accept()[0] as plain,
            context.wrap_socket(plain, server_side=True) as secured,
        ):
            secured.recv(9)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


async def test_our_certificate_can_be_refused(tmp_path: Path) -> None:
    """TLS 1.2 says it in the handshake, TLS 1.3 when the first answer is waited for."""
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    server = Secured(authority, authority.server())
    own = stranger.client("who")
    server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        blunt_server(server.context) as port,
        pytest.raises(RefusedError, match="refuses the certificate in cert_file"),
    ):
        await TlsWay("127.0.0.1", port, tls(authority, own)).open(Listener)
    port = await server.start()  # asyncio's closes without a word
    with pytest.raises(NotConnectedError, match="ended the TLS handshake"):
        await TlsWay("127.0.0.1", port, tls(authority, own)).open(Listener)
    server.server.close()
    server.context.maximum_version = ssl.TLSVersion.TLSv1_3
    with blunt_server(server.context) as port:
        listener = await opened(TlsWay("127.0.0.1", port, tls(authority, own)))
        await listener.lost()
