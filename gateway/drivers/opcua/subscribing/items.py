"""Subscriptions and their items, made in as few calls as the server takes."""

import asyncio
import math
from contextlib import suppress

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.connecting.structures import Structures, with_fields
from gateway.drivers.opcua.encoding.codec import ServiceFaultError
from gateway.drivers.opcua.subscribing.subscription import CLOCK_HANDLE, Member, Places, Wanted

CURRENT_TIME = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_CurrentTime))
MAX_NOTIFICATIONS = 10_000
"""Values a message at most; bounds what waits here to this × outstanding requests."""
_LIFETIMES = 10
"""The server keeps a subscription for this many keep-alive periods without a request."""


_TIMESTAMPS = {
    "source": ua.TimestampsToReturn.Both,  # the server's stands in where there is none
    "server": ua.TimestampsToReturn.Server,
    "gateway": ua.TimestampsToReturn.Neither,
}
"""What to ask for, by the connection's ``timestamps``."""


def publishing_ms(connection: Connection, interval_ms: int) -> int:
    """The period of messages to ask for, by the interval of a group."""
    return connection.publishing_ms or min(interval_ms, 1_000)


async def create_subscription(
    session: Session, connection: Connection, interval_ms: int
) -> ua.CreateSubscriptionResult:
    """Make a subscription without items.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    publishing = publishing_ms(connection, interval_ms)
    keepalives = max(1, connection.keepalive_ms // publishing)
    request = ua.CreateSubscriptionRequest()
    parameters = request.Parameters
    parameters.RequestedPublishingInterval = ua.Double(publishing)
    parameters.RequestedMaxKeepAliveCount = ua.UInt32(keepalives)
    parameters.RequestedLifetimeCount = ua.UInt32(keepalives * _LIFETIMES)
    parameters.MaxNotificationsPerPublish = ua.UInt32(MAX_NOTIFICATIONS)
    parameters.PublishingEnabled = True
    body = await session.request(request)
    response: ua.CreateSubscriptionResponse = struct_from_binary(
        ua.CreateSubscriptionResponse, Buffer(body)
    )
    response.ResponseHeader.ServiceResult.check()
    made: ua.CreateSubscriptionResult = response.Parameters
    return made


async def create_items(
    session: Session,
    subscription: int,
    member: Member,
    places: Places,
    structures: Structures,
) -> None:
    """Have a subscription monitor some points of a group, which takes the server's answers.

    Layouts of structures are learnt before, so that the first values have their fields.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    points = [member.points[at] for at in places.tolist()]
    nodes = await session.node_ids([point.address.name for point in points])
    await structures.learn(session, with_fields(points, nodes))
    codes = np.full(len(places), StatusCodes.BadNodeIdUnknown, np.uint32)
    known = [(at, node) for at, node in enumerate(nodes) if node is not None]
    size = session.limits.monitor
    results: list[ua.MonitoredItemCreateResult] = []
    for start in range(0, len(known), size):
        chunk = known[start : start + size]
        items = [_item(member.first + int(places[at]), node, member.wanted) for at, node in chunk]
        results += await _create(session, subscription, items, member.wanted)
        session.demand_all(results, start + len(chunk), "monitored items")
    asked = [at for at, _ in known]
    codes[asked] = [result.StatusCode.value for result in results]
    granted = [(places[at], one) for at, one in zip(asked, results, strict=True) if _is_good(one)]
    member.revised.take(
        np.array([place for place, _ in granted], np.intp),
        [one.RevisedSamplingInterval for _, one in granted],
        [one.RevisedQueueSize for _, one in granted],
    )
    member.answered(places, codes, asyncio.get_running_loop().time())


def _is_good(result: ua.MonitoredItemCreateResult) -> bool:
    return bool(result.StatusCode.is_good())


async def _create(
    session: Session,
    subscription: int,
    items: list[ua.MonitoredItemCreateRequest],
    wanted: Wanted,
) -> list[ua.MonitoredItemCreateResult]:
    parameters = ua.CreateMonitoredItemsParameters()
    parameters.SubscriptionId = subscription
    parameters.TimestampsToReturn = _TIMESTAMPS[wanted.timestamps]
    parameters.ItemsToCreate = items
    results: list[ua.MonitoredItemCreateResult] = await session.services.create_monitored_items(
        parameters
    )
    return results


async def watch_clock(session: Session, subscription: int, sampling_ms: float) -> None:
    """Have a subscription tell the server's CurrentTime, if the server has it and an item left.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS`` but the server's refusal.
    """
    wanted = Wanted(sampling_ms, 1, "gateway")
    item = _item(CLOCK_HANDLE, CURRENT_TIME, wanted)
    with suppress(ServiceFaultError, UaStatusCodeError):
        await _create(session, subscription, [item], wanted)


def queue_size(publishing_ms: float, sampling_ms: float) -> int:
    """Values the server keeps of an item between two messages: twice what it samples.

    Args:
        publishing_ms: period of messages.
        sampling_ms: period of sampling; 0 (as fast as the server can) counts as 1 ms.
    """
    return max(2, min(1_000, math.ceil(publishing_ms / max(sampling_ms, 1)) * 2))


def _item(handle: int, node: ua.NodeId, wanted: Wanted) -> ua.MonitoredItemCreateRequest:
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor.NodeId = node
    item.ItemToMonitor.AttributeId = AttributeIds.Value
    item.MonitoringMode = ua.MonitoringMode.Reporting
    parameters = item.RequestedParameters
    parameters.ClientHandle = ua.UInt32(handle)
    parameters.SamplingInterval = ua.Double(wanted.sampling_ms)
    parameters.QueueSize = ua.UInt32(wanted.queue)
    parameters.DiscardOldest = True
    return item
