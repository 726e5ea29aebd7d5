"""Take the address that something listens on, or say why it cannot be taken."""

import asyncio
import errno
import socket
from dataclasses import dataclass

from edge_config.models.base import split_listen

BACKLOG = 128
_AGAIN_S = 0.5


class ListenError(Exception):
    """The console cannot listen where its configuration says."""


def bind(listen: str, name: str = "console", key: str = "") -> socket.socket:
    """Take a listening address.

    Args:
        listen: ``host:port`` as in ``ConsoleConfig.listen``; port 0 takes any free one.
        name: what listens.
        key: of its address in the configuration; left out: ``<name>.listen``.

    Raises:
        ListenError: the port is in use or the address is not ours; the message says what to do.
    """
    host, port = split_listen(listen)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(_advice(listen, port, name, key or f"{name}.listen", error)) from error


async def bind_soon(listen: str, name: str, patience_s: float, key: str = "") -> socket.socket:
    """Take a listening address as :func:`bind` does, waiting until what has it lets go.

    Raises:
        ListenError: it still cannot be taken after ``patience_s`` seconds.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while True:
        try:
            return bind(listen, name, key)
        except ListenError:
            if loop.time() >= until:
                raise
        await asyncio.sleep(_AGAIN_S)


@dataclass(frozen=True, slots=True)
class Shared:
    """One of several pairs of sockets at one address: who comes is given to one of them."""

    listener: socket.socket
    datagrams: socket.socket


async def bind_shared(
    listen: str, name: str, count: int, patience_s: float, key: str
) -> list[Shared]:
    """Take a listening address, of TCP and UDP, for several processes (``SO_REUSEPORT``).

    Args:
        listen: ``host:port``; not port 0.
        name: what listens.
        count: of processes.
        patience_s: as of :func:`bind_soon`.
        key: of the address in the configuration.

    Raises:
        ListenError: it cannot be taken. Nobody else may have it: it is looked for before it is
            shared.
    """
    (await bind_soon(listen, name, patience_s, key)).close()
    host, port = split_listen(listen)
    try:
        return [_shared(host, port) for _ in range(count)]
    except OSError as error:
        raise ListenError(_advice(listen, port, name, key, error)) from error


def _shared(host: str, port: int) -> Shared:
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG, reuse_port=True)
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    datagrams.bind((host, port))
    return Shared(listener, datagrams)


def _advice(listen: str, port: int, name: str, key: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{name}: port {port} is in use; stop the program that listens on {listen} "
            f"or set another port in '{key}'"
        )
    return f"{name}: cannot listen on {listen}: {error.strerror}; check '{key}'"
