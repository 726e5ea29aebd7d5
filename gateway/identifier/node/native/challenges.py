"""Requests that wait for the proof of who asks. Pure: the clock and the nonce come in.

A challenge is known by the number of the session that it opens, since clients number their answer
anew and may send it over another connection. It is good for one answer. An answer that comes again,
as datagrams do, is told what the first one was told.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

LIFE_S = 60.0
"""How long a challenge may be answered."""
MOST_KEPT = 1_024
"""Challenges; of more, the oldest are forgotten."""
MOST_OF_ONE = 128
"""Challenges of one visitor that are not answered yet; he is told to wait then."""
MAX_OCTETS = 66 * 1024
"""Of a request that is kept until it is proved."""


class BusyError(Exception):
    """A visitor has too many challenges that are not answered."""


@dataclass(slots=True)
class Challenge:
    """A request that waits for its proof.

    Attributes:
        session_id: by which the proof finds it.
        nonce: that is to be signed.
        request: the whole message that was sent.
        visitor: who sent it: an address, or the site of one.
        until_s: after this it is forgotten.
        proof: the message that it was answered with; empty: none yet.
        answer: what that was told; empty: nothing yet.
    """

    session_id: int
    nonce: bytes = field(repr=False)
    request: bytes = field(repr=False)
    visitor: str
    until_s: float
    proof: bytes = field(default=b"", repr=False)
    answer: bytes = field(default=b"", repr=False)


class Challenges:
    """Challenges that are under way, a bounded number of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Challenge] = OrderedDict()
        self._open: Counter[str] = Counter()

    def put(
        self, request: bytes, visitor: str, session_id: int, nonce: bytes, now_s: float
    ) -> Challenge:
        """Keep a request until it is proved.

        Args:
            request: the whole message, at most MAX_OCTETS.
            visitor: who sent it.
            session_id: random, 1 to 2^31 - 1.
            nonce: random.
            now_s: a clock that only runs.

        Raises:
            BusyError: the visitor has answered too few of those before.
        """
        self._forget(now_s, MOST_KEPT - 1)
        if self._open[visitor] >= MOST_OF_ONE:
            raise BusyError(f"{visitor} has {MOST_OF_ONE} challenges to answer")
        one = Challenge(session_id, nonce, request, visitor, now_s + LIFE_S)
        self._kept[session_id] = one
        self._open[visitor] += 1
        return one

    def proved(self, session_id: int, proof: bytes, now_s: float) -> tuple[Challenge, bool] | None:
        """The challenge that a message answers, and whether it does for the first time.

        Returns:
            None: there is none, it is too late, or it was answered by another message.
        """
        self._forget(now_s, MOST_KEPT)
        one = self._kept.get(session_id)
        if one is None or one.proof not in (b"", proof):
            return None
        is_first = not one.proof
        if is_first:
            one.proof = proof
            self._close(one)
        return one, is_first

    def _forget(self, now_s: float, most: int) -> None:
        """Those that are over, and the oldest if there are more than so many."""
        while self._kept:
            one = next(iter(self._kept.values()))
            if len(self._kept) <= most and one.until_s > now_s:
                return
            del self._kept[one.session_id]
            if not one.proof:
                self._close(one)

    def _close(self, one: Challenge) -> None:
        self._open[one.visitor] -= 1
        if not self._open[one.visitor]:
            del self._open[one.visitor]
