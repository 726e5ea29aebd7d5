"""What all ways to a device have in common."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Protocol

MakeProtocol = Callable[[], asyncio.Protocol]


class Way(Protocol):
    """Where a device is reached; opened as often as it takes."""

    is_datagrams: ClassVar[bool]
    """Whether each piece that is written or comes is whole, and may be lost or come twice."""

    @property
    def endpoint(self) -> str:
        """For people: ``host:port``, ``host:port/udp``, ``host:port/tls``, or a path."""

    async def open(self, make: MakeProtocol) -> asyncio.Transport:
        """Open it once; cancelled, it leaves nothing open.

        Args:
            make: makes the protocol. Its ``connection_made`` has been called when this returns;
                ``connection_lost`` follows once, whoever ends it.

        Raises:
            NotConnectedError: it cannot be opened; the message says why, and what to do where
                that is known, without the endpoint of a network address.
            RefusedError: certificates are refused or cannot be read.
        """
