"""Where the processes of a city offer their live view: a Unix socket each, in one folder."""

import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

_FOLDER = "live"
_ENDING = ".sock"
_LONGEST_PATH = 100
"""Bytes of a socket's path; Linux takes 107, other systems 103."""


def folder_of(data_dir: Path) -> Path:
    """The folder of the sockets of a city."""
    return data_dir / _FOLDER


def found(data_dir: Path) -> list[Path]:
    """All sockets of a city, those of processes that have died included."""
    return sorted(folder_of(data_dir).glob(f"*{_ENDING}"))


def listen(data_dir: Path) -> tuple[socket.socket, Path]:
    """Make a socket of this process, and remove those that nobody listens on any more.

    Only the user that the city runs as can reach it.

    Raises:
        OSError: the folder cannot be made, or its file system knows no sockets.
    """
    folder = folder_of(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for other in found(data_dir):
        if _is_dead(other):
            other.unlink(missing_ok=True)
    path = folder / f"{os.getpid()}-{secrets.token_hex(2)}{_ENDING}"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_address(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener, path


@contextlib.contextmanager
def short_address(path: Path) -> Iterator[str]:
    """An address of a socket that the kernel takes, however long its path is.

    Raises:
        OSError: there is no such folder, or the path is too long where there is no ``/proc``.
    """
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _is_dead(path: Path) -> bool:
    """Whether the process that made a socket has ended without removing it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock, short_address(path) as address:
        knock.setblocking(False)
        return knock.connect_ex(address) == errno.ECONNREFUSED
