"""Serve a console as one task among others: no signal handlers, no threads, cancellable."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from edge_config.models.base import ServerTls, split_listen
from gateway.web.connections.accepting import Door
from gateway.web.connections.load import Load
from gateway.web.connections.protocol import BoundedProtocol
from gateway.web.listen import bind

GRACE_S = 1
"""How long open requests may take to end when the console stops."""
KEEP_ALIVE_S = 15

logger = logging.getLogger(__name__)


class Listening(Protocol):
    """Where something listens, as a console's configuration says it."""

    @property
    def listen(self) -> str:
        """``host:port``."""
        ...

    @property
    def tls(self) -> ServerTls | None:
        """Its certificate; None: without TLS."""
        ...


class _Server(uvicorn.Server):
    """uvicorn's server, which takes in connections by a door of ours and leaves signals alone."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, name: str) -> None:
        super().__init__(config)
        self._listener, self._name = listener, name
        self._taking_in: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that serves; it cancels us."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's
        """Begin to take in connections; uvicorn's own way gives a handshake a minute."""
        await self.lifespan.startup()
        self.servers = []
        door = Door(self._name, self._protocol, self.config.ssl)
        self._taking_in = asyncio.create_task(door.run(self._listener))
        self.started = True

    def _protocol(self) -> BoundedProtocol:
        return BoundedProtocol(self.config, self.server_state, self.lifespan.state)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in no more, and let what is being answered end."""
        if self._taking_in is not None:
            self._taking_in.cancel()
        await super().shutdown(sockets)


async def serve(
    app: ASGIApp,
    place: Listening,
    listener: socket.socket | None = None,
    name: str = "console",
    ready: Callable[[], None] | None = None,
) -> None:
    """Serve until cancelled.

    Args:
        app: what ``build`` of a console returned; it guards itself.
        place: where to listen, and with which certificate.
        listener: a socket from ``listen.bind``, if the caller needs its port beforehand.
        name: what listens, for the log.
        ready: called once certificate and key have been read.

    Raises:
        ListenError: the address cannot be taken.
        OSError: certificate or key cannot be read.
    """
    listener = listener or bind(place.listen)
    config = _config(app, place)
    config.load()
    server = _Server(config, listener, name)
    if ready is not None:
        ready()
    logger.info("%s: listening on %s", name, _address(place, listener))
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listener])
        raise
    finally:
        listener.close()


def _config(app: ASGIApp, place: Listening) -> uvicorn.Config:
    tls = place.tls
    return uvicorn.Config(
        Load(app),
        ssl_certfile=tls.cert_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
        log_config=None,
        log_level=logging.CRITICAL,  # our own lines say what matters
        access_log=False,
        lifespan="off",
        ws="none",
        http=BoundedProtocol,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def _address(place: Listening, listener: socket.socket) -> str:
    scheme = "https" if place.tls else "http"
    host, _ = split_listen(place.listen)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
