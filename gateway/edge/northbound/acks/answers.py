"""The city's word of this buffer: acknowledgements, and the answer to what it has.

If it has frames that this buffer never made, the buffer is an older copy of itself.
"""

import asyncio
import logging
from collections.abc import Callable
from secrets import randbits

import msgspec

from edge_config.models.gateway import CITY
from gateway.edge.buffer.storage.writing import DiskRefusedError
from gateway.edge.northbound.acks.question import Question
from gateway.edge.northbound.shared import Shared
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import Ack, decode_ack

_log = logging.getLogger(__name__)

_PAUSE_S = 5.0
"""Between two tries of a disk that refuses."""

_UNKNOWN = (
    "the city does not answer, although the broker takes what is published: is the city running, "
    "of the same version, and does its store take values; is gateway {gateway} enrolled there; may "
    "it publish under its id (the broker's access rules)?"
)


class Answers:
    """Reads acknowledgements, and asks before anything is sent.

    Args:
        shared: broker, outlet, live view and clock.
        confirmed: called when the city has answered, and this is the buffer that it knows.

    Attributes:
        question: the one that is open.
        is_compared: whether an answer since the connection has shown that the numbers are ours.
    """

    def __init__(self, shared: Shared, confirmed: Callable[[Ack], None]) -> None:
        self._shared = shared
        self._confirmed = confirmed
        self._answer: Ack | None = None
        self.question = Question(shared.config.ack_timeout_ms)
        self.is_compared = False

    def begin(self) -> None:
        """A session begins: the buffer may have been set back since the one before."""
        self.is_compared = False
        self._answer = None
        self.question.open()

    def end(self) -> None:
        """The session has ended; that is said elsewhere."""
        self.question.close()
        self._shared.note(unanswered="")

    def message(self, now_s: float) -> bytes:
        """The question, with what will not be sent any more; it has a new number.

        Args:
            now_s: a clock that never steps, seconds.
        """
        number = randbits(32) | 1
        self.question.asked(number, now_s)
        outlet = self._shared.outlet
        body = BodyEncoder().encode([outlet.given_up()])
        return seal(body, Header(outlet.epoch, 0, 0, chain=number))

    def read(self, payload: bytes) -> Ack | None:
        """An acknowledgement of this buffer; None if it is malformed or of another one."""
        try:
            ack = decode_ack(payload)
        except msgspec.DecodeError:
            return None
        # The epoch changes when the buffer turns out to be an older copy.
        if ack.epoch != f"{self._shared.outlet.epoch:016x}":
            return None
        lowest = min(ack.upto, ack.closed, *(low for low, _ in ack.ranges))
        return ack if lowest >= 0 else None

    def is_to_ask(self, ack: Ack) -> bool:
        """Whether the city must be asked, because it has only now begun to listen, or is ahead."""
        newest = max(ack.newest, ack.upto, ack.closed - 1, *(high for _, high in ack.ranges))
        is_ahead = newest > self._shared.outlet.last_seq
        return ack.again or (is_ahead and not self.question.is_open)

    def hear(self, ack: Ack) -> bool:
        """Take an acknowledgement if it is the answer; it is heeded by :meth:`heed`."""
        if not self.question.is_answered_by(ack.answers):
            return False
        self._answer = ack
        return True

    async def heed(self) -> bool:
        """Compare the answer with the buffer; whether there was one.

        Frames of the epoch that the buffer has not made are those of its own lost life: it begins
        a new epoch, and asks again.
        """
        answer, self._answer = self._answer, None
        if answer is None:
            return False
        outlet = self._shared.outlet
        if self._shared.config.name == CITY:
            outlet.forerunner.hear(answer.known_ms)
        if await asyncio.to_thread(outlet.is_ours, answer.newest, answer.chain):
            self.is_compared = True
            self._say(answered="the city answers again")
            self.question.close()
            self._confirmed(answer)
        else:
            await self._begin_epoch(answer)
            self.question.open()
        return True

    async def _begin_epoch(self, answer: Ack) -> None:
        outlet = self._shared.outlet
        before = outlet.epoch
        try:
            await asyncio.to_thread(outlet.begin_epoch, answer.upto, answer.ranges)
        except DiskRefusedError as error:
            # The question is asked again until it succeeds.
            self._say(problem=f"no new epoch can begin, and nothing is sent: {error}")
            await asyncio.sleep(_PAUSE_S)
            return
        _log.error(
            "the city has frame %d of this buffer, whose last is %d, from a life that the buffer "
            "does not know: it is an older copy of itself, restored or cut off by a power failure; "
            "epoch %016x ends and %016x begins, what came between is with the city or in the gap "
            "of the gateway's stop",
            answer.newest,
            outlet.last_seq,
            before,
            outlet.epoch,
        )

    def refused(self, reason: str) -> None:
        """The city does not take what we send, and says why."""
        self._say(problem=f"the city refuses us: {reason}")

    def look(self, now_s: float) -> None:
        """Say once that the city does not answer, if it is so."""
        if self.question.is_late(now_s) and not self._shared.status.unanswered:
            self._say(problem=_UNKNOWN.format(gateway=self._shared.gateway))

    def _say(self, *, problem: str = "", answered: str = "") -> None:
        """Say a change once: in the log, and where the connection is shown."""
        before = self._shared.status.unanswered
        if problem == before:
            return
        if problem:
            _log.warning("broker %s: %s", self._shared.config.url, problem)
        else:
            _log.info("broker %s: %s", self._shared.config.url, answered)
        self._shared.note(unanswered=problem)
