"""Serve a console as one task among others: no signal handlers, no threads, cancellable."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from edge_config.models.base import ConsoleConfig, split_listen

GRACE_S = 1
"""How long open requests may take to end when the console stops."""
KEEP_ALIVE_S = 15
BACKLOG = 128
MAX_CONCURRENT = 200

logger = logging.getLogger(__name__)


class ListenError(Exception):
    """The console cannot listen where its configuration says."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process that serves; it cancels us."""
        yield


def bind(listen: str, name: str = "console") -> socket.socket:
    """Take a listening address.

    Args:
        listen: ``host:port`` as in ``ConsoleConfig.listen``; port 0 takes any free one.
        name: what listens; its address is ``<name>.listen`` in the configuration.

    Raises:
        ListenError: the port is in use or the address is not ours; the message says what to do.
    """
    host, port = split_listen(listen)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(_advice(listen, port, name, error)) from error


def _advice(listen: str, port: int, name: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{name}: port {port} is in use; stop the program that listens on {listen} "
            f"or set another port in '{name}.listen'"
        )
    return f"{name}: cannot listen on {listen}: {error.strerror}; check '{name}.listen'"


async def serve(
    app: ASGIApp,
    console: ConsoleConfig,
    listener: socket.socket | None = None,
    name: str = "console",
) -> None:
    """Serve until cancelled.

    Args:
        app: what ``build`` of a console returned; it guards itself.
        console: where to listen, and with which certificate.
        listener: a socket from :func:`bind`, if the caller needs its port beforehand.
        name: what listens, for the log.

    Raises:
        ListenError: the address cannot be taken.
    """
    listener = listener or bind(console.listen)
    server = _Server(_config(app, console))
    logger.info("%s: listening on %s", name, _address(console, listener))
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listener])
        raise
    finally:
        listener.close()


def _config(app: ASGIApp, console: ConsoleConfig) -> uvicorn.Config:
    tls = console.tls
    return uvicorn.Config(
        app,
        ssl_certfile=tls.cert_file if tls else None,
        ssl_keyfile=tls.key_file if tls else None,
        log_config=None,
        log_level=logging.CRITICAL,  # our own lines say what matters
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=MAX_CONCURRENT,
    )


def _address(console: ConsoleConfig, listener: socket.socket) -> str:
    scheme = "https" if console.tls else "http"
    host, _ = split_listen(console.listen)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
