"""A lean OPC UA server for benchmarks: every item of every subscription changes each period.

Channel, encryption, session, limits and reads are asyncua's; subscriptions are answered from
notifications made in advance (``notifications.py``), at a few microseconds a hundred values. So
it is a foreign server up to the session and our own replay from there on. It grants what is asked
for, whatever node an item names but its own time, and keeps nothing for a client that has no
request with it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.server.binary_server_asyncio import BinaryServer, OPCUAProtocol
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary

from simulators.bench.addresses import address
from simulators.bench.notifications import Notifications
from simulators.servers import address_space
from simulators.servers.serving import port_in_use

_ids = count(1)
_FREE_S = 0.5
"""A rest that lets clients of one start spread their periods evenly."""


@dataclass(slots=True)
class _Request:
    """A publish request that waits for its answer: its handle, its header, what it acknowledges."""

    handle: int
    sequence: Any  # the library's sequence header
    acknowledged: int


@dataclass(slots=True)
class _Subscription:
    """What a client wants to hear: handles of its items, told every so many seconds."""

    id: int
    period_s: float
    handles: list[int] = field(default_factory=list)
    task: "asyncio.Task[None] | None" = None


class _Processor(UaProcessor):
    """One connection; answers everything about subscriptions itself."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._subscribed: dict[int, _Subscription] = {}
        self._waiting: asyncio.Queue[_Request] = asyncio.Queue()
        kinds = {
            "CreateSubscription": self._create,
            "CreateMonitoredItems": self._monitor,
            "Publish": self._publish,
            "DeleteSubscriptions": self._delete,
        }
        self._own: dict[ua.NodeId, Callable[[Any, Any, Any], None]] = {
            ua.NodeId(getattr(ObjectIds, f"{name}Request_Encoding_DefaultBinary")): method
            for name, method in kinds.items()
        }

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        own = self._own.get(typeid)
        if own is None:
            return await super()._process_message(typeid, requesthdr, seqhdr, body)  # type: ignore[no-untyped-call] # its own base is not typed
        self.session_last_activity = time.monotonic()
        if self.session is not None:
            self.session.touch()
        own(requesthdr, seqhdr, body)
        return True

    def _create(self, header: Any, sequence: Any, body: Any) -> None:
        wanted = struct_from_binary(ua.CreateSubscriptionParameters, body)
        one = _Subscription(next(_ids), wanted.RequestedPublishingInterval / 1000)
        self._subscribed[one.id] = one
        response = ua.CreateSubscriptionResponse()
        response.Parameters.SubscriptionId = ua.UInt32(one.id)
        response.Parameters.RevisedPublishingInterval = wanted.RequestedPublishingInterval
        response.Parameters.RevisedLifetimeCount = wanted.RequestedLifetimeCount
        response.Parameters.RevisedMaxKeepAliveCount = wanted.RequestedMaxKeepAliveCount
        self._answer(header, sequence, response)

    def _monitor(self, header: Any, sequence: Any, body: Any) -> None:
        wanted = struct_from_binary(ua.CreateMonitoredItemsParameters, body)
        one = self._subscribed[wanted.SubscriptionId]
        response = ua.CreateMonitoredItemsResponse()
        for item in wanted.ItemsToCreate:
            made = ua.MonitoredItemCreateResult()
            response.Results.append(made)
            if item.ItemToMonitor.NodeId.NamespaceIndex == 0 and (
                item.ItemToMonitor.NodeId.Identifier == ObjectIds.Server_ServerStatus_CurrentTime
            ):
                made.StatusCode = ua.StatusCode(ua.UInt32(StatusCodes.BadNodeIdUnknown))
                continue
            one.handles.append(item.RequestedParameters.ClientHandle)
            made.MonitoredItemId = ua.UInt32(len(one.handles))
            made.RevisedSamplingInterval = item.RequestedParameters.SamplingInterval
            made.RevisedQueueSize = item.RequestedParameters.QueueSize
        self._answer(header, sequence, response)
        if one.task is None:
            one.task = asyncio.create_task(self._tell(one))

    def _publish(self, header: Any, sequence: Any, body: Any) -> None:
        wanted = struct_from_binary(ua.PublishParameters, body)
        acknowledged = len(wanted.SubscriptionAcknowledgements)
        self._waiting.put_nowait(_Request(header.RequestHandle, sequence, acknowledged))

    def _delete(self, header: Any, sequence: Any, _body: Any) -> None:
        self._stop()
        self._answer(header, sequence, ua.DeleteSubscriptionsResponse())

    def _answer(self, header: Any, sequence: Any, response: Any) -> None:
        send: Any = self.send_response  # untyped in the library
        send(header.RequestHandle, sequence, response)

    async def _tell(self, one: _Subscription) -> None:
        """Every period a value of each item, if a request waits for it."""
        await asyncio.sleep(_FREE_S)
        messages = Notifications(one.handles, one.id)
        due = time.time()
        for sequence in count(1):
            due += one.period_s
            await asyncio.sleep(max(0, due - time.time()))
            request = await self._waiting.get()
            answer = messages.response(
                one.id, sequence, request.handle, request.acknowledged, time.time()
            )
            self._transport.write(
                self._connection.message_to_binary(answer, request_id=request.sequence.RequestId)
            )

    def _stop(self) -> None:
        for one in self._subscribed.values():
            if one.task is not None:
                one.task.cancel()
        self._subscribed.clear()

    async def close(self) -> None:
        """The connection is lost."""
        self._stop()
        theirs: Any = super()
        await theirs.close()


class _Protocol(OPCUAProtocol):
    def connection_made(self, transport: Any) -> None:
        """See the library; ours processes."""
        super().connection_made(transport)
        if self.processor is not None:
            ours: Any = _Processor(self.iserver, transport, self.limits)
            ours.set_policies(self.policies)
            self.processor = ours


class _Listener(BinaryServer):
    def _make_protocol(self) -> OPCUAProtocol:
        given = (self.iserver, self._policies, self.clients, self.closing_tasks, self.limits)
        return _Protocol(*given)


class _Server(Server):
    async def start(self) -> None:
        """See the library; ours listens."""
        await self._setup_server_nodes()
        await self.iserver.start()
        hosts, port = self._get_bind_socket_info()  # several hosts, as asyncio takes them
        self.bserver = _Listener(self.iserver, hosts, port, self.limits)  # type: ignore[arg-type]
        self.bserver.set_policies(self._policies)
        await self.bserver.start()


@asynccontextmanager
async def listening(port: int, addresses: int, identity: Path | None) -> AsyncIterator[None]:
    """Serve at each address.

    Args:
        port: at every address.
        addresses: how many, 127.0.0.1 being the first.
        identity: PEM file with key and certificate, to offer Basic256Sha256 as well.

    Raises:
        PortInUseError: the port cannot be listened on.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    server = _Server()
    await address_space.build(server)
    hosts = [address(number) for number in range(addresses)]
    server.set_endpoint(f"opc.tcp://{hosts[0]}:{port}/")
    server.socket_address = (hosts, port)  # type: ignore[assignment]
    policies = [ua.SecurityPolicyType.NoSecurity]
    if identity is not None:
        await server.load_certificate(identity, "pem")
        await server.load_private_key(identity, format="pem")
        policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
    server.set_security_policy(policies)
    try:
        await server.start()
    except OSError:
        raise port_in_use(hosts[0], port, "OPC UA") from None
    try:
        yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await server.stop()
