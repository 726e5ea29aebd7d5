"""Files that hold values, ledgers and secrets are their owner's."""

import os
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o007
_BESIDE = ("", "-wal", "-shm")
"""What SQLite keeps beside a database."""


def keep_private(path: Path) -> None:
    """Make a database's file for its owner alone; take from others what an older qulink gave them.

    What its group may do stays, because somebody has set it so. Before the file is opened:
    SQLite makes the files beside it as private as the file is.

    Args:
        path: the file; it need not exist, and if it cannot be made, whoever opens it says why.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    for ending in _BESIDE:
        with suppress(OSError):
            file = path.with_name(path.name + ending)
            mode = file.stat().st_mode
            if mode & _OTHERS:
                file.chmod(mode & ~_OTHERS & 0o7777)


def begin_private() -> None:
    """From now on what this process makes is for its owner, or as the umask had it if narrower."""
    os.umask(os.umask(0o077) | 0o077)
