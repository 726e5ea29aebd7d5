"""What the end codes of answers mean. Pure.

Sources: SLMP reference manual SH-080956ENG and Ethernet interface module manual SH-080009, their
lists of end codes; codes of the CPU (4000H to 4FFFH): QCPU user's manual SH-080483ENG.
"""

from gateway.core.status import Reason
from gateway.drivers.toolkit.learnt import Codes

SILENT = 0x1_0000
"""In place of an end code: no answer came in time."""

NOT_SENT = 0x1_0001
"""In place of an end code: not asked, because the one before was not answered."""

UNSUPPORTED = 0xC059
"""Neither this command nor this subcommand."""

_ADDRESS = {
    0x4030: "the CPU does not have this device",
    0x4031: "the number is beyond what the parameters give this device",
    0xC051: "too many words in a request",
    0xC052: "too many bits in a request",
    0xC053: "too many words in a random read",
    0xC054: "too many bits in a random read",
    0xC056: "the number is beyond the highest of this device",
    0xC05B: "the CPU cannot read or write this device",
    0xC05F: "the request cannot be carried out for this CPU",
    0xC070: "this device cannot be used in this way",
}
_VALUE = {
    0xC050: "the module is set to ASCII code: set it to binary code",
    0xC058: "the length of the request does not fit",
    0xC05C: "the request has a mistake: bits of a word device, say",
    0xC061: "the length of the data does not fit",
}
_PASSWORD = {0x4019, *range(0xC200, 0xC206), *range(0xC810, 0xC817)}
_WORDS = {
    **_ADDRESS,
    **_VALUE,
    **dict.fromkeys(
        _PASSWORD,
        "locked by a remote password: take this connection out of the remote password's settings",
    ),
    0x0055: "writing is not allowed while the CPU runs: tick 'enable online change' in the "
    "Ethernet settings",
    UNSUPPORTED: "the controller does not know this command",
    0xC035: "the other station was not found",
    0xC0B5: "data that the CPU or module cannot handle",
    0xCF70: "no route to the station: see network and pc",
    0xCF71: "the station did not answer",
}
_REASONS = {
    **dict.fromkeys(_ADDRESS, Reason.ILLEGAL_ADDRESS),
    **dict.fromkeys(_VALUE, Reason.ILLEGAL_VALUE),
    **dict.fromkeys(_PASSWORD, Reason.REFUSED),
    0x0055: Reason.REFUSED,
    UNSUPPORTED: Reason.ILLEGAL_FUNCTION,
    0xC035: Reason.GATEWAY_TARGET,
    0xCF70: Reason.GATEWAY_PATH,
    0xCF71: Reason.GATEWAY_TARGET,
    SILENT: Reason.TIMEOUT,
    NOT_SENT: Reason.TIMEOUT,
}


APART = frozenset({*_ADDRESS, *_VALUE, UNSUPPORTED, 0xC0B5})
"""Codes that one of several devices may be to blame for; the others concern the whole request."""


def reason_for(code: int) -> Reason:
    """The reason that an end code stands for; those not listed are a failure of the device."""
    return _REASONS.get(code, Reason.DEVICE_FAILURE)


def is_locked(code: int) -> bool:
    """Whether a remote password keeps everybody out."""
    return code in _PASSWORD


def words_for(code: int) -> str:
    """An end code for people."""
    if code == SILENT:
        return "no answer in time"
    if code == NOT_SENT:
        return "not asked, as the one before had no answer: asked next time"
    said = _WORDS.get(code)
    return f"end code {code:04X}H" + (f": {said}" if said else "")


CODES = Codes(
    reason=reason_for,
    illegal=frozenset(_ADDRESS) | {0xC05C},
    doubtful=frozenset({UNSUPPORTED, 0xC058, 0xC061, 0xC0B5}),
    lasting=frozenset({*_ADDRESS, *_VALUE, UNSUPPORTED}),
    no_response=frozenset({SILENT}),
    not_sent=NOT_SENT,
)
