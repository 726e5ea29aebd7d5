"""How much is sent to an address that anybody may have written into a datagram. Pure.

Whoever sends a question in another's name has the answer sent to him. So an answer is three times
as long as its question at most, or one datagram, and of the latter only some are sent to one
visitor in a minute. In the place of a longer one goes that it is to be asked for by TCP, where
an address is proved before anything is told: ERROR, upon which clients of the protocol's authors
take the next way, in a datagram that is marked as truncated, by which ours do (RFC 3652, 2.1.2).
"""

import msgspec

from gateway.identifier.irp.bodies import Fault, write_fault
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.datagrams import DATAGRAM, truncated
from gateway.identifier.irp.message import decode, encode
from gateway.identifier.node.visitors import Visitors

MOST_TIMES = 3
"""As QUIC has it for addresses that are not proved (RFC 9000, 8.1)."""
OCTETS_PER_MINUTE = 512 * 1024
"""To one visitor in answers that are longer than that."""
_BY_TCP = "ask by TCP: the answer is too long for datagrams"


class Unproved:
    """What is sent by datagrams; counts for each visitor."""

    def __init__(self) -> None:
        self._octets = Visitors(OCTETS_PER_MINUTE)

    def sent(self, request: bytes, answer: bytes, visitor: str, now_s: float) -> bytes:
        """What goes out for an answer: it, or that TCP is to be used.

        Args:
            request: whole, as it came.
            answer: to it, whole.
            visitor: who is said to have asked.
            now_s: a clock that only runs.
        """
        if len(answer) <= MOST_TIMES * len(request):
            return answer
        is_short = len(answer) <= DATAGRAM
        if is_short and self._octets.may_ask(visitor, now_s, len(answer)):
            return answer
        return _shortened(answer)


def _shortened(answer: bytes) -> bytes:
    body = write_fault(Fault(_BY_TCP))
    return truncated(encode(msgspec.structs.replace(decode(answer), rc=Rc.ERROR, body=body)))
