"""Which CPU it is: the order number in its system status list. Pure.

Source: Siemens, System Software for S7-300/400, system and standard functions, chapter "System
status lists", SZL-ID xy11H (module identification); the head of user data as in the dissector of
Wireshark (packet-s7comm.c).
"""

import re
from struct import Struct

from gateway.drivers.s7.codec import DONE, RefusedAnswerError, WrongAnswerError

MODULE = 0x0011
"""Number of the list that identifies a module and its firmware."""

_HEAD = Struct(">BBHHHH")  # protocol, kind, reserved, number, lengths of both parts
_USER_DATA = (0x32, 0x07)
_NUMBER = slice(4, 6)
_PARAMETERS = 12
_ERROR = slice(_HEAD.size + 10, _HEAD.size + 12)
_ORDER_NUMBER = re.compile(rb"6[A-Z]{2}\d ?[\dA-Z]{3}-[\dA-Z]{5}-[\dA-Z]{4}")


def order_number(answer: bytes, request: bytes) -> str:
    """The first order number of a list, ``6ES7 315-2EH14-0AB0``; empty: there is none in it.

    Args:
        answer: the whole list, or its first part.
        request: what asked for it.

    Raises:
        RefusedAnswerError: the CPU does not tell.
        WrongAnswerError: it is no answer to this request.
    """
    if len(answer) <= _HEAD.size + _PARAMETERS or answer[_NUMBER] != request[_NUMBER]:
        raise WrongAnswerError("an answer to another message")
    protocol, kind, _, _, middle, rest = _HEAD.unpack_from(answer)
    start = _HEAD.size + middle
    is_it = (protocol, kind, middle) == (*_USER_DATA, _PARAMETERS)
    if not is_it or len(answer) != start + rest:
        raise WrongAnswerError(f"a message of kind {kind:#04x}, {len(answer)} bytes")
    error = int.from_bytes(answer[_ERROR], "big")
    if error or answer[start] != DONE:
        raise RefusedAnswerError(error or answer[start])
    found = _ORDER_NUMBER.search(answer, start)
    return found[0].decode() if found else ""
