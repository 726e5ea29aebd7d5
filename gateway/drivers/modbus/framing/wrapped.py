"""A request in Modbus TCP framing, and how its answers begin. Pure."""

from dataclasses import dataclass

from gateway.drivers.modbus.codec import EXCEPTION_BIT, Request


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
