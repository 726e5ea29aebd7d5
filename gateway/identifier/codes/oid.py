"""Object identifiers (ITU-T X.660 | ISO/IEC 9834-1). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.identifier.codes.code import CodeError, System

MAX_TEXT = 255
"""Characters of an OID that is taken from outside."""
_MARK = re.compile(r"(?:urn:)?oid:", re.IGNORECASE)
_DOTTED = re.compile(r"\d+(?:\.\d+)+", re.ASCII)
_ROOTS, _PER_ROOT = 3, 40
_MORE = 0x80
"""Set in all octets of a number but its last."""


@dataclass(frozen=True, slots=True)
class Oid:
    """A path through the tree of registered names.

    Attributes:
        arcs: at least two numbers; the first 0 to 2, below 0 and 1 the second at most 39.
        canonicalised: the text had zeros before an arc, as some Chinese ones have; X.660 knows
            none, so they are gone. Does not count when OIDs are compared.
    """

    system: ClassVar = System.OID
    arcs: tuple[int, ...]
    canonicalised: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Oid":
        """Read the dotted form, also behind ``urn:oid:`` or ``oid:``.

        Raises:
            CodeError: something else, or arcs that no OID can have.
        """
        dotted = _MARK.sub("", text, count=1) if _MARK.match(text) else text
        if len(dotted) > MAX_TEXT:
            raise CodeError(f"an OID of {len(dotted)} characters; {MAX_TEXT} are the most")
        if _DOTTED.fullmatch(dotted) is None:
            raise CodeError(f"{dotted!r} is no OID: numbers with dots between them, at least two")
        arcs = tuple(int(arc) for arc in dotted.split("."))
        if arcs[0] >= _ROOTS:
            raise CodeError(f"an OID begins with 0, 1 or 2, not {arcs[0]}")
        if arcs[0] < _ROOTS - 1 and arcs[1] >= _PER_ROOT:
            raise CodeError(f"below {arcs[0]} the second arc is at most 39, not {arcs[1]}")
        return cls(arcs, ".".join(map(str, arcs)) != dotted)

    def __str__(self) -> str:
        return ".".join(map(str, self.arcs))

    @property
    def urn(self) -> str:
        """As a URN (RFC 3061)."""
        return f"urn:oid:{self}"

    @property
    def chinese(self) -> bool:
        """Whether it lies below an arc of China: 1.2.156 or 2.16.156."""
        return self.arcs[:3] in ((1, 2, 156), (2, 16, 156))

    def ors_name(self, root: str = "oid-res.org") -> str:
        """The domain name that resolves it (ITU-T X.672): arcs from last to first."""
        return ".".join((*map(str, reversed(self.arcs)), root))

    def ber(self) -> bytes:
        """Contents octets (ITU-T X.690, 8.19)."""
        first, second, *rest = self.arcs
        numbers = (_PER_ROOT * first + second, *rest)
        return b"".join(map(_base128, numbers))

    @classmethod
    def from_ber(cls, octets: bytes) -> "Oid":
        """From contents octets.

        Raises:
            CodeError: no octets, the last number has no end, or a number begins with zeros.
        """
        head, *rest = _numbers(octets)
        first = min(head // _PER_ROOT, _ROOTS - 1)
        return cls((first, head - _PER_ROOT * first, *rest))


def _base128(number: int) -> bytes:
    """Seven bits an octet, the highest first; all but the last have bit 8."""
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(_MORE | number & 0x7F)
    return bytes(reversed(octets))


def _numbers(octets: bytes) -> Iterator[int]:
    if not octets or len(octets) > MAX_TEXT or octets[-1] & _MORE:
        raise CodeError(f"{len(octets)} octets that are no OID: empty, too many, or cut off")
    number, is_first = 0, True
    for octet in octets:
        if is_first and octet == _MORE:
            raise CodeError("a number of an OID begins with an empty octet")
        number, is_first = number << 7 | octet & 0x7F, not octet & _MORE
        if is_first:
            yield number
            number = 0
