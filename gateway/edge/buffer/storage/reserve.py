"""Room on the disk that the buffer gives up when it is full, so that frames can be freed."""

import os
from pathlib import Path

RESERVE_BYTES = 2 * 1024 * 1024


class Reserve:
    """A file beside the buffer that only takes room.

    A disk that refuses even this – because it fails, or is read-only now – is the buffer's to
    report, so faults of the reserve are not.

    Args:
        buffer: the buffer's file.
    """

    def __init__(self, buffer: Path) -> None:
        self._path = buffer.with_name(buffer.name + "-reserve")

    def occupy(self) -> None:
        """Take the room (again), if the disk gives it."""
        try:
            if not self._path.exists() and free_bytes(self._path.parent) >= 2 * RESERVE_BYTES:
                self._path.write_bytes(os.urandom(RESERVE_BYTES))  # room even where zeros take none
        except OSError:
            self.release()

    def release(self) -> bool:
        """Give the room to the buffer; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def free_bytes(folder: Path) -> int:
    """Room that the disk of a folder has for us."""
    room = os.statvfs(folder)
    return room.f_bavail * room.f_frsize
