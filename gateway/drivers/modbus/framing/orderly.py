"""Modbus TCP with a window that nobody has written: no answer passes for another's. Pure.

Serial servers and gateways have been seen to give an answer the newest transaction id, to leave
out a request and give its id to the next answer, or to swap two. By its id alone such an answer is
right. So requests are under way together only where their right answers begin differently – in
function or byte count –, and answers must come in the order of their requests: one that belongs
to another then is no right answer.
"""

from gateway.drivers.modbus.codec import NOT_SENT
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.refusals import not_open, other_order
from gateway.drivers.modbus.framing.series import ProtocolError


class Orderly(Transactions):
    """Transactions that give up all of a series where one of its answers is not as it should be.

    Attributes:
        widest: most requests of the series begun last that were under way at once.
        answers_again: whether a request was answered a second time.
    """

    __slots__ = ("answers_again", "widest")

    def __init__(self, last: int = 0) -> None:
        super().__init__(last)
        self.widest = 1
        self.answers_again = False

    def _fill(self, free: int) -> bytes:
        if not self._sent:
            self.widest = 1
        if self._window == 1:
            return super()._fill(free)
        out = super()._fill(self._unlike_those_open())
        self.widest = max(self.widest, len(self._open))
        return out

    def _unlike_those_open(self) -> int:
        """How many of the next requests have answers unlike those of all that are under way."""
        heads = {self._wrapped[index].head for index in self._open.values()}
        room, fits = self._window - len(heads), 0
        for asked in self._wrapped[self._sent : self._sent + room]:
            if asked.head in heads:
                break
            heads.add(asked.head)
            fits += 1
        return fits

    def _match(self, key: bytes, index: int, data: bytes, at: int) -> int:
        if self._window > 1 and index != next(iter(self._open.values())):
            raise ProtocolError(other_order(key))
        return super()._match(key, index, data, at)

    def _skip(self, key: bytes, data: bytes, at: int, end: int) -> int:
        if self._was_answered(key):
            self.answers_again = True
            if self._window > 1 and self._open:
                raise ProtocolError(not_open(key))
        return super()._skip(key, data, at, end)

    def _revoke(self, _oldest: int, _code: int) -> None:
        """Whatever came beside what is missing is asked for again."""
        self.answers[: self._sent] = [NOT_SENT] * self._sent
