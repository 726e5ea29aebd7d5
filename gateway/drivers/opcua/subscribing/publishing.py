"""What a session's subscriptions publish: requests that wait at the server, responses as they come.

A few publish requests are always with the server. The next one goes out only when a response has
been read; so a consumer that falls behind makes the *server* queue, which it marks by the Overflow
bit, and nothing is dropped here. A message is acknowledged after it has been read, not before.
"""

import asyncio
import time
from operator import attrgetter

from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes

from gateway.drivers.api import Arrivals, DriverError, NotConnectedError
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.codec import Acknowledgement, Published, decode_publish
from gateway.drivers.opcua.encoding.convert import clock_ticks, server_ms
from gateway.drivers.opcua.encoding.quality import mark_frozen
from gateway.drivers.opcua.encoding.values import Values
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, code_of, name_of, translate
from gateway.drivers.opcua.subscribing.groups import Groups
from gateway.drivers.opcua.subscribing.subscription import Subscription, without_clock

_MAX_OUTSTANDING = 10
_TOO_MANY_REQUESTS = int(StatusCodes.BadTooManyPublishRequests)


class Publishing:
    """What comes of the groups of one session.

    Args:
        session: open.
        groups: what is subscribed.
        clock: the server's.
        connection: what the operator wants.
    """

    def __init__(
        self, session: Session, groups: Groups, clock: ServerClock, connection: Connection
    ) -> None:
        self._session = session
        self._groups = groups
        self._clock = clock
        self._tolerance_ms = connection.max_clock_difference_ms
        self._by_server = connection.timestamps == "server"
        self._requests: set[asyncio.Future[Buffer]] = set()
        self._responses: list[asyncio.Future[Buffer]] = []
        self._has_news = asyncio.Event()
        self._allowed = _MAX_OUTSTANDING
        self._received: list[Acknowledgement] = []
        self._left: float | None = None
        self._failure: NotConnectedError | None = None
        self._asking: asyncio.Task[None] | None = None

    async def arrivals(self) -> list[Arrivals]:
        """Wait until values are there; all that have come.

        Raises:
            NotConnectedError: the session, a subscription or the connection is dead. Values that
                came before are handed over first.
            DriverError: nothing is subscribed.
        """
        if not self._groups.subscriptions:
            raise DriverError(f"{self._session.endpoint}: nothing is subscribed")
        loop = asyncio.get_running_loop()
        self._forgive(loop.time())
        try:
            while not any(member.has_values for member in self._groups.members):
                self._ask()
                self._ask_for_what_is_missing()
                await self._news(min(self._patience(loop.time()), self._groups.due_in_s()))
                self._read_responses()
            self._ask()
            self._ask_for_what_is_missing()
            return self._drain()
        finally:
            self._left = loop.time()

    def _forgive(self, now: float) -> None:
        """Time during which nobody listened is not the server's silence."""
        if self._left is not None:
            self._clock.forgive(now - self._left)
        for one in self._groups.subscriptions.values():
            one.heard = now if self._left is None else one.heard + now - self._left

    def _patience(self, now: float) -> float:
        """Seconds until the first subscription counts as dead.

        Raises:
            NotConnectedError: one does already, or the session failed.
        """
        if self._failure is not None:
            raise self._failure
        left, names = min(
            (one.heard + one.silence_s - now, one.names)
            for one in self._groups.subscriptions.values()
        )
        if left <= 0:
            raise NotConnectedError(
                f"{self._session.endpoint}: no sign of life from the subscription of group "
                f"{names}; the server stopped publishing"
            )
        return left

    # -- what was refused -----------------------------------------------------------------

    def _ask_for_what_is_missing(self) -> None:
        """Beside the waiting for values: it may take as long as a request."""
        if self._asking is None and self._groups.due_in_s() <= 0:
            self._asking = asyncio.create_task(self._groups.ask_again())
            self._asking.add_done_callback(self._asked)

    def _asked(self, asking: asyncio.Task[None]) -> None:
        self._asking = None
        if asking.cancelled():
            return
        if isinstance(error := asking.exception(), Exception):
            self._lose(error, "ask again for items that were refused")
        self._has_news.set()

    # -- requests and responses -----------------------------------------------------------

    def _ask(self) -> None:
        """Keep requests with the server: one a subscription and one to spare."""
        wanted = min(len(self._groups.subscriptions) + 1, self._allowed)
        try:
            while len(self._requests) + len(self._responses) < wanted:
                request = self._session.publish.send(self._received)
                self._received = []
                self._requests.add(request)
                request.add_done_callback(self._answered)
        except LIBRARY_ERRORS as error:
            self._lose(error, "publish")

    def _answered(self, request: asyncio.Future[Buffer]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            request.exception()  # whoever closes reads no more responses, and that is no mistake
            self._responses.append(request)
            self._has_news.set()

    async def _news(self, patience_s: float) -> None:
        """Wait until a response is there, or what was missing, but not for ever."""
        try:
            async with asyncio.timeout(patience_s):
                await self._has_news.wait()
        except TimeoutError:
            pass  # whoever asks how long to wait sees whose patience is over

    def _read_responses(self) -> None:
        """Keep the values of the responses that are there; remember a failure."""
        asked = len(self._requests) + len(self._responses)
        responses, self._responses = self._responses, []
        self._has_news.clear()
        read = [one for each in responses if (one := self._read(each, asked)) is not None]
        now = asyncio.get_running_loop().time()
        for one in sorted(read, key=attrgetter("sequence")):
            self._accept(one, now)

    def _read(self, response: asyncio.Future[Buffer], asked: int) -> Published | None:
        """One of the responses to ``asked`` requests; a server may have room for fewer."""
        try:
            return decode_publish(bytes(response.result()), by_server=self._by_server)
        except LIBRARY_ERRORS as error:
            if code_of(error) == _TOO_MANY_REQUESTS:
                self._allowed = min(self._allowed, asked) - 1
            if code_of(error) != _TOO_MANY_REQUESTS or not self._allowed:
                self._lose(error, "publish")
        return None

    def _lose(self, error: Exception, attempted: str) -> None:
        if isinstance(error, NotConnectedError):
            self._fail(str(error))
        else:
            self._fail(str(translate(error, f"{self._session.endpoint}: {attempted}")))

    def _accept(self, answer: Published, now: float) -> None:
        one = self._groups.subscriptions.get(answer.subscription)
        if one is None:
            return
        one.heard = now
        if answer.ended is not None:
            name = name_of(answer.ended)
            self._fail(self._of(one, f"the server ended the subscription of group {{}}: {name}"))
        if answer.values is None or not len(answer.values):
            return
        values, clock = without_clock(answer.values)
        if clock is not None:
            self._heed(clock, now)
        if not one.accept(answer.sequence, values):
            self._fail(self._of(one, "the server published an item of group {} that has none such"))
            return
        self._received.append((answer.subscription, answer.sequence))

    def _of(self, one: Subscription, what: str) -> str:
        return f"{self._session.endpoint}: {what.format(one.names)}"

    def _heed(self, clock: Values, now: float) -> None:
        """Heed the server's time."""
        ticks = clock_ticks(clock)
        if ticks is not None:
            self._clock.shows(ticks, now)
            self._clock.compare(server_ms(ticks), _now_ms())

    def _fail(self, what: str) -> None:
        if self._failure is None:  # the first one is the cause of others
            self._failure = NotConnectedError(what)

    def _drain(self) -> list[Arrivals]:
        now_ms, is_wrong = _now_ms(), self._clock.differs(self._tolerance_ms)
        drained = [
            member.drain(now_ms, is_server_wrong=is_wrong)
            for member in self._groups.members
            if member.has_values
        ]
        if self._clock.stands_still(asyncio.get_running_loop().time()):
            for arrivals in drained:
                mark_frozen(arrivals.status)
        return drained

    def close(self) -> None:
        """Withdraw the requests that are with the server."""
        if self._asking is not None:
            self._asking.cancel()
        for request in list(self._requests):
            request.cancel()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
