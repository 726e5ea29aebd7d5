"""A series of requests to one unit, whatever the framing. Pure."""

from collections.abc import Sequence

from gateway.drivers.modbus.codec import NOT_SENT, Answer, Request


class ProtocolError(Exception):
    """Bytes came that no right answer to an open request has. The connection is worthless."""


class Series:
    """What both framings keep of the requests that are under way.

    Attributes:
        answers: of the series begun last, in the order of its requests.
        missing: how many of them have not come.
        late: how many answers came after their requests had been given up.
    """

    __slots__ = ("_requests", "_sent", "_unit", "answers", "late", "missing")

    def __init__(self) -> None:
        self._unit = 0
        self._requests: Sequence[Request] = ()
        self._sent = 0
        self.answers: list[Answer] = []
        self.missing = 0
        self.late = 0

    def _begin(self, unit: int, requests: Sequence[Request]) -> None:
        self._unit = unit
        self._requests = requests
        self._sent = 0
        self.answers = [NOT_SENT] * len(requests)
        self.missing = len(requests)

    def _answered(self, index: int, answer: Answer) -> None:
        self.answers[index] = answer
        self.missing -= 1

    def _end(self) -> None:
        """Ask nothing more of this series."""
        self.missing -= len(self._requests) - self._sent
        self._sent = len(self._requests)

    def _unanswered(self, first: int | None, code: int) -> None:
        """Give up what is open.

        Args:
            first: the oldest open request, which is to blame; None: the one that was sent last
                is, though it may be answered: bytes followed that.
            code: what it has instead of an answer.
        """
        self.answers[max(self._sent - 1, 0) if first is None else first] = code
        self.missing = 0
        self._sent = len(self._requests)

    @property
    def request(self) -> Request | None:
        """The request sent last in this series."""
        return self._requests[self._sent - 1] if self._sent else None
