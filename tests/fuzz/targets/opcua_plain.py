"""OPC UA's binary encoding once more, one value after the other; ValueError where it is broken.

The library's decoder is no judge: of an array of a billion nulls it makes a list.
"""

import struct
from typing import Any, NamedTuple
from uuid import UUID

NUMBERS = {
    1: "?",
    2: "b",
    3: "B",
    4: "h",
    5: "H",
    6: "i",
    7: "I",
    8: "q",
    9: "Q",
    10: "f",
    11: "d",
    13: "q",
    19: "I",
}
"""Built-in types that are numbers, and their codes of ``struct``."""


class Shown(NamedTuple):
    """A value: number of its type with the bit of an array, the value, status and time."""

    variant: int = 0
    value: Any = None
    code: int = 0
    ticks: int = 0


class Plain:
    """Bytes, from the first to the last."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.left):
            raise ValueError("it ends here")
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def blob(self) -> bytes:
        return self.take(max(self.number("i"), 0))

    def count(self) -> int:
        return max(self.number("i"), 0)

    def node(self) -> tuple[int, Any]:
        """Namespace and identifier."""
        form = self.number("B")
        space = 0 if form % 64 == 0 else self.number("B" if form % 64 == 1 else "H")
        name = self._identifier(form % 64)
        if form & 0x80:
            self.blob()
        if form & 0x40:
            self.take(4)
        return space, name

    def _identifier(self, form: int) -> Any:
        if form in (0, 1, 2):
            return self.number("BHI"[form])
        if form in (3, 5):
            return self.blob()
        if form == 4:
            return self.take(16)
        raise ValueError(f"form {form}")

    def extension(self) -> tuple[tuple[int, Any], bytes]:
        """Type and body."""
        node, encoding = self.node(), self.number("B")
        if encoding > 2:
            raise ValueError(f"encoding {encoding}")
        return node, self.blob() if encoding else b""

    def diagnostics(self) -> None:
        mask = self.number("B")
        for bit in (1, 2, 4, 8):
            self.take(4 if mask & bit else 0)
        if mask & 0x10:
            self.blob()
        self.take(4 if mask & 0x20 else 0)
        if mask & 0x40:
            self.diagnostics()

    def value(self, kind: int) -> Any:
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind in (12, 16):
            return self.blob().decode("utf-8", "replace")
        others = {14: lambda: str(UUID(bytes_le=self.take(16))), 15: lambda: self.blob().hex()}
        others |= {17: self.node, 18: self.node, 20: self._qualified, 21: self._localized}
        others |= {22: self.extension, 23: self.data_value, 24: self.variant}
        others |= {25: self.diagnostics, 0: lambda: None}
        if kind not in others:
            raise ValueError(f"type {kind}")
        return others[kind]()

    def _qualified(self) -> tuple[int, bytes]:
        return self.number("H"), self.blob()

    def _localized(self) -> str:
        mask = self.number("B")
        if mask & 1:
            self.blob()
        return self.blob().decode("utf-8", "replace") if mask & 2 else ""

    def variant(self) -> tuple[int, Any]:
        """Its first byte and its value; of an array its elements."""
        first = self.number("B")
        if not first & 0x80:
            return first, self.value(first % 64)
        count, kind = self.count(), first % 64
        elements = [self.value(kind) for _ in range(count)] if kind else []
        sizes = [self.number("i") for _ in range(self.count())] if first & 0x40 else [count]
        return first, (elements, sizes)

    def data_value(self) -> Shown:
        mask = self.number("B")
        if mask > 0x3F:
            raise ValueError(f"mask {mask}")
        first, value = self.variant() if mask & 1 else (0, None)
        code = self.number("I") if mask & 2 else 0
        source = self.number("q") if mask & 4 else 0
        self.take(2 if mask & 0x10 else 0)
        server = self.number("q") if mask & 8 else 0
        self.take(2 if mask & 0x20 else 0)
        return Shown(first, value, code, source if source > 0 else server)

    def head(self) -> int:
        """The head of a response; returns the number of its type."""
        space, kind = self.node()
        if space or not isinstance(kind, int):
            raise ValueError(kind)
        self.take(12)
        if self.number("I") >= 0x8000_0000:
            raise ValueError("the service failed")
        self.diagnostics()
        for _ in range(self.count()):
            self.blob()
        self.extension()
        return kind


def read_response(data: bytes) -> list[Shown]:
    """The values of a ReadResponse."""
    plain = Plain(data)
    if plain.head() != 634:
        raise ValueError("no ReadResponse")
    return [plain.data_value() for _ in range(plain.count())]


def publish_response(data: bytes) -> list[tuple[int, Shown]]:
    """The values of a PublishResponse, with their handles."""
    plain = Plain(data)
    if plain.head() != 829:
        raise ValueError("no PublishResponse")
    plain.take(4)
    plain.take(4 * plain.count())
    plain.take(13)  # whether more follow, sequence number, time
    found: list[tuple[int, Shown]] = []
    for _ in range(plain.count()):
        node, body = plain.extension()
        if node == (0, 811):
            change = Plain(body)
            found += [(change.number("I"), change.data_value()) for _ in range(change.count())]
    return found
