"""Quality of a value and the reason for it, in one byte.

The byte follows the severity bits of an OPC UA StatusCode (Part 4, 7.39): the two top bits hold
the quality, the six lower bits the reason. ``0`` is plain GOOD, so a column of qualities of a
healthy poll is all zeros.
"""

from enum import IntEnum


class Quality(IntEnum):
    """How far a value can be trusted (OPC UA severity: Good 00, Uncertain 01, Bad 10)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Reason(IntEnum):
    """Why a value is not GOOD, or why an interval holds no data. Fits six bits."""

    NONE = 0
    DISCONNECTED = 1
    TIMEOUT = 2
    REFUSED = 3
    ILLEGAL_FUNCTION = 4
    ILLEGAL_ADDRESS = 5
    ILLEGAL_VALUE = 6
    DEVICE_FAILURE = 7
    DEVICE_BUSY = 8
    GATEWAY_PATH = 9
    GATEWAY_TARGET = 10
    PROTOCOL = 11
    TYPE = 12
    RANGE = 13
    NOT_A_NUMBER = 14
    NODE_UNKNOWN = 15
    OVERFLOW = 16
    SOURCE = 17
    CLOCK = 18
    DRIVER_BUG = 19
    LATE = 20
    GATEWAY_DOWN = 21
    GATEWAY_SILENT = 22
    QUOTA = 23
    DISK = 24
    QUARANTINE = 25
    STOPPED = 26

    @property
    def code(self) -> str:
        """The name used in messages, metrics and files: ``illegal_address``."""
        return self.name.lower()


GOOD = 0
_QUALITY_SHIFT = 6
_REASON_MASK = 0x3F


def status(quality: Quality, reason: Reason = Reason.NONE) -> int:
    """Pack quality and reason into the status byte (0…255)."""
    return (quality << _QUALITY_SHIFT) | reason


def bad(reason: Reason) -> int:
    """The status byte of a BAD value with its reason."""
    return status(Quality.BAD, reason)


def quality_of(code: int) -> Quality:
    """The quality in a status byte."""
    return Quality(code >> _QUALITY_SHIFT)


def reason_of(code: int) -> Reason:
    """The reason in a status byte."""
    return Reason(code & _REASON_MASK)


FIRST_BAD = bad(Reason.NONE)
"""Every status byte from here on is BAD: ``column >= FIRST_BAD`` selects the bad values."""
