"""A serial port of this machine with devices behind it: a pseudo-terminal under a stable path."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Self

from simulators.servers.answering import Cutter
from simulators.servers.serving import PortInUseError

_MOST = 4_096


class Terminal:
    """Makes the port while the block runs. Speed and parity of a pseudo-terminal mean nothing.

    Args:
        path: of the port; one that a killed simulator left behind is replaced.
        framing: tells where requests end.
        answer: what a request is answered with; empty: nothing.

    Raises:
        PortInUseError: something else stands at the path, or it cannot be made.
    """

    def __init__(self, path: Path, framing: Cutter, answer: Callable[[bytes], bytes]) -> None:
        self._path = path
        self._framing, self._answer = framing, answer
        self._rest = b""
        self._ours = self._theirs = -1

    def __enter__(self) -> Self:
        # Theirs stays open here too: else ours would be at its end whenever nobody has it open.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        try:
            if self._path.is_symlink():
                self._path.unlink()
            self._path.symlink_to(os.ttyname(self._theirs))
        except OSError as error:
            self._close()
            message = f"cannot make a serial port at {self._path}: {error.strerror}"
            raise PortInUseError(message) from None
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        self._path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # nobody reads what is answered: it is lost
            came = self._rest + os.read(self._ours, _MOST)
            frames, self._rest = self._framing.cut(came, is_request=True)
            os.write(self._ours, b"".join(map(self._answer, frames)))
