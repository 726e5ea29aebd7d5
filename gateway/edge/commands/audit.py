"""The record of what was written to devices: a file that only grows, and whose lines are chained.

One JSON object a line. Each ends with a hash over the line before and itself: whoever changes,
removes or inserts a line breaks the chain from there on (``qulink commands audit`` says where).
Lines cut off at the end are not seen by the chain alone; whoever keeps the last hash elsewhere
sees them too. A line is on the disk before the device is written.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.durable import sync_names
from gateway.edge.commands.lines import BEGIN, Entry, Line, read_line, seal_of, sealed
from gateway.private import keep_private

KEPT_MS = 1_200_000
"""Commands are remembered for so long, also over a restart: twice the longest life of one."""
_LONGEST_LINE = 1 << 20
_TAIL_BYTES = 1 << 18
"""So much of the end is read at a start, and then more until all is there that may come again."""


class AuditError(Exception):
    """The record cannot be used; the message says what to do. Nothing is written without it."""


class Verdict(NamedTuple):
    """What a verification has found.

    Attributes:
        lines: how many are whole and in the chain, from the begin.
        hash: of the last of them.
        broken: what is wrong with the next line; empty: nothing, or there is none.
    """

    lines: int
    hash: str
    broken: str


def audit_path(buffer: Path) -> Path:
    """Where the record of a gateway is: ``buffer.db`` → ``buffer.commands.jsonl``."""
    return buffer.with_suffix(".commands.jsonl")


class AuditFile:
    """The record, open for appending; one process has it at a time.

    Args:
        path: of the file; made if there is none.

    Raises:
        AuditError: it cannot be opened, another process has it, or its end is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _opened(path)
        try:
            self.recent = _tail(self._file, path)
        except BaseException:
            self._file.close()
            raise
        last = self.recent[-1] if self.recent else None
        self._number, self._hash = (last.entry.number, last.hash) if last else (0, BEGIN)

    def append(self, entry: Entry) -> None:
        """Add a line, on the disk when this returns; its number is given here.

        Raises:
            AuditError: the disk does not take it; the file is as it was.
        """
        entry = msgspec.structs.replace(entry, number=self._number + 1)
        line, seal = sealed(entry, self._hash)
        size = os.fstat(self._file.fileno()).st_size
        try:
            _write_whole(self._file, line)
            os.fsync(self._file.fileno())
        except OSError as error:
            os.ftruncate(self._file.fileno(), size)  # half a line would break the chain
            raise AuditError(
                f"the record {self.path} cannot be written: {error.strerror}; without it nothing "
                "is written to devices"
            ) from error
        self._number, self._hash = entry.number, seal

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()


def _opened(path: Path) -> FileIO:
    is_new = not path.exists()
    keep_private(path)
    try:
        file = path.open("ab+", buffering=0)
    except OSError as error:
        raise AuditError(f"the record {path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_new:
            sync_names(path)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise AuditError(
                f"another process has the record {path}: a gateway, or a command that writes"
            ) from error
        raise AuditError(f"the record {path} cannot be kept: {error.strerror}") from error
    return file


def _write_whole(file: FileIO, line: bytes) -> None:
    if file.write(line) != len(line):  # the rest has no room
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _tail(file: FileIO, path: Path) -> list[Line]:
    """The last lines; half a line at the end, of a power cut, is taken away.

    It was never known to be on the disk, so no device was written for it.
    """
    size = _without_half_a_line(file)
    length = _TAIL_BYTES
    while True:
        lines = _last(file, path, size, length)
        is_enough = length >= size or (
            lines and lines[0].entry.at_ms < lines[-1].entry.at_ms - KEPT_MS
        )
        if is_enough:
            return lines
        length *= 4


def _without_half_a_line(file: FileIO) -> int:
    """Take half a line away; what is left, in bytes."""
    size = file.seek(0, os.SEEK_END)
    begin = max(0, size - _LONGEST_LINE)
    file.seek(begin)
    end = file.read().rfind(b"\n") + 1
    if begin and not end:  # nothing that was ever written here: it is told as damage
        return size
    if begin + end < size:
        os.ftruncate(file.fileno(), begin + end)
    return begin + end


def _last(file: FileIO, path: Path, size: int, length: int) -> list[Line]:
    """The whole lines among the last bytes."""
    file.seek(max(0, size - length))
    lines = file.read().splitlines(keepends=True)
    is_all = length >= size
    return _checked(lines if is_all else lines[1:], path, is_all=is_all)


def _checked(lines: list[bytes], path: Path, *, is_all: bool) -> list[Line]:
    before = BEGIN if is_all else seal_of(lines[0]) if lines else ""
    found: list[Line] = []
    for line in lines if is_all else lines[1:]:
        one = read_line(line, before)
        if one is None:
            raise AuditError(
                f"the record {path} was changed after line {found[-1].entry.number if found else 0}"
                ": nothing is written to devices; look at it with `qulink commands audit`, then "
                "move it away"
            )
        before = one.hash
        found.append(one)
    return found


def verify(path: Path) -> Verdict:
    """Follow the chain of a whole record.

    Raises:
        OSError: it cannot be read.
    """
    lines, before = 0, BEGIN
    for entry, seal, broken in _followed(path):
        if broken:
            return Verdict(lines, before, broken)
        assert entry is not None  # noqa: S101 - it is not broken
        lines, before = entry.number, seal
    return Verdict(lines, before, "")


def entries(path: Path) -> Iterator[Entry]:
    """The lines of a record as far as its chain holds.

    Raises:
        OSError: it cannot be read.
    """
    for entry, _, broken in _followed(path):
        if broken or entry is None:
            return
        yield entry


def _followed(path: Path) -> Iterator[tuple[Entry | None, str, str]]:
    before = BEGIN
    with path.open("rb") as file:
        for at, line in enumerate(file, 1):
            one = read_line(line, before)
            if one is None or one.entry.number != at:
                kind = "half a line" if not line.endswith(b"\n") else "not what was written"
                yield None, before, f"line {at} is {kind}"
                return
            before = one.hash
            yield one.entry, one.hash, ""
