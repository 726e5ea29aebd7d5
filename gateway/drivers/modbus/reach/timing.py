"""What the speed of a serial port asks of requests. Pure.

Source: MODBUS over Serial Line V1.02, 2.5.1.1: frames are 3.5 characters apart, above 19,200 baud
1.75 ms.
"""

from dataclasses import dataclass

from gateway.drivers.modbus.codec import Request
from gateway.drivers.transport.settings import Port

_APART = 3.5
_FAST_BAUD = 19_200
_FAST_GAP_S = 0.00175


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one line, seconds.

    Attributes:
        character_s: how long a character takes; 0: it is not waited for.
        gap_s: quiet between an answer and the next request.
    """

    character_s: float = 0.0
    gap_s: float = 0.0

    @classmethod
    def of(cls, port: Port) -> "Timing":
        """That of a serial port."""
        gap_s = _FAST_GAP_S if port.baud > _FAST_BAUD else _APART * port.character_s
        return cls(port.character_s, gap_s)

    def wire_s(self, sent: bytes, request: Request | None) -> float:
        """How long a request takes, and the longest right answer to it.

        Args:
            sent: the request as it is sent; what frames it frames the answer too.
            request: what it is.
        """
        answer = request.size if request else 0
        each = 2 if sent.startswith(b":") else 1  # characters a byte
        return (2 * len(sent) + each * answer) * self.character_s


UNTIMED = Timing()
"""Of a network, whose own time does not count beside the time-outs."""
