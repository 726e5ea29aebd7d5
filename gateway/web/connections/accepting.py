"""Take in connections, each counted from its first packet: before TLS, before HTTP."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable

from gateway.web.connections.protocol import BoundedProtocol
from gateway.web.connections.visitors import Visitors

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
"""How long a TLS handshake may take."""
_AGAIN_S = 1.0
"""Pause while the system has no descriptor left for a further connection."""

MakeProtocol = Callable[[], BoundedProtocol]


class _Connection:
    """A connection from its first packet to its end."""

    def __init__(self, accepted: socket.socket, address: str, protocol: BoundedProtocol) -> None:
        self.address = address
        self.protocol = protocol
        self.opening: asyncio.Task[None] | None = None
        self._accepted = accepted
        self._is_refused = False

    @property
    def is_waiting(self) -> bool:
        return self.protocol.is_waiting

    @property
    def is_refused(self) -> bool:
        return self._is_refused

    def close(self) -> None:
        if self.opening is None:
            self._is_refused = True
            self._accepted.close()
        elif not self.opening.done():
            self.opening.cancel()
        else:
            self.protocol.transport.abort()


class Door:
    """Takes in the connections of a listening socket.

    Args:
        name: what listens, for the log.
        make: a protocol for one more connection.
        tls: None: there is no TLS.
    """

    def __init__(self, name: str, make: MakeProtocol, tls: ssl.SSLContext | None) -> None:
        self._name, self._make, self._tls = name, make, tls
        self._visitors = Visitors(name)
        self._opening = set[asyncio.Task[None]]()
        self._is_stuck = False

    async def run(self, listener: socket.socket) -> None:
        """Take them in until cancelled; those that are being served stay."""
        listener.setblocking(False)
        try:
            while True:
                await self._take_in_one(listener)
        finally:
            for task in self._opening:
                task.cancel()

    async def _take_in_one(self, listener: socket.socket) -> None:
        try:
            accepted, peer = await asyncio.get_running_loop().sock_accept(listener)
        except OSError as error:
            if not self._is_stuck:
                log.error("%s: cannot take in connections: %s", self._name, error)  # noqa: TRY400 - a fault of the place
            self._is_stuck = True
            await asyncio.sleep(_AGAIN_S)
            return
        if self._is_stuck:
            log.warning("%s: takes in connections again", self._name)
        self._is_stuck = False
        connection = _Connection(accepted, str(peer[0]), self._make())
        self._visitors.enter(connection)
        if not connection.is_refused:
            connection.opening = asyncio.create_task(self._open(accepted, connection))
            self._opening.add(connection.opening)
            connection.opening.add_done_callback(self._opening.discard)
        await asyncio.sleep(0)  # it begins before it can be closed; and others have their turn

    async def _open(self, accepted: socket.socket, connection: _Connection) -> None:
        connection.protocol.at_end = lambda: self._visitors.leave(connection)
        handshake_s = HANDSHAKE_S if self._tls is not None else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection.protocol,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=handshake_s,
            )
        except OSError:  # it hung up, spoke no TLS, or took too long
            self._visitors.leave(connection)
        except asyncio.CancelledError:
            self._visitors.leave(connection)
            raise
