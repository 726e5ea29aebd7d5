"""TCP to a device, or to a serial server before it."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from gateway.drivers.api import NotConnectedError
from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.way import MakeProtocol


@dataclass(frozen=True, slots=True)
class TcpWay:
    """See :class:`gateway.drivers.transport.way.Way`."""

    is_datagrams: ClassVar[bool] = False

    host: str
    port: int

    @property
    def endpoint(self) -> str:
        """``host:port``."""
        return endpoint_of(self.host, self.port)

    async def open(self, make: MakeProtocol) -> asyncio.Transport:
        """Connect; the event loop sets TCP_NODELAY, so small requests go at once."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(make, self.host, self.port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no possible host name
            raise NotConnectedError(str(error)) from error
        return transport
