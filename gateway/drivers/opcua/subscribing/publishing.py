"""Subscriptions of a session: items created in chunks, publish responses taken as they come.

A few publish requests are always with the server. The next one goes out only when a response has
been read; so a consumer that falls behind makes the *server* queue, which it marks by the Overflow
bit, and nothing is dropped here. A message is acknowledged after it has been read, not before.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np
from asyncua.common.utils import Buffer
from asyncua.ua.status_codes import StatusCodes

from gateway.core.batch import Status
from gateway.drivers.api import Arrivals, DriverError, NotConnectedError, Point
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.codec import Acknowledgement, Published, decode_publish
from gateway.drivers.opcua.encoding.convert import (
    OVERFLOW_BITS,
    Shape,
    arrivals_of,
    clock_ticks,
    mark_frozen,
    shape_of,
)
from gateway.drivers.opcua.encoding.values import Values, joined, selected
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, code_of, name_of, translate
from gateway.drivers.opcua.subscribing.items import create_items, create_subscription, watch_clock

_MAX_OUTSTANDING = 10
_TOO_MANY_REQUESTS = int(StatusCodes.BadTooManyPublishRequests)


@dataclass(slots=True)
class _Subscription:
    """One group at the server.

    Attributes:
        group: name of the group.
        shape: what its points expect.
        silence_s: longest time between two responses before the server counts as dead.
        heard: when the last response came, on the loop's clock.
        sequence: sequence number of the last message with data; 0 before the first.
        clock: handle of the item that tells the server's time; None: another one's does.
        values: those not yet handed over, message by message.
    """

    group: str
    shape: Shape
    silence_s: float
    heard: float
    sequence: int = 0
    clock: int | None = None
    values: list[Values] = field(default_factory=list)


class Publishing:
    """All subscriptions of one session."""

    def __init__(self, session: Session, connection: Connection, clock: ServerClock) -> None:
        self._session = session
        self._clock = clock
        self._connection = connection
        self._subscriptions: dict[int, _Subscription] = {}
        self._requests: set[asyncio.Future[Buffer]] = set()
        self._responses: list[asyncio.Future[Buffer]] = []
        self._has_responses = asyncio.Event()
        self._allowed = _MAX_OUTSTANDING
        self._received: list[Acknowledgement] = []
        self._left: float | None = None
        self._failure: NotConnectedError | None = None

    async def add(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        """Subscribe a group; one status a point.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        made = await create_subscription(self._session, self._connection, interval_ms)
        revised_ms = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount
        period_s = max(self._connection.keepalive_ms, revised_ms) / 1000
        self._subscriptions[made.SubscriptionId] = _Subscription(
            group,
            shape_of([point.address.type for point in points]),
            period_s + self._session.timeout_s,
            asyncio.get_running_loop().time(),
        )
        sampling = self._connection.sampling_ms
        codes = await create_items(
            self._session, made, points, interval_ms if sampling is None else sampling
        )
        if self._clock.is_watched and len(self._subscriptions) == 1:
            self._subscriptions[made.SubscriptionId].clock = len(points)
            await watch_clock(self._session, made, len(points), self._connection.keepalive_ms)
        return codes

    async def arrivals(self) -> list[Arrivals]:
        """Wait until values are there; all that have come.

        Raises:
            NotConnectedError: the session, a subscription or the connection is dead. Values that
                came before are handed over first.
            DriverError: nothing is subscribed.
        """
        if not self._subscriptions:
            raise DriverError(f"{self._session.endpoint}: nothing is subscribed")
        loop = asyncio.get_running_loop()
        self._forgive(loop.time())
        try:
            while not any(one.values for one in self._subscriptions.values()):
                self._ask()
                await self._response(self._patience(loop.time()))
                self._read_responses()
            self._ask()
            return self._drain()
        finally:
            self._left = loop.time()

    def _forgive(self, now: float) -> None:
        """Time during which nobody listened is not the server's silence."""
        if self._left is not None:
            self._clock.forgive(now - self._left)
        for one in self._subscriptions.values():
            one.heard = now if self._left is None else one.heard + now - self._left

    def _patience(self, now: float) -> float:
        """Seconds until the first subscription counts as dead.

        Raises:
            NotConnectedError: one does already, or the session failed.
        """
        if self._failure is not None:
            raise self._failure
        left, group = min(
            (one.heard + one.silence_s - now, one.group) for one in self._subscriptions.values()
        )
        if left <= 0:
            raise NotConnectedError(
                f"{self._session.endpoint}: no sign of life from the subscription of group "
                f"{group!r}; the server stopped publishing"
            )
        return left

    def _ask(self) -> None:
        """Keep requests with the server: one a subscription and one to spare."""
        wanted = min(len(self._subscriptions) + 1, self._allowed)
        try:
            while len(self._requests) + len(self._responses) < wanted:
                request = self._session.publish.send(self._received)
                self._received = []
                self._requests.add(request)
                request.add_done_callback(self._answered)
        except LIBRARY_ERRORS as error:
            self._lose(error)

    def _answered(self, request: asyncio.Future[Buffer]) -> None:
        self._requests.discard(request)
        if not request.cancelled():
            self._responses.append(request)
            self._has_responses.set()

    async def _response(self, patience_s: float) -> None:
        """Wait until a response is there, but not for ever."""
        try:
            async with asyncio.timeout(patience_s):
                await self._has_responses.wait()
        except TimeoutError:
            pass  # whoever asks how long to wait sees whose patience is over

    def _read_responses(self) -> None:
        """Keep the values of the responses that are there; remember a failure."""
        asked = len(self._requests) + len(self._responses)
        responses, self._responses = self._responses, []
        self._has_responses.clear()
        read = [one for each in responses if (one := self._read(each, asked)) is not None]
        now = asyncio.get_running_loop().time()
        for one in sorted(read, key=attrgetter("sequence")):
            self._accept(one, now)

    def _read(self, response: asyncio.Future[Buffer], asked: int) -> Published | None:
        """One of the responses to ``asked`` requests; a server may have room for fewer."""
        try:
            return decode_publish(bytes(response.result()))
        except LIBRARY_ERRORS as error:
            if code_of(error) == _TOO_MANY_REQUESTS:
                self._allowed = min(self._allowed, asked) - 1
            if code_of(error) != _TOO_MANY_REQUESTS or not self._allowed:
                self._lose(error)
        return None

    def _lose(self, error: Exception) -> None:
        self._fail(str(translate(error, "publish")))

    def _accept(self, answer: Published, now: float) -> None:
        one = self._subscriptions.get(answer.subscription)
        if one is None:
            return
        one.heard = now
        if answer.ended is not None:
            name = name_of(answer.ended)
            self._fail(f"the server ended the subscription of group {one.group!r}: {name}")
        if answer.values is None or not len(answer.values):
            return
        last = len(one.shape.types) - (one.clock is None)
        if int(answer.values.handle.max()) > last:
            self._fail(f"the server published an item of group {one.group!r} that has none such")
            return
        if one.sequence and answer.sequence != one.sequence % 0xFFFF_FFFF + 1:
            _mark_lost(answer.values)
        one.sequence = answer.sequence
        self._received.append((answer.subscription, answer.sequence))
        values = self._without_clock(answer.values, one.clock, now)
        if len(values):
            one.values.append(values)

    def _without_clock(self, values: Values, clock: int | None, now: float) -> Values:
        """Heed the server's time among the values, and leave it out."""
        if clock is None or not (is_clock := values.handle == clock).any():
            return values
        ticks = clock_ticks(selected(values, np.flatnonzero(is_clock)))
        if ticks is not None:
            self._clock.shows(ticks, now)
        return selected(values, np.flatnonzero(~is_clock))

    def _fail(self, what: str) -> None:
        if self._failure is None:  # the first one is the cause of others
            self._failure = NotConnectedError(f"{self._session.endpoint}: {what}")

    def _drain(self) -> list[Arrivals]:
        now_ms = time.time_ns() // 1_000_000
        is_frozen = self._clock.stands_still(asyncio.get_running_loop().time())
        drained = []
        for one in self._subscriptions.values():
            if one.values:
                values, one.values = joined(one.values), []
                arrivals = arrivals_of(one.group, values, one.shape, now_ms)
                if is_frozen:
                    mark_frozen(arrivals.status)
                drained.append(arrivals)
        return drained

    def close(self) -> None:
        """Withdraw the requests that are with the server."""
        for request in list(self._requests):
            request.cancel()


def _mark_lost(values: Values) -> None:
    """A message is missing before these values: mark the first of each tag as after a loss."""
    _, first = np.unique(values.handle, return_index=True)
    values.code[first] |= np.uint32(OVERFLOW_BITS)
