"""Subscriptions and their items, made in as few calls as the server takes."""

import math
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from gateway.core.batch import Status
from gateway.core.status import Reason, bad
from gateway.drivers.api import Point
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.encoding.codec import ServiceFaultError
from gateway.drivers.opcua.encoding.convert import status_of

CURRENT_TIME = ua.NodeId(ua.Int32(ObjectIds.Server_ServerStatus_CurrentTime))
MAX_NOTIFICATIONS = 10_000
"""Values a message at most; bounds what waits here to this × outstanding requests."""
_LIFETIMES = 10
"""The server keeps a subscription for this many keep-alive periods without a request."""


async def create_subscription(
    session: Session, connection: Connection, interval_ms: int
) -> ua.CreateSubscriptionResult:
    """Make a subscription without items.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    publishing = connection.publishing_ms or min(interval_ms, 1_000)
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
    made: ua.CreateSubscriptionResult,
    points: Sequence[Point],
    sampling_ms: float,
) -> Status:
    """Have a subscription monitor the value of each point; one status a point.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS``.
    """
    queue = queue_size(made.RevisedPublishingInterval, sampling_ms)
    codes = np.full(len(points), bad(Reason.NODE_UNKNOWN), np.uint8)
    items = [
        (place, _item(place, node, sampling_ms, queue))
        for place, point in enumerate(points)
        if (node := session.node_id(point.address.name)) is not None
    ]
    size = session.limits.monitor
    for start in range(0, len(items), size):
        chunk = items[start : start + size]
        parameters = ua.CreateMonitoredItemsParameters()
        parameters.SubscriptionId = made.SubscriptionId
        parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
        parameters.ItemsToCreate = [item for _, item in chunk]
        results = await session.services.create_monitored_items(parameters)
        session.demand_all(results, len(chunk), "monitored items")
        for (place, _), result in zip(chunk, results, strict=True):
            codes[place] = status_of(result.StatusCode.value)
    return codes


async def watch_clock(
    session: Session, made: ua.CreateSubscriptionResult, handle: int, sampling_ms: float
) -> None:
    """Have a subscription tell the server's CurrentTime, if the server has it and an item left.

    Raises:
        Exception: any of ``faults.LIBRARY_ERRORS`` but the server's refusal.
    """
    parameters = ua.CreateMonitoredItemsParameters()
    parameters.SubscriptionId = made.SubscriptionId
    parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
    parameters.ItemsToCreate = [_item(handle, CURRENT_TIME, sampling_ms, 1)]
    with suppress(ServiceFaultError, UaStatusCodeError):
        await session.services.create_monitored_items(parameters)


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
