"""Turns on what several devices are reached by, whether it can keep up, and who may connect."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from gateway.edge.live.records import LinkLoad

_log = logging.getLogger(__name__)

WINDOW_S = 30.0
"""A link is judged by so much time at once."""

OVERLOADED = 0.99
"""Share of such a time in which somebody waited: the link never caught up. It is no longer than
the intervals of most devices, so one that keeps up has seen the end of its queue in it."""

MOST_URGENT = 4
"""So many urgent turns follow each other while others could be granted one; then one of those is.
A command takes two: a look at what it changes, then the write and its reading back."""

RELIEVED = 0.8
"""A link that could not keep up is called so until somebody waited for less than this."""


class Capacity(Protocol):
    """How many turns there are at one time; the number may change."""

    @property
    def turns(self) -> int:
        """1 or more."""


class Alone:
    """What one device is reached by that shares it with none."""

    turns = 1


class Turns:
    """A link's turns: as many at a time as it has, in the order in which they were asked for.

    For its readings a device asks for one turn at a time, so each has its own before another has
    its second. But devices that do not answer cost a time-out each: those that failed at their
    last turn do not follow each other while others wait.

    What people ask of a device has turns beside it (:meth:`Turn.beside`). One device never has two
    turns at a time, however many the link has. An urgent turn is the next to be granted, but no
    flood of them stops readings: see ``MOST_URGENT``. A device that has to be left alone within its
    turn lends it to the others meanwhile (:meth:`Turn.away`).

    Args:
        link: says how many turns there are; it may change its mind.
        load: is kept up to date.
        seconds: a clock that never steps.
    """

    def __init__(
        self, link: Capacity, load: LinkLoad, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._load = load
        self._seconds = seconds
        self._granted = 0
        self._urgent = 0  # granted one after the other
        self._waiting: deque[Turn] = deque()
        self._counted_s = self._window_s = seconds()
        self._window_waited_s = 0.0

    def of_one_device(self) -> "Turn":
        """The turn of one more device."""
        return Turn(self)

    async def begin(self, turn: "Turn") -> None:
        """Wait for a turn. Whoever gives one back hands it on: nobody can slip in between."""
        self._count()
        is_back = turn.is_away
        is_free = self._granted < self._load.turns and turn.is_able
        if is_free and not self._waiting:
            self._hand(turn)
            return
        turn.grant = asyncio.get_running_loop().create_future()
        self._enqueue(turn)
        self._grant()  # those before it may wait for their devices only
        try:
            await turn.grant
        except asyncio.CancelledError:
            self._count()
            if turn in self._waiting:
                self._waiting.remove(turn)
            elif not is_back and turn.device.holder is turn:  # granted in the same moment
                self.end(turn)
            raise

    def lend(self, turn: "Turn") -> None:
        """Let others have a turn for now; its device is granted no other one meanwhile."""
        self._count()
        self._granted -= 1
        turn.is_away = True
        self._grant()

    def end(self, turn: "Turn") -> None:
        """Give a turn back, and grant what can be granted."""
        self._count()
        self._granted -= not turn.is_away
        turn.is_away, turn.device.holder = False, None
        if turn.has_failed:  # whoever waits now and answers goes before the next that may not
            self._waiting = deque(sorted(self._waiting, key=lambda one: one.rank))
        if self._waiting:
            self._grant()

    def _enqueue(self, turn: "Turn") -> None:
        if turn.is_urgent:
            self._waiting.insert(sum(one.is_urgent for one in self._waiting), turn)
        else:
            self._waiting.append(turn)

    def _grant(self) -> None:
        while self._granted < self._link.turns and (turn := self._next()):
            self._waiting.remove(turn)
            self._hand(turn)
            turn.grant.set_result(None)

    def _next(self) -> "Turn | None":
        """Who is granted the next turn; nobody whose device has one, or was stopped just now."""
        able = (one for one in self._waiting if one.is_able and not one.grant.done())
        first = next(able, None)
        if first is not None and first.is_urgent and self._urgent >= MOST_URGENT:
            return next((one for one in able if not one.is_urgent), first)
        return first

    def _hand(self, turn: "Turn") -> None:
        self._granted += 1
        self._urgent = self._urgent + 1 if turn.is_urgent else 0
        turn.is_away, turn.device.holder = False, turn

    def _count(self) -> None:
        """Count the time since the last change, before the next one."""
        now_s = self._seconds()
        load, passed_s = self._load, now_s - self._counted_s
        self._counted_s = now_s
        load.turns = self._link.turns
        # By what was granted until now: so it comes before every change.
        load.busy_s += self._granted * passed_s
        if self._waiting:
            load.waited_s += passed_s
        # Whoever waits for one device alone is a person, or is kept waiting by one.
        if len(load.members) > 1 and now_s - self._window_s >= WINDOW_S:
            self._judge(now_s)

    def _judge(self, now_s: float) -> None:
        load = self._load
        share = (load.waited_s - self._window_waited_s) / (now_s - self._window_s)
        self._window_s, self._window_waited_s = now_s, load.waited_s
        if not load.is_overloaded and share >= OVERLOADED:
            load.is_overloaded = True
            _log.warning(
                "%s cannot keep up with its %d devices: one of them was waiting all the time, so "
                "readings are skipped; lengthen interval_ms, or let it have more connections if "
                "what is behind it answers over several at once",
                load.name,
                load.devices,
            )
        elif load.is_overloaded and share <= RELIEVED:
            load.is_overloaded = False
            _log.info("%s keeps up with its %d devices again", load.name, load.devices)


class Turn:
    """One device's turn: a context, entering it waits and leaving it gives the turn back.

    Args:
        turns: whose.
        device: the turn of its readings; None: this is it.
        is_urgent: the next to be granted.

    Attributes:
        grant: done when it is granted, if it had to wait.
        has_failed: whether the last one ended with an error.
        holder: of a device, the turn that it has: this one, or one beside it; None: it has none.
        is_away: whether it is lent to others now.
    """

    grant: asyncio.Future[None]

    def __init__(
        self, turns: Turns, device: "Turn | None" = None, *, is_urgent: bool = False
    ) -> None:
        self._turns = turns
        self.device = device or self
        self.is_urgent = is_urgent
        self.has_failed = False
        self.holder: Turn | None = None
        self.is_away = False

    def beside(self, *, is_urgent: bool) -> "Turn":
        """One more turn of the same device, for what a person asks of it; they never overlap."""
        return Turn(self._turns, self.device, is_urgent=is_urgent)

    async def away(self, seconds: float) -> None:
        """Lend the turn that the device has to others for so long; then wait to have it again.

        Called by whoever has it. If it is cancelled the turn is not had again: it is left as ever.
        """
        turn = self.device.holder
        if turn is None:  # nobody is kept waiting
            await asyncio.sleep(seconds)
            return
        self._turns.lend(turn)
        await asyncio.sleep(seconds)
        await self._turns.begin(turn)

    @property
    def is_able(self) -> bool:
        """Whether its device has no other turn."""
        return self.is_away or self.device.holder is None

    @property
    def rank(self) -> tuple[bool, bool]:
        """Those of a smaller rank go first when one has failed."""
        return not self.is_urgent, self.has_failed

    async def __aenter__(self) -> None:
        await self._turns.begin(self)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.has_failed = kind is not None and issubclass(kind, Exception)
        self._turns.end(self)


class Starts:
    """Who may begin to connect: some devices at a time, in the order in which they asked.

    A server with a hundred sessions that begin at once answers none of them in time, and keeps
    those that were given up; a gateway that begins a hundred is late for whoever it reads already.

    Args:
        most: so many at a time.
        hold_s: longest time for which a place is kept: who connects for longer waits for others.
    """

    def __init__(self, most: int, hold_s: float | None = None) -> None:
        self._places = asyncio.Semaphore(most)
        self._hold_s = hold_s

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place, as soon as there is one."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        held = [self._places]  # taken out by whoever gives the place back
        early = None if self._hold_s is None else loop.call_later(self._hold_s, _give_back, held)
        try:
            yield
        finally:
            if early is not None:
                early.cancel()
            _give_back(held)


def _give_back(held: list[asyncio.Semaphore]) -> None:
    if held:
        held.pop().release()
