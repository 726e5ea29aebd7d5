"""Reading and writing what messages are made of (RFC 3651, 3). Pure."""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

U32 = Struct(">I")
MAX_ITEMS = 10_000
"""Things in a list; what says that more follow is refused before any is read."""


class WireError(ValueError):
    """Octets that are no message, or not of the kind that was expected."""


class Octets:
    """Octets that are read from the front.

    Args:
        data: all of them.
        at: where to begin.
        end: where to stop; left out: at their end.

    All methods raise WireError where fewer octets are left than they read.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data = data
        self._at = at
        self._end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """How many are left."""
        return self._end - self._at

    def unpack(self, layout: Struct) -> tuple[int, ...]:
        """Numbers of fixed widths."""
        at = self._at
        self._at = at + layout.size
        if self._at > self._end:
            raise WireError(f"{layout.size} octets expected, {self._end - at} are left")
        return layout.unpack_from(self._data, at)

    def u32(self) -> int:
        """A number of 4 octets."""
        at = self._at
        self._at = at + 4
        if self._at > self._end:
            raise WireError(f"4 octets expected, {self._end - at} are left")
        return int.from_bytes(self._data[at : self._at], "big")

    def blob(self) -> bytes:
        """Octets behind their number."""
        count = self.u32()
        at = self._at
        self._at = at + count
        if self._at > self._end:
            raise WireError(f"{count} octets announced, {self._end - at} are left")
        return self._data[at : self._at]

    def take(self, count: int) -> bytes:
        """So many octets."""
        at = self._at
        self._at = at + count
        if self._at > self._end:
            raise WireError(f"{count} octets expected, {self._end - at} are left")
        return self._data[at : self._at]

    def text(self) -> str:
        """A text in UTF-8 behind the number of its octets."""
        raw = self.blob()
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise WireError(f"a text that is no UTF-8: {error}") from None

    def many(self, read: Callable[["Octets"], T], least: int) -> tuple[T, ...]:
        """Things behind their number, each of at least so many octets."""
        count = self.u32()
        if count > MAX_ITEMS or count * least > self.left:
            raise WireError(f"{count} things announced, {self.left} octets are left")
        return tuple([read(self) for _ in range(count)])

    def ended(self) -> None:
        """Demand that nothing is left."""
        if self._at != self._end:
            raise WireError(f"{self.left} octets too many")


def blob(data: bytes) -> bytes:
    """Octets behind their number."""
    return U32.pack(len(data)) + data


def text(written: str) -> bytes:
    """A text in UTF-8 behind the number of its octets."""
    data = written.encode()
    return U32.pack(len(data)) + data


def many(things: Sequence[bytes]) -> bytes:
    """Things that are written already, behind their number."""
    return U32.pack(len(things)) + b"".join(things)
