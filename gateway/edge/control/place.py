"""Where the control socket is: a file that only the gateway's own user, and root, may open."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.edge.control.protocol import ControlError

_FD_FOLDER = Path("/proc/self/fd")

_LONGEST_NAME = 107
"""Bytes that the kernel takes for a socket's name. Source: unix(7), ``sun_path``."""


def socket_path(configured: Path | None, buffer: Path) -> Path:
    """The configured path, or the one beside the buffer file: ``buffer.db`` → ``buffer.sock``."""
    return configured or buffer.with_suffix(".sock")


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name by which the kernel takes a path, however deep its folder lies.

    Raises:
        ControlError: the name is too long all the same.
        OSError: its folder cannot be opened.
    """
    if not _FD_FOLDER.exists():
        yield _short(path, path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _short(path, _FD_FOLDER / str(folder) / path.name)
    finally:
        os.close(folder)


def _short(path: Path, name: Path) -> str:
    if len(os.fsencode(name)) > _LONGEST_NAME:
        raise ControlError(
            f"{path}: the name is too long for a socket; set control_socket to a shorter one"
        )
    return str(name)


@dataclass(frozen=True, slots=True)
class Place:
    """A listening socket and its file.

    Attributes:
        path: of the file.
        listener: the socket; does not block.
        identity: device and inode of the file, by which it is known to be ours.
    """

    path: Path
    listener: socket.socket
    identity: tuple[int, int]

    def close(self) -> None:
        """Stop listening and remove the file – unless another process has put its own there."""
        try:
            if _identity(self.path) == self.identity:
                self.path.unlink(missing_ok=True)
        except OSError:
            pass  # it has gone with its folder, or a disk forbids it: the next start replaces it
        self.listener.close()


def listen(path: Path) -> Place:
    """Listen at a path, mode 0600. What a killed gateway left there is replaced.

    Raises:
        ControlError: another process listens there, something else is there, or it is too long.
        OSError: it cannot be made there.
    """
    _make_way(path)
    listener = socket.socket(socket.AF_UNIX)
    try:
        with reachable(path) as name:
            listener.bind(name)
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)  # nobody can connect before listen()
        listener.listen()
        listener.setblocking(False)
        identity = _identity(path)
    except BaseException:  # cancellation, too: the socket must not stay bound
        listener.close()
        raise
    return Place(path, listener, identity)


def _make_way(path: Path) -> None:
    """Remove a socket that nobody listens at."""
    if not path.is_socket():
        if path.exists():
            raise ControlError(
                f"{path} is to be the control socket, but is another file; set control_socket"
            )
        return
    with reachable(path) as name, socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        fault = probe.connect_ex(name)
    if fault == errno.ECONNREFUSED:
        path.unlink(missing_ok=True)
    elif fault != errno.ENOENT:
        raise ControlError(
            f"another process listens at {path}; give each gateway a control_socket of its own"
        )


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
