"""One connection of a link: bytes in and out on the event loop's own call-backs.

An answer is checked and the next request written within ``data_received``; a series of many
requests wakes its task once, and one timer watches the time-outs of all connections.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from gateway.deadlines import deadlines
from gateway.drivers.api import NotConnectedError
from gateway.drivers.modbus.codec import CLOSED, WRONG, Answer, Request
from gateway.drivers.modbus.config import NOBODY, Framing, Unit
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.orderly import Orderly
from gateway.drivers.modbus.framing.refusals import not_open
from gateway.drivers.modbus.framing.rtu import RtuLine
from gateway.drivers.modbus.framing.series import ProtocolError
from gateway.drivers.modbus.pauses import (
    CUT_OFF_S,
    DOUBT_S,
    HASTY_S,
    LONGEST_DOUBT_S,
    PATIENCE,
    Lessons,
    Pauses,
)
from gateway.drivers.modbus.reach.quiet import Quiet


class Channel(asyncio.Protocol):
    """A connection until it is lost; then it is not used again. One series at a time.

    Args:
        series: the framing.
        pauses: waits of the link; what is learnt here is written there.
        quiet: when the next request may be sent; left out, as the pauses say.

    Attributes:
        silences: series in a row that ended without an answer.
        answers: how many requests over it were answered.
        opened_s: when it was opened, seconds of the loop's clock.
        answered_s: when the last answer came; 0: none has.
        ended_s: when the other side ended it; 0: it has not.
        ends_at: when to look whether the unit asked now is silent.
        closed: done when the socket is closed.
        orderly: its framing, if that suits a window that is found out.
    """

    def __init__(
        self, series: Transactions | RtuLine, pauses: Pauses, quiet: Quiet | None = None
    ) -> None:
        self._series = series
        self.quiet = quiet or Quiet(pauses)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[list[Answer]] | None = None
        self._deadlines = deadlines()
        self._timer: asyncio.TimerHandle | None = None  # of a pause, or of an answer in doubt
        self._lost = "not connected yet"
        self._heard_at = self._sent_at = self._allowed_s = 0.0
        self.opened_s = self.answered_s = self.ended_s = self.ends_at = 0.0
        self._unit, self._trusted_at = NOBODY, 0.0  # when an answer in doubt counts, whatever comes
        self._lessons = Lessons(pauses)
        self.silences = self.answers = 0
        self.orderly = series if isinstance(series, Orderly) else None
        self.closed: asyncio.Future[None] = self._loop.create_future()

    @property
    def framing(self) -> Framing:
        """How its requests are wrapped."""
        return Framing(self._series.framing)

    @property
    def loss(self) -> str:
        """Why it cannot be used; empty while it can."""
        return self._lost

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return not self._lost

    @property
    def has_answered(self) -> bool:
        """Whether any request over it was answered."""
        return self.answers > 0

    @property
    def line(self) -> RtuLine | None:
        """The line behind it, if its framing is that of one."""
        return self._series if isinstance(self._series, RtuLine) else None

    async def exchange(
        self, unit: Unit, requests: Sequence[Request], *, is_known: bool = True
    ) -> list[Answer]:
        """Send requests to a unit and wait for their answers.

        Args:
            unit: whom to ask, and how.
            requests: at least one.
            is_known: whether the unit is expected to answer; then it is waited for longer while
                a gateway may be busy with another.

        Returns:
            One answer a request. After one that is no response of the unit the rest is not sent.
            The request under which the connection ends has ``CLOSED``, or ``WRONG``.

        Raises:
            NotConnectedError: the connection was lost before.
        """
        if self._lost:
            raise NotConnectedError(self._lost)
        waiter: asyncio.Future[list[Answer]] = self._loop.create_future()
        self._waiter = waiter
        try:
            self._begin(unit, requests, is_known)
            return await waiter
        except asyncio.CancelledError:
            self._withdraw()
            raise
        finally:
            self._waiter = None
            self._stop_timers()

    def _begin(self, unit: Unit, requests: Sequence[Request], is_known: bool) -> None:
        is_behind = self._series.is_waiting and self._unit.number != unit.number
        allowed_s = unit.knock_s or unit.timeout_s
        self._allowed_s = allowed_s * (PATIENCE if is_behind and is_known else 1)
        self._unit = unit
        try:
            first = self._series.begin(unit.number, requests, unit.window, unit.quirks)
        except ProtocolError as error:
            self.abort(f"wrong answer: {error}", WRONG)
        else:
            self._send(first)

    def _send(self, data: bytes) -> None:
        """Write now, or when the line is ready for it; the clock of the time-out starts then."""
        wait_s = self.quiet.until_s(self._unit, self.answered_s) - self._loop.time()
        if wait_s > 0:
            self._stop_timers()
            self._series.is_held = True
            self._timer = self._loop.call_later(wait_s, self._write, data)
        else:
            self._write(data)

    def _stop_timers(self) -> None:
        self._deadlines.end(self)
        if self._timer is not None:
            self._timer.cancel()

    def _write(self, data: bytes) -> None:
        self._series.release()
        self._heard_at = self._sent_at = self._loop.time()
        if self.quiet.timing.character_s:
            self._allowed_s += self.quiet.timing.wire_s(data, self._series.request)
        self._watch()
        self._unit.frames.sent(data)
        cast("asyncio.Transport", self._transport).write(data)

    def data_received(self, data: bytes) -> None:
        """Check what came and send what is next."""
        series = self._series
        if series.is_datagrams:
            series.begin_datagram()
        missing, late, was_in_doubt = series.missing, series.late, series.doubted is not None
        asked = series.request if self._lessons.is_open else None
        try:
            more = series.receive(data)
        except ProtocolError as error:
            self._unit.frames.received(data)
            self.abort(f"wrong answer: {error}", WRONG)
            return
        if series.missing < missing:
            self.answers += missing - series.missing
            self._heard(asked)
        elif series.late > late:  # a gateway has done with the unit that kept it busy
            self._heard_at, self._allowed_s = self._loop.time(), self._unit.timeout_s
        if more and series.doubted is None and not self.quiet.between_s:
            self._sent_at = self._heard_at
            self._unit.frames.answered(data, more)
            cast("asyncio.Transport", self._transport).write(more)
            return
        self._unit.frames.received(data)
        if series.doubted is None:
            self._go_on(more)
        else:
            self._doubt(is_new=not was_in_doubt)

    def _go_on(self, more: bytes) -> None:
        """Send what is next, or hand over the answers."""
        if more:
            self._send(more)
        elif not self._series.missing and self._waiter and not self._waiter.done():
            self._waiter.set_result(self._series.answers)

    def _doubt(self, *, is_new: bool) -> None:
        """Wait until the line is quiet; after silence as long as an answer is ever waited for."""
        now = self._loop.time()
        wait_s = max(DOUBT_S, self._unit.timeout_s if self._series.is_after_silence else 0.0)
        if is_new:
            self._trusted_at = now + max(LONGEST_DOUBT_S, wait_s)
        self._stop_timers()
        self._timer = self._loop.call_at(min(now + wait_s, self._trusted_at), self._trust)

    def _trust(self) -> None:
        """No other answer followed the one in doubt."""
        more = self._series.trust()
        self.answers += 1
        self._heard(None)  # what was in doubt teaches nothing
        self._watch()
        self.quiet.leave_alone(self._unit, self._heard_at)
        self._go_on(more)

    def _heard(self, asked: Request | None) -> None:
        self._heard_at = self._loop.time()
        self._allowed_s = self._unit.timeout_s
        self.silences = 0
        if asked is not None:
            since_s = self._sent_at - self.answered_s if self.answered_s else None
            what = self._unit.number, asked.pdu
            self._lessons.answered(what, self._sent_at - self.opened_s, since_s)
        self.answered_s = self._heard_at

    def _watch(self) -> None:
        self.ends_at = self._heard_at + self._allowed_s
        self._deadlines.begin(self)

    def expire(self) -> None:
        """Notice a silent unit; it is watched from the first request of a series on."""
        if self._waiter is None or self._waiter.done():
            return
        if self._heard_at + self._allowed_s > self._loop.time():  # each answer has moved the end
            self._watch()
            return
        if self._series.repeated:  # its ids do not tell which request an answer belongs to
            self.abort(f"wrong answer: {not_open(self._series.repeated)}", WRONG)
            return
        self._give_up(f"no answer within {self._allowed_s * 1000:g} ms")
        self._waiter.set_result(self._series.answers)
        self._end_if_late_would_pass()

    def _withdraw(self) -> None:
        """Nobody waits any more; a unit that was not asked yet, or has answered, is not silent."""
        if self._series.is_held:
            self._series.give_up()
        elif self._series.missing:
            teaches = self._loop.time() - self._sent_at > CUT_OFF_S
            self._give_up("given up, as the whole reading took too long", teaches=teaches)
            self._end_if_late_would_pass()

    def _give_up(self, why: str, *, teaches: bool = True) -> None:
        request = self._series.request
        if teaches and request is not None:
            is_hasty = self._sent_at - self.answered_s < HASTY_S
            self._lessons.unanswered((self._unit.number, request.pdu), is_hasty=is_hasty)
        self._unit.frames.note(why)
        self.silences += 1
        self._series.give_up()
        if isinstance(self._series, RtuLine):
            self.quiet.silent(self._unit, self._sent_at, self._loop.time())

    def _end_if_late_would_pass(self) -> None:
        """Use it no longer where a late answer might pass for another; it is no loss of a unit."""
        if self._unit.quirks and self.framing is Framing.TCP:
            self.abort("a unit with quirks was silent")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready; the event loop has set TCP_NODELAY, so small requests go at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._lost = ""
        self.opened_s = self._loop.time()
        self.quiet.opened(self.opened_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        self.ended_s = self._loop.time() if self.is_open else 0.0
        self._fail(f"connection lost: {exc}" if exc else "the device closed the connection")
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self, why: str, code: int = CLOSED) -> None:
        """Drop the connection at once: later calls say why, the request under way has the code."""
        self._fail(why, code)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, why: str, code: int = CLOSED) -> None:
        if not self._lost:
            self._unit.frames.note(why)
            self._lost = why
        self._stop_timers()
        if self._waiter is not None and not self._waiter.done():
            if isinstance(self._series, RtuLine) and not self._series.is_held:
                self.quiet.lost(self._unit, self._sent_at)
            self._series.give_up(code)
            self._waiter.set_result(self._series.answers)
