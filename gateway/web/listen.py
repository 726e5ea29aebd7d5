"""Take the address that something listens on, or say why it cannot be taken."""

import asyncio
import errno
import socket

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


def _advice(listen: str, port: int, name: str, key: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{name}: port {port} is in use; stop the program that listens on {listen} "
            f"or set another port in '{key}'"
        )
    return f"{name}: cannot listen on {listen}: {error.strerror}; check '{key}'"
