"""Subscriptions of a session: items created in chunks, publish responses taken as they come.

A few publish requests are always with the server. Their responses wait in the tasks that sent
them, and the next request goes out only when a response has been taken; so a consumer that falls
behind makes the *server* queue, which it marks by the Overflow bit, and nothing is dropped here.
A message is acknowledged after it has been taken, not before.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary

from gateway.core.batch import Status
from gateway.core.status import Reason, bad
from gateway.drivers.api import Arrivals, DriverError, NotConnectedError, Point
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.encoding.codec import Published, decode_publish
from gateway.drivers.opcua.encoding.convert import (
    OVERFLOW_BITS,
    Shape,
    arrivals_of,
    shape_of,
    status_of,
)
from gateway.drivers.opcua.encoding.values import Values, joined
from gateway.drivers.opcua.faults import LIBRARY_ERRORS, code_of, name_of, translate
from gateway.drivers.opcua.session import Session

_MAX_OUTSTANDING = 10
_MAX_NOTIFICATIONS = 10_000
"""Values a message at most; bounds what waits here to this × outstanding requests."""
_LIFETIMES = 10
"""The server keeps a subscription for this many keep-alive periods without a request."""
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
        taken: values not yet handed over.
    """

    group: str
    shape: Shape
    silence_s: float
    heard: float
    sequence: int = 0
    taken: list[Values] = field(default_factory=list)


