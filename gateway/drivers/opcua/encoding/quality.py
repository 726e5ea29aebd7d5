"""StatusCodes → status bytes. Pure.

Layout: OPC UA Part 4, 7.39; numbers from the standard's StatusCode.csv.
"""

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Status
from gateway.core.status import GOOD, Quality, Reason, bad, is_replay, uncertain

OVERFLOWN = uncertain(Reason.OVERFLOW)
OVERFLOW_BITS = 0x480
"""InfoType DataValue (0x400) with the Overflow bit (0x080)."""
CHANGED = 0xC000
"""Bits StructureChanged and SemanticsChanged: a value is not to be used before its type, unit and
range have been looked at again. Set once, on the first value after the change."""

_REASONS = {
    0x8004: Reason.REFUSED,  # BadResourceUnavailable
    0x800A: Reason.TIMEOUT,  # BadTimeout
    0x8010: Reason.REFUSED,  # BadTooManyOperations
    0x801F: Reason.REFUSED,  # BadUserAccessDenied
    0x8033: Reason.NODE_UNKNOWN,  # BadNodeIdInvalid
    0x8034: Reason.NODE_UNKNOWN,  # BadNodeIdUnknown
    0x8035: Reason.NODE_UNKNOWN,  # BadAttributeIdInvalid
    0x8036: Reason.TYPE,  # BadIndexRangeInvalid
    0x8038: Reason.TYPE,  # BadDataEncodingInvalid
    0x8039: Reason.TYPE,  # BadDataEncodingUnsupported
    0x803A: Reason.REFUSED,  # BadNotReadable
    0x803C: Reason.RANGE,  # BadOutOfRange
    0x803D: Reason.ILLEGAL_FUNCTION,  # BadNotSupported
    0x803E: Reason.NODE_UNKNOWN,  # BadNotFound
    0x8031: Reason.GATEWAY_TARGET,  # BadNoCommunication: the server lost its data source
    0x8005: Reason.GATEWAY_TARGET,  # BadCommunicationError
    0x808A: Reason.GATEWAY_TARGET,  # BadNotConnected
    0x808B: Reason.DEVICE_FAILURE,  # BadDeviceFailure
    0x808C: Reason.DEVICE_FAILURE,  # BadSensorFailure
    0x8074: Reason.TYPE,  # BadTypeMismatch
    0x80DB: Reason.REFUSED,  # BadTooManyMonitoredItems
}

_NOT_FRESH = {
    0x408F: Reason.LAST_USABLE,  # UncertainNoCommunicationLastUsableValue
    0x4090: Reason.LAST_USABLE,  # UncertainLastUsableValue
    0x4091: Reason.SUBSTITUTE,  # UncertainSubstituteValue: somebody overwrote it
    0x4092: Reason.SUBSTITUTE,  # UncertainInitialValue: nothing has written it yet
    0x4208: Reason.SUBSTITUTE,  # UncertainTransducerInManual: set by hand (Part 8)
    0x4209: Reason.SUBSTITUTE,  # UncertainSimulatedValue (Part 8)
}
"""Uncertain codes of a value that does not come from a living machine, so is no evidence of one."""


_FRESH = np.array([code < bad(Reason.NONE) and not is_replay(code) for code in range(256)])


def mark_frozen(status: Status) -> None:
    """Let what seems fresh be a replay, because the server's clock stands still."""
    status[_FRESH[status]] = uncertain(Reason.FROZEN)


def statuses(codes: npt.NDArray[np.uint32]) -> Status:
    """Status bytes of StatusCodes."""
    if not codes.any():
        return np.zeros(len(codes), np.uint8)
    different, places = np.unique(codes, return_inverse=True)
    return np.array([status_of(int(code)) for code in different], np.uint8)[places]


def status_of(code: int) -> int:
    """The status byte of one StatusCode.

    Severity Good is GOOD. Uncertain is UNCERTAIN: an old or invented value with reason LAST_USABLE
    or SUBSTITUTE, any other with reason SOURCE, and so is the first value after its unit, range or
    structure changed. The Overflow bit makes a value that is fresh
    UNCERTAIN with reason OVERFLOW, because values before it were lost. Bad carries the reason that
    fits the code best, SOURCE if none does.
    """
    severity = code >> 30
    if severity >= Quality.BAD:
        return bad(_REASONS.get(code >> 16, Reason.SOURCE))
    is_doubtful = severity or code & CHANGED
    ours = uncertain(_NOT_FRESH.get(code >> 16, Reason.SOURCE)) if is_doubtful else GOOD
    is_overflown = code & OVERFLOW_BITS == OVERFLOW_BITS
    return OVERFLOWN if is_overflown and not is_replay(ours) else ours
