"""What codes of all systems have in common. Pure."""

from enum import StrEnum
from typing import ClassVar, Protocol


class System(StrEnum):
    """An identifier system, by the name that commands and files print."""

    HANDLE = "handle"
    OID = "oid"
    GS1 = "gs1"
    ECODE = "ecode"
    VAA = "vaa"
    DID = "did"
    USCC = "uscc"


class Code(Protocol):
    """A code of one system; ``str`` gives its canonical form, by which codes are compared."""

    system: ClassVar[System]

    def __str__(self) -> str: ...


class CodeError(ValueError):
    """A text is no code of a system, or a wrong one; the message says why.

    Attributes:
        expected: the check digit or character that belongs to the rest, if that is what is wrong.
    """

    def __init__(self, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.expected = expected
