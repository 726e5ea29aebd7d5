"""UDP to a device: each ``data_received`` of the protocol is one datagram, each ``write`` too."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from gateway.drivers.api import NotConnectedError
from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.way import MakeProtocol


@dataclass(frozen=True, slots=True)
class UdpWay:
    """See :class:`gateway.drivers.transport.way.Way`.

    Opening proves nothing: UDP has no connection, and whether somebody is there shows when he is
    asked. Datagrams of other senders are not received. Where the device's host says that nobody
    listens on the port, that ends it.
    """

    is_datagrams: ClassVar[bool] = True

    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """``host:port/udp``."""
        return endpoint_of(self.host, self.port, "udp")

    async def open(self, make: MakeProtocol) -> asyncio.Transport:
        """Open a socket of its own, on a port of the system's choice."""
        loop = asyncio.get_running_loop()
        far = self.host, self.port
        try:
            _, adapter = await loop.create_datagram_endpoint(
                lambda: _Datagrams(make()), remote_addr=far
            )
        except (OSError, UnicodeError) as error:
            raise NotConnectedError(str(error)) from error
        return adapter.transport


class _Datagrams(asyncio.DatagramProtocol):
    """Hands datagrams to a protocol as what a stream would bring."""

    transport: "_UdpTransport"

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = _UdpTransport(transport, self._fail)
        self._protocol.connection_made(self.transport)

    def datagram_received(self, data: bytes, _sender: Any) -> None:
        self._protocol.data_received(data)

    def error_received(self, exc: Exception) -> None:
        self._fail(exc)

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc or self._error)


class _UdpTransport(asyncio.Transport):
    """The sending side."""

    def __init__(self, datagrams: Any, fail: Callable[[Exception], None]) -> None:
        super().__init__()
        self._datagrams = datagrams
        self._fail = fail

    def write(self, data: Any) -> None:
        try:
            self._datagrams.sendto(data)
        except OSError as error:  # some loops raise what others hand to error_received
            self._fail(error)

    def is_closing(self) -> bool:
        closing: bool = self._datagrams.is_closing()
        return closing

    def close(self) -> None:
        self._datagrams.close()

    def abort(self) -> None:
        self._datagrams.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._datagrams.get_extra_info(name, default)
