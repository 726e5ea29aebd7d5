"""What every active identifier carrier can do: a card, a chip, a module, or a folder of files.

A carrier leaves its maker with a serial number, a key that never leaves it, and a certificate. It
is given the identifier of its machine once a node has confirmed that, and signs from then on.
"""

from typing import Protocol

from gateway.identifier.codes.handle import Handle


class CarrierError(Exception):
    """A carrier cannot do what was asked; the message says why and what to do."""


class CarrierProvider(Protocol):
    """One carrier; every method raises CarrierError where the carrier does not do it."""

    def read_serial(self) -> str:
        """Its serial number, as its maker gave it."""
        ...

    def read_certificate(self) -> bytes:
        """Its certificate, X.509 in DER."""
        ...

    def read_identifier(self) -> Handle | None:
        """The identifier that was written into it; None: none yet."""
        ...

    def write_identifier(self, handle: Handle) -> None:
        """Write an identifier that a node has confirmed; another one than is there is refused."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign octets with its key, by the algorithm of its certificate, over SHA-256."""
        ...