class Publishing:
    """All subscriptions of one session."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self._session = session
        self._connection = connection
        self._subscriptions: dict[int, _Subscription] = {}
        self._requests: set[asyncio.Task[bytes]] = set()
        self._allowed = _MAX_OUTSTANDING
        self._acknowledge: list[ua.SubscriptionAcknowledgement] = []
        self._left: float | None = None
        self._failure: NotConnectedError | None = None

    async def add(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        """Subscribe a group; one status a point.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        made = await self._create(interval_ms)
        shape = shape_of([point.address.type for point in points])
        revised_ms = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount
        period_s = max(self._connection.keepalive_ms, revised_ms) / 1000
        self._subscriptions[made.SubscriptionId] = _Subscription(
            group, shape, period_s + self._session.timeout_s, asyncio.get_running_loop().time()
        )
        sampling = self._connection.sampling_ms
        sampling = interval_ms if sampling is None else sampling
        queue = queue_size(made.RevisedPublishingInterval, sampling)
        return await self._monitor(made.SubscriptionId, points, sampling, queue)

    async def _create(self, interval_ms: int) -> ua.CreateSubscriptionResult:
        publishing = self._connection.publishing_ms or min(interval_ms, 1_000)
        keepalives = max(1, self._connection.keepalive_ms // publishing)
        request = ua.CreateSubscriptionRequest()
        parameters = request.Parameters
        parameters.RequestedPublishingInterval = ua.Double(publishing)
        parameters.RequestedMaxKeepAliveCount = ua.UInt32(keepalives)
        parameters.RequestedLifetimeCount = ua.UInt32(keepalives * _LIFETIMES)
        parameters.MaxNotificationsPerPublish = ua.UInt32(_MAX_NOTIFICATIONS)
        parameters.PublishingEnabled = True
        body = await self._session.request(request)
        response: ua.CreateSubscriptionResponse = struct_from_binary(
            ua.CreateSubscriptionResponse, Buffer(body)
        )
        response.ResponseHeader.ServiceResult.check()
        made: ua.CreateSubscriptionResult = response.Parameters
        return made

    async def _monitor(
        self, subscription: int, points: Sequence[Point], sampling_ms: float, queue: int
    ) -> Status:
        codes = np.full(len(points), bad(Reason.NODE_UNKNOWN), np.uint8)
        items = [
            (place, _item(place, node, sampling_ms, queue))
            for place, point in enumerate(points)
            if (node := self._session.node_id(point.address.name)) is not None
        ]
        size = self._session.limits.monitor
        for start in range(0, len(items), size):
            chunk = items[start : start + size]
            parameters = ua.CreateMonitoredItemsParameters()
            parameters.SubscriptionId = subscription
            parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            parameters.ItemsToCreate = [item for _, item in chunk]
            results = await self._session.services.create_monitored_items(parameters)
            self._session.demand_all(results, len(chunk), "monitored items")
            for (place, _), result in zip(chunk, results, strict=True):
                codes[place] = status_of(result.StatusCode.value)
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
            while not any(one.taken for one in self._subscriptions.values()):
                await self._take(self._patience(loop.time()))
            self._ask()
            return self._drain()
        finally:
            self._left = loop.time()

    def _forgive(self, now: float) -> None:
        """Time during which nobody listened is not the server's silence."""
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
        while len(self._requests) < wanted:
            request = ua.PublishRequest()
            request.Parameters.SubscriptionAcknowledgements = self._acknowledge
            self._acknowledge = []
            waiting = self._session.request(request, timeout_s=0)
            self._requests.add(asyncio.create_task(waiting, name="opcua-publish"))

    async def _take(self, patience_s: float) -> None:
        """Wait for responses; keep their values, remember a failure."""
        self._ask()
        asked = len(self._requests)
        done, self._requests = await asyncio.wait(
            self._requests, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
        )
        answers = [answer for task in done if (answer := self._answer(task, asked)) is not None]
        now = asyncio.get_running_loop().time()
        for answer in sorted(answers, key=lambda answer: answer.sequence):
            self._accept(answer, now)

    def _answer(self, task: "asyncio.Task[bytes]", asked: int) -> Published | None:
        """The response of one of ``asked`` requests; a server may have room for fewer."""
        try:
            return decode_publish(task.result())
        except NotConnectedError as error:
            self._failure = error
        except LIBRARY_ERRORS as error:
            if code_of(error) == _TOO_MANY_REQUESTS:
                self._allowed = min(self._allowed, asked) - 1
            if code_of(error) != _TOO_MANY_REQUESTS or not self._allowed:
                lost = translate(error, f"{self._session.endpoint}: publish")
                self._failure = NotConnectedError(str(lost))
        return None

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
        if int(answer.values.handle.max()) >= len(one.shape.types):
            self._fail(f"the server published an item of group {one.group!r} that has none such")
            return
        if one.sequence and answer.sequence != one.sequence % 0xFFFF_FFFF + 1:
            _mark_lost(answer.values)
        one.sequence = answer.sequence
        one.taken.append(answer.values)
        self._acknowledge.append(
            ua.SubscriptionAcknowledgement(answer.subscription, answer.sequence)
        )

    def _fail(self, what: str) -> None:
        self._failure = NotConnectedError(f"{self._session.endpoint}: {what}")

    def _drain(self) -> list[Arrivals]:
        now_ms = time.time_ns() // 1_000_000
        drained = []
        for one in self._subscriptions.values():
            if one.taken:
                taken, one.taken = one.taken, []
                drained.append(arrivals_of(one.group, joined(taken), one.shape, now_ms))
        return drained

    async def close(self) -> None:
        """Withdraw the requests that are with the server."""
        requests, self._requests = self._requests, set()
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)


def queue_size(publishing_ms: float, sampling_ms: float) -> int:
    """Values the server keeps of an item between two messages: twice what it samples.

    Args:
        publishing_ms: period of messages.
        sampling_ms: period of sampling; 0 (as fast as the server can) counts as 1 ms.
    """
    return max(2, min(1_000, math.ceil(publishing_ms / max(sampling_ms, 1)) * 2))


def _item(
    handle: int, node: ua.NodeId, sampling_ms: float, queue: int
) -> ua.MonitoredItemCreateRequest:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    parameters = item.RequestedParameters
    parameters.ClientHandle = ua.UInt32(handle)
    parameters.SamplingInterval = ua.Double(sampling_ms)
    parameters.QueueSize = ua.UInt32(queue)
    parameters.DiscardOldest = True
    return item


def _mark_lost(values: Values) -> None:
    """A message is missing before these values: mark the first of each tag as after a loss."""
    _, first = np.unique(values.handle, return_index=True)
    values.code[first] |= np.uint32(OVERFLOW_BITS)
