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
    """Why a value is not GOOD, or why an interval holds no data. Fits six bits.

    ``CLOCK`` blames the source (its time was not believed, the gateway's was taken instead);
    ``CLOCK_DOUBT`` the gateway, whose own clock nobody had confirmed yet. ``LAST_USABLE`` and
    ``SUBSTITUTE`` are a server's word that it repeats an old value or made one up, ``FROZEN`` our
    word that the server's own clock stands still. ``TRUNCATED`` texts have lost their end.
    ``TOO_LARGE`` is a value that no message may carry, ``NO_VALUE`` a number by which the device
    says that it has none, ``AGREEMENT`` what no data agreement lets the city keep.
    """

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
    CLOCK_DOUBT = 27
    TRUNCATED = 28
    LAST_USABLE = 29
    SUBSTITUTE = 30
    FROZEN = 31
    TOO_LARGE = 32
    NO_VALUE = 33
    AGREEMENT = 34

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
    """The quality in a status byte (the unused severity 11 is BAD)."""
    return Quality(min(code >> _QUALITY_SHIFT, Quality.BAD))


def reason_of(code: int) -> Reason:
    """The reason in a status byte."""
    return Reason(code & _REASON_MASK)


def uncertain(reason: Reason) -> int:
    """The status byte of an UNCERTAIN value with its reason."""
    return status(Quality.UNCERTAIN, reason)


FIRST_BAD = bad(Reason.NONE)
"""Every status byte from here on is BAD: ``column >= FIRST_BAD`` selects the bad values."""

REPLAYS = frozenset({Reason.LAST_USABLE, Reason.SUBSTITUTE, Reason.FROZEN})
"""Reasons of values that are not fresh: the machine behind them may be dead."""


def is_replay(code: int) -> bool:
    """Whether a status byte says that the value is an old or invented one, not a fresh one.

    A constant value of a living machine is no replay: its source says GOOD, and means it.
    """
    return code >> _QUALITY_SHIFT == Quality.UNCERTAIN and code & _REASON_MASK in REPLAYS


def travels(code: int) -> bool:
    """Whether a value with this status byte may be sent: GOOD, or UNCERTAIN with a known reason."""
    if code >> _QUALITY_SHIFT == Quality.GOOD:
        return code == GOOD
    return code < FIRST_BAD and code & _REASON_MASK in _REASONS


_REASONS = frozenset(map(int, Reason))


def sendable(code: int) -> int:
    """The status byte under which a value with a driver's status byte goes on.

    A GOOD one needs no reason; a reason that this version does not know is the source's.
    """
    if code < uncertain(Reason.NONE):
        return GOOD
    return code if code & _REASON_MASK in _REASONS else status(quality_of(code), Reason.SOURCE)
