"""One unit's requests, over as many connections of its link as it takes.

A connection that ends, or whose answer is wrong, says nothing yet about what was asked: devices
and firewalls end what is idle, some servers end each connection after one answer. So what had
served is made anew and the rest is asked again. What a fresh connection does not answer either is
that request's own fault; the others are asked over the next one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.codec import (
    CLOSED,
    LOST,
    NO_RESPONSE,
    NOT_SENT,
    SILENT,
    UNANSWERED,
    Answer,
    Request,
)
from gateway.drivers.modbus.config import Unit
from gateway.drivers.modbus.reach.patience import Patience
from gateway.drivers.modbus.reach.window import UNREADY, is_unready, patience_s

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver
    from gateway.drivers.modbus.framing.orderly import Orderly
    from gateway.drivers.modbus.link import ModbusLink

_AGAIN = (SILENT, *UNREADY)
"""Answers to one of several that may be another if it is asked for alone."""


class Asking:
    """The requests of one unit; between :meth:`ask` and :meth:`end` it holds a connection.

    Args:
        link: what the units of its host and port share.
        user: the unit's driver, which has joined the link.
        unit: whom to ask, and how.

    Attributes:
        channel: the connection used last.
        loss: why the last one was lost, if one was.
    """

    def __init__(self, link: "ModbusLink", user: "ModbusDriver", unit: Unit) -> None:
        self._link = link
        self._user = user
        self._unit = self._wide = unit
        self._held: Channel | None = None
        self._aside: list[Channel] = []  # not answered; nobody else is to try them meanwhile
        self.channel: Channel | None = None
        self._asked = self._answered = 0
        self._patience = Patience(unit.timeout_s)
        self.loss = ""

    # -- asking ---------------------------------------------------------------------------

    async def ask(self, requests: Sequence[Request], *, is_known: bool = True) -> list[Answer]:
        """Send requests and wait for their answers.

        Args:
            requests: at least one.
            is_known: see :meth:`Channel.exchange`.

        Returns:
            One answer a request. ``CLOSED`` or ``WRONG`` is for one that a fresh connection did
            not survive.

        Raises:
            NotConnectedError: no connection can be made.
        """
        self._asked += len(requests)
        if self._link.is_one_answer_each:
            return await self._one_by_one(requests, is_known)
        channel = self._at_hand() or await self._obtained()
        if len(requests) > 1 and (width := self._width(channel)):
            return await self._together(channel, requests, is_known, width)
        answers = await self._exchange(channel, requests, is_known)
        if channel.silences or not channel.is_open:
            await self._ask_again(channel, requests, answers, is_known)
        return answers

    def _width(self, channel: Channel) -> int:
        """How many requests may be under way over it; 0: nobody is to find out."""
        if channel.orderly is None:
            return 0
        width = self._link.window.width(asyncio.get_running_loop().time())
        return width if channel.has_answered else min(width, 1)

    async def _together(
        self, channel: Channel, requests: Sequence[Request], is_known: bool, width: int
    ) -> list[Answer]:
        """Ask with so many under way, and one by one for what that leaves open."""
        orderly, clock = cast("Orderly", channel.orderly), asyncio.get_running_loop().time
        began_s = clock()
        try:
            answers = await self._exchange(channel, requests, is_known, self._trial(width))
        except asyncio.CancelledError:
            if width > 1:
                self._link.window.interrupted("a reading took too long", clock())
                channel.abort("given up while several requests were under way")
            raise
        is_whole = channel.is_open and not channel.silences
        if is_whole and not orderly.answers_again and not is_unready(answers):
            now_s = clock()
            self._link.window.held(len(requests), orderly.widest, now_s - began_s, now_s)
            return answers
        if width > 1:
            await self._instead_of_several(channel, requests, answers, is_known)
        elif not is_whole:
            await self._ask_again(channel, requests, answers, is_known)
        return answers

    async def _instead_of_several(
        self, channel: Channel, requests: Sequence[Request], answers: list[Answer], is_known: bool
    ) -> None:
        """Ask one by one, over a new connection, for what several at once left open."""
        why = channel.loss or "not all were answered, or one of them twice"
        channel.abort(why)
        answers[:] = [CLOSED if answer in _AGAIN else answer for answer in answers]
        clock = asyncio.get_running_loop().time
        self._link.window.interrupted(why, clock())
        await self._ask_again(channel, requests, answers, is_known)
        if any(isinstance(answer, bytes) for answer in answers):  # it is there: that was the cause
            self._link.window.confused(why, clock())

    def _trial(self, width: int) -> Unit:
        """How to ask with so many under way; one that is missing is not waited for in full."""
        if self._wide.window != width:
            timeout_s = self._unit.timeout_s if width == 1 else patience_s(self._unit.timeout_s)
            self._wide = replace(self._unit, window=width, timeout_s=timeout_s)
        return self._wide

    async def ready(self) -> None:
        """Wait until the unit may be asked."""

    async def ask_once(self, request: Request) -> Answer:
        """Send a request that must not be repeated, and wait for its answer.

        Raises:
            NotConnectedError: no connection can be made; it was not sent.
        """
        channel = self._at_hand() or await self._obtained()
        whole = replace(self._unit, knock_s=0.0)  # it may be carried out late
        (answer,) = await self._exchange(channel, [request], is_known=True, unit=whole)
        return answer

    async def _one_by_one(self, requests: Sequence[Request], is_known: bool) -> list[Answer]:
        """Give each request a connection of its own."""
        answers: list[Answer] = [NOT_SENT] * len(requests)
        for at, request in enumerate(requests):
            channel = await self._fresh()
            (answers[at],) = await self._exchange(channel, [request], is_known)
            await self._link.drop(channel)
            if answers[at] in NO_RESPONSE:
                break
        return answers

    async def _fresh(self) -> Channel:
        """A connection over which nothing was answered: one that has answered is being ended."""
        channel = await self._obtained()
        if channel.has_answered:
            await self._link.drop(channel)
            channel = await self._obtained()
        return channel

    async def _exchange(
        self,
        channel: Channel,
        requests: Sequence[Request],
        is_known: bool,
        unit: Unit | None = None,
    ) -> list[Answer]:
        before = channel.answers
        try:
            return await channel.exchange(unit or self._unit, requests, is_known=is_known)
        finally:
            self._answered += channel.answers - before
            self.loss = channel.loss or self.loss

    def _at_hand(self) -> Channel | None:
        """The connection that is held, or one that nobody uses now."""
        held = self._held
        if held is not None and held.is_open:
            return held
        self._give_back()
        self._held = found = self._link.idle(self._user)
        self.channel = found or self.channel
        return found

    async def _obtained(self) -> Channel:
        self._give_back()
        self._held = self.channel = await self._link.channel(self._user, self._unit.timeout_s)
        return self._held

    # -- asking again ---------------------------------------------------------------------

    async def _ask_again(
        self, channel: Channel, requests: Sequence[Request], answers: list[Answer], is_known: bool
    ) -> None:
        """Fill in what another connection answers where this one, not a request, is to blame."""
        has_changed = False
        while open_ := [at for at, answer in enumerate(answers) if answer in UNANSWERED]:
            useless = channel
            is_lost = any(answers[at] in LOST for at in open_)
            found = await self._instead(useless, is_lost, len(requests) > len(open_), has_changed)
            if found is None:
                return
            channel = found
            has_changed = self._link.is_doubtful(useless)
            # One by one: several under way at a time may be what was answered wrongly.
            alone = replace(self._unit, window=1)
            again = await self._exchange(channel, [requests[at] for at in open_], is_known, alone)
            for at, answer in zip(open_, again, strict=True):
                answers[at] = answer
            if has_changed and channel.has_answered:
                self._link.reject(useless)

    async def _instead(
        self, useless: Channel, is_lost: bool, has_progress: bool, has_changed: bool
    ) -> Channel | None:
        """Another connection; None: there is nothing to be said against this one.

        Args:
            useless: over it something was not answered.
            is_lost: because it was lost.
            has_progress: whether something was.
            has_changed: whether it was itself tried instead of a doubtful one.
        """
        is_doubtful = self._link.is_doubtful(useless)
        if is_lost and useless.has_answered and (has_changed or not is_doubtful):
            self._link.ended(useless, has_progress)
            return await self._obtained()
        if has_changed:
            return None
        found = await self._link.instead_of(useless, self._unit.timeout_s)
        if found is not None:
            self._aside.append(useless)
            self._held = self.channel = found
        return found

    # -- before and after it --------------------------------------------------------------

    def begin(self) -> None:
        """A reading begins: count anew."""
        self._asked = self._answered = 0

    @property
    def waits_s(self) -> float:
        """How long a first answer is waited for now."""
        return self._unit.knock_s or self._unit.timeout_s

    def heard(self) -> None:
        """The unit has answered in this reading: it has its whole time-out again."""
        if self._patience.is_tried:
            self._patience.heard()
            self._wait_for(0.0)

    def not_heard(self) -> None:
        """It has not: at the next one it is waited for as long as it used to take."""
        self._wait_for(self._patience.silent(self._unit.frames.answered_s()))

    def _wait_for(self, knock_s: float) -> None:
        self._unit = self._wide = replace(self._unit, knock_s=knock_s)

    @property
    def progress(self) -> str:
        """How many of the requests since :meth:`begin` were answered; empty: none was."""
        if not self._answered:
            return ""
        return f"{self._answered} of {self._asked} requests were answered"

    def end(self) -> None:
        """Nothing more is asked for now: give back what is held."""
        self._release()
        self.loss = ""

    def _release(self) -> None:
        """Hold nothing of the link."""
        self._give_back()
        for channel in self._aside:
            self._link.give_back(channel)
        self._aside.clear()

    def _give_back(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._link.give_back(held)
