"""What the units of one host and port share: its connections, and which framing it speaks."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.drivers.api import NotConnectedError
from gateway.drivers.extras import Notice
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.config import SHARED, Connection, Framing, shared
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.pauses import COMES_TWICE, ONE_EACH, Known, Pauses
from gateway.drivers.modbus.pool import Pool
from gateway.drivers.modbus.reach.dialling import Dialling
from gateway.drivers.modbus.reach.window import Window, may_find

SILENT_SERIES = 3
"""After so many series in a row without an answer a connection is made anew: it may be half open,
or the other side may have lost its place in it."""

UNDECIDED_SERIES = 2
"""As many before the other framing is tried, where it is not known. One may have met a device
that is not ready yet, and a guess costs a good link its connection. The price: behind a serial
server that only passes bytes on, the first unit's first reading fails, and it is tried again after
its back-off; the others never meet the wrong framing."""

SHORT_LIVES = 3
"""After so many connections in a row that were ended after one answer, each request has its own:
sent into a connection that is being ended it would only be lost."""

ONE_EACH_S = 3_600.0
"""For so long; then it is seen whether the other side has been mended."""

REDIAL_S = 1.0
"""After a failed attempt of one unit to connect, those of others fail at once for so long."""


class ModbusLink:
    """See :class:`gateway.drivers.spec.Link`.

    A unit's silence or time-out leaves its connections open.

    Args:
        connections: of the units; all have the same endpoint.

    Attributes:
        window: requests under way at once.
        not_before: units that are not to be asked yet, and until when.
    """

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._settings: tuple[Any, ...] = ()
        self._written = self._found = Framing.AUTO
        self._remarks: list[str] = []
        self._pauses = Pauses(tell=self._remarks.append)
        self._dialling = Dialling(connections, self._pauses)
        self.not_before = self._dialling.not_before
        self.window = Window(self._pauses)
        self._is_recalled = False  # the framing was found out before a restart
        self._pool = Pool(self._dial)
        self._users: set[ModbusDriver] = set()
        self._failed: tuple[ModbusDriver, float, NotConnectedError] | None = None
        self._short_lives = 0  # connections in a row that were ended after one answer
        self._one_each_until = 0.0
        self.configure(connections)

    def driver(self, connection: Connection) -> ModbusDriver:
        """A driver for one unit."""
        return ModbusDriver(self, connection)

    # -- settings -------------------------------------------------------------------------

    @property
    def turns(self) -> int:
        """How many units may be read at one time: one a connection that is served."""
        return self._pool.usable

    def configure(self, connections: Sequence[Connection]) -> None:
        """Follow what the units say; connections that contradict it are made anew."""
        if self._dialling.follow(connections):
            self._pool.abort("its settings were changed")
        self.window.is_open = may_find(connections)
        settings = tuple(shared(connections, key) for key in SHARED)
        if settings == self._settings:
            return
        self._settings = settings
        framing, most, after_ms, between_ms, _ = settings
        self._pauses.set(after_ms, between_ms)
        self._short_lives, self._one_each_until = 0, 0.0
        self._pool.allow(most or 1)
        if framing is not None and framing is not self._framing:
            self._pool.abort("its framing was changed")
        self._written = framing or (Framing.RTU if connections[0].serial else Framing.AUTO)

    @property
    def _framing(self) -> Framing:
        return self._found if self._written is Framing.AUTO else self._written

    # -- connecting -----------------------------------------------------------------------

    async def join(self, user: ModbusDriver) -> None:
        """Count a unit in, and open a connection if there is none.

        Raises:
            NotConnectedError: nobody answers.
        """
        if self._pool.is_empty:
            self._pool.give_back(await self._opened(user))
        self._users.add(user)

    async def _opened(self, user: ModbusDriver) -> Channel:
        self._fail_soon(user)
        try:
            return await self._pool.opened()
        except NotConnectedError as error:
            self._failed = user, asyncio.get_running_loop().time(), error
            raise

    def _fail_soon(self, user: ModbusDriver) -> None:
        """Many units that lost one server together knock once, not each for itself."""
        if self._failed is not None and self._failed[0] is not user:
            _, failed_at, why = self._failed
            if asyncio.get_running_loop().time() - failed_at < REDIAL_S:
                raise NotConnectedError(str(why)) from why

    async def _dial(self) -> Channel:
        channel = await self._dialling.dial(self._framing)
        self._failed = None
        return channel

    async def leave(self, user: ModbusDriver) -> None:
        """Count a unit out; the last one waits, shortly, until the sockets are closed."""
        self._users.discard(user)
        if not self._users:
            await self._pool.close()

    # -- using ----------------------------------------------------------------------------

    def idle(self, user: ModbusDriver) -> Channel | None:
        """A connection that nobody uses now: the unit's until it is given back; None: none is."""
        return self._pool.idle() if user in self._users else None

    async def channel(self, user: ModbusDriver, timeout_s: float) -> Channel:
        """A connection that is the unit's until it is given back.

        Args:
            user: the unit.
            timeout_s: longest wait for a further one to be opened.

        Raises:
            NotConnectedError: the unit is closed, or no connection can be made.
        """
        if user not in self._users:
            raise NotConnectedError("not connected")
        channel = self._pool.idle()
        if channel is None and self._pool.is_empty:  # it was ended, by the other side or by us
            user.renewals += 1
            return await self._opened(user)
        return channel or await self._pool.obtain(timeout_s)

    def give_back(self, channel: Channel) -> None:
        """A unit needs its connection no longer."""
        if channel.has_answered:
            self._is_recalled = False
            if self._framing is Framing.AUTO:
                self._found = channel.framing
        line = channel.line
        if line is not None and line.comes_twice and COMES_TWICE not in self._remarks:
            self._remarks.append(COMES_TWICE)
        self._end_if_silent(channel)
        self._pool.give_back(channel)

    def _end_if_silent(self, channel: Channel) -> None:
        """Have a connection made anew that is never answered, or whose framing was a guess.

        This is not the loss of a session: the next unit that is read opens another one.
        """
        is_guess = self._framing is Framing.AUTO and channel.framing is Framing.RTU
        if channel.silences >= SILENT_SERIES and self._is_recalled:
            self._found, self._is_recalled = Framing.AUTO, False  # another device stands there now
        if channel.silences >= (1 if is_guess else SILENT_SERIES):
            channel.abort(f"no answer to {channel.silences} requests in a row")

    # -- when a connection, and not the unit, may be to blame -----------------------------

    @property
    def is_one_answer_each(self) -> bool:
        """Whether the other side ends each connection after one answer."""
        until = self._one_each_until
        if until and asyncio.get_running_loop().time() >= until:
            self._one_each_until = until = 0.0
        return bool(until)

    def ended(self, channel: Channel, has_progress: bool) -> None:
        """A connection that had served has ended while a unit was asking.

        Args:
            channel: the connection.
            has_progress: whether the unit had answers over it just now.
        """
        if self.is_one_answer_each:
            return
        is_short = has_progress and channel.answers == 1 and bool(channel.ended_s)
        self._short_lives = self._short_lives + 1 if is_short else 0
        if self._short_lives == SHORT_LIVES:
            self._short_lives = 0
            self._one_each_until = asyncio.get_running_loop().time() + ONE_EACH_S
            self._remarks.append(ONE_EACH)

    # -- what people should know ----------------------------------------------------------

    @property
    def has_remarks(self) -> bool:
        """Whether :meth:`remarks` has something to say."""
        return bool(self._remarks)

    def remarks(self) -> list[str]:
        """What is odd about the other side, since the last call; whichever unit asks is told."""
        remarks = self._remarks.copy()
        self._remarks.clear()
        return remarks

    def notices(self) -> list[Notice]:
        """What was found out about the other side, and stands."""
        words = self._pauses.words() | self.window.words()
        if self._known_framing is Framing.RTU:
            words["framing"] = "it answers in RTU framing; framing: rtu sets it"
        if self._one_each_until:
            words["connections"] = ONE_EACH
        return [Notice(*one) for one in words.items()]

    @property
    def _known_framing(self) -> Framing:
        """What was found out, where it is not written."""
        return self._found if self._written is Framing.AUTO else Framing.AUTO

    @property
    def knowledge(self) -> Any:
        """What was found out about the other side, but for Modbus TCP; None: nothing."""
        is_rtu, is_one_each = self._known_framing is Framing.RTU, bool(self._one_each_until)
        window = self.window.found, self.window.refusals
        known = Known(self._settings, self._pauses.found, is_rtu, is_one_each, *window)
        return None if known == Known(self._settings) else msgspec.to_builtins(known)

    def recall(self, knowledge: Any) -> None:
        """Go on with what was known under the same settings; what is found out by now stays.

        Raises:
            ValueError: it is none.
        """
        known = msgspec.convert(knowledge, Known)
        if known.settings != self._settings:
            return
        self._pauses.recall(known.pauses)
        self.window.recall(known.window, known.refusals, asyncio.get_running_loop().time())
        if known.is_rtu and self._framing is Framing.AUTO:
            self._found, self._is_recalled = Framing.RTU, True
        if known.is_one_answer_each and not self._one_each_until:
            self._one_each_until = asyncio.get_running_loop().time() + ONE_EACH_S

    def is_doubtful(self, channel: Channel) -> bool:
        """Whether the other side may not serve this connection, as it has one too many."""
        return self._pool.is_doubtful(channel)

    async def drop(self, channel: Channel) -> None:
        """Close a connection, and wait: some servers take the next one only then."""
        await self._pool.drop(channel)

    async def instead_of(self, channel: Channel, timeout_s: float) -> Channel | None:
        """Another connection to try where this one was not answered; None: it was the unit.

        Raises:
            NotConnectedError: it cannot be made.
        """
        if self._is_undecided(channel):
            # Dropped first: many serial servers take one connection.
            await self._pool.drop(channel)
            return await self._guess(Framing.RTU)
        if self._pool.is_doubtful(channel):
            return await self._pool.obtain(timeout_s)
        return None

    def _is_undecided(self, channel: Channel) -> bool:
        is_open = self._framing is Framing.AUTO and channel.is_open
        return is_open and channel.silences >= UNDECIDED_SERIES

    async def _guess(self, framing: Framing) -> Channel:
        self._found = framing
        try:
            return await self._pool.opened()
        finally:
            self._found = Framing.AUTO

    def reject(self, channel: Channel) -> None:
        """The other one was answered."""
        # In the wrong framing it proves nothing about how many connections are served.
        if channel.framing is self._framing:
            self._pool.reject(channel)
