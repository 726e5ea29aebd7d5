"""Pairs of pseudo-terminals: a serial line with two ends, each of which can be opened as a port.

The kernel knows no speed, parity and RS-485 of a pseudo-terminal; it keeps the bytes and hangs up
when one end is closed, as an adapter does that is pulled out.
"""

import contextlib
import fcntl
import os
import select
import threading
import tty
from pathlib import Path

_MOST = 4_096
_SPARE = 16


class Terminal:
    """One end for a program to open, the other in our hands.

    Args:
        link: a stable path for it, as in /dev/serial/by-id; it may vanish and return.
    """

    def __init__(self, link: Path) -> None:
        self.link = link
        self.master = -1
        self._slave = -1
        self.plug_in()

    def plug_in(self) -> None:
        """Make the port, under the same stable path, and another name behind it."""
        self.master, self._slave = _unused_pair()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))

    @property
    def is_taken(self) -> bool:
        """Whether a program has opened and locked the port."""
        try:
            fcntl.flock(self._slave, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._slave, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Be done with it."""
        self.pull_out()

    def pull_out(self) -> None:
        """Take the port away: whoever has it open is hung up."""
        self.link.unlink(missing_ok=True)
        for file in (self.master, self._slave):
            with contextlib.suppress(OSError):
                os.close(file)
        self.master = self._slave = -1


def _unused_pair() -> tuple[int, int]:
    """Both ends of a pseudo-terminal, with a number that nobody has just given up.

    The kernel gives out the lowest one. A path of another test may still lead there, and its
    gateway would open ours.
    """
    *spare, made = [os.openpty() for _ in range(_SPARE)]
    for ends in spare:
        for file in ends:
            os.close(file)
    return made


class Cable:
    """Two terminals joined: what one program writes to its end, the other one reads.

    Args:
        folder: where their stable paths, ``near`` and ``far``, are made.
    """

    def __init__(self, folder: Path) -> None:
        self.near, self.far = Terminal(folder / "near"), Terminal(folder / "far")
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        while True:
            ends = {self.near.master: self.far.master, self.far.master: self.near.master}
            ready, _, _ = select.select(
                [*(end for end in ends if end >= 0), self._stop_read], [], [], 0.1
            )
            if self._stop_read in ready:
                return
            for end in ready:
                with contextlib.suppress(OSError):
                    os.write(ends[end], os.read(end, _MOST))

    def close(self) -> None:
        """Take both ends away."""
        os.write(self._stop_write, b"x")
        self._thread.join()
        for file in (self._stop_read, self._stop_write):
            os.close(file)
        self.near.pull_out()
        self.far.pull_out()
