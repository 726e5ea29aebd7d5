"""A request in Modbus TCP framing, and how its answers begin. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.drivers.modbus.codec import EXCEPTION_BIT, Request

_KEPT = 512  # series: a full bus of 247 units with two groups each


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A request to a unit and its answers, all from the protocol id on.

    Attributes:
        request: what is sent.
        head: what a right answer begins with.
        refusal: what an exception begins with, up to its code.
        size: length of a right answer's PDU, bytes.
    """

    request: bytes
    head: bytes
    refusal: bytes
    size: int

    @classmethod
    def of(cls, unit: int, request: Request) -> "Wrapped":
        """Wrap a request to a unit (0…255)."""
        to = bytes((unit,))
        pdu, size = request.pdu, request.size
        return cls(
            b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + to + pdu,
            b"\0\0" + (size + 1).to_bytes(2, "big") + to + request.head,
            b"\0\0\0\x03" + to + bytes((pdu[0] | EXCEPTION_BIT,)),
            size,
        )

    def sized(self, data: bytes, begin: int) -> "Wrapped | None":
        """Itself with the length that an answer of any length says; None: it is not that."""
        length = int.from_bytes(data[begin + 2 : begin + 4], "big")
        head = self.head[:2] + data[begin + 2 : begin + 4] + self.head[4:]
        is_it = not self.size and data.startswith(head, begin) and len(head) < length + 4
        return replace(self, head=head, size=length - 1) if is_it else None


class Wrapping:
    """Wraps series, and keeps them: units of a shared link take turns with theirs."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        # By unit and identity of the series, which is held so that its identity stays its own.
        self._kept: dict[tuple[int, int], tuple[Sequence[Request], list[Wrapped]]] = {}

    def of(self, unit: int, requests: Sequence[Request]) -> list[Wrapped]:
        """A series of requests to a unit, wrapped now or before."""
        found = self._kept.get((unit, id(requests)))
        if found is not None:
            return found[1]
        wrapped = [Wrapped.of(unit, request) for request in requests]
        # A plan's whole series is a tuple; lists are made for one reading and would only pile up.
        if isinstance(requests, tuple):
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[unit, id(requests)] = requests, wrapped
        return wrapped
