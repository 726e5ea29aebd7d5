"""A small disk of its own, and filling it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.peers import missing


@contextmanager
def small_disk(place: Path, size_mib: int) -> Iterator[Path]:
    """A folder is a disk of so many MiB until the end of the block."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        missing("permission to mount a tmpfs", "(run the tests as root, or with CAP_SYS_ADMIN)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(ballast: Path) -> None:
    """Write a file until its disk is full, to the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
