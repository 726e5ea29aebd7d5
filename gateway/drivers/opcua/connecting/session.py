"""One session with a server: how it is opened, what it knows, how it is dropped."""

import asyncio
from collections.abc import Iterator, MutableMapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.object_ids import ObjectIds
from asyncua.ua.uaerrors import UaError

from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.client import GatewayClient, new_client
from gateway.drivers.opcua.connecting.namespaces import Namespaces
from gateway.drivers.opcua.connecting.security import secure
from gateway.drivers.opcua.faults import (
    LIBRARY_ERRORS,
    OUT_OF_DATE,
    code_of,
    heeding_cancellation,
    name_of,
    translated,
)
from gateway.drivers.opcua.nodes import NodeName
from gateway.drivers.opcua.subscribing.requests import PublishRequests

_GOODBYE_S = 0.5
"""A server that is alive closes a session at once; a dead one must not hold us up."""
_DEFAULT_NODES = 1_000
"""Nodes a call when the server names no limit; S7-1500 and others take no more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many nodes one call may name."""

    read: int
    monitor: int


class Session:
    """A session that is open.

    Attributes:
        namespaces: those of the server, as they were read last.
        limits: the server's operation limits, or ours if lower.
        publish: sends publish requests.
        server_ms: the server's CurrentTime when the session began, UTC milliseconds; None: it
            shows none.
        weakness: what is weak about how it is secured, as a sentence; empty: nothing.
    """

    def __init__(
        self,
        client: GatewayClient,
        connection: Connection,
        by_index: MutableMapping[int, str] | None = None,
    ) -> None:
        self._client = client
        self._connection = connection
        self.endpoint = connection.endpoint
        self.timeout_s = connection.request_timeout_ms / 1000
        self._by_index = {} if by_index is None else by_index
        self.namespaces = Namespaces((), self._by_index)
        self.limits = Limits(_DEFAULT_NODES, _DEFAULT_NODES)
        self.publish = PublishRequests(client.uaclient)
        self.server_ms: int | None = None
        self.weakness = ""

    async def request(self, request: Any, *, timeout_s: float | None = None) -> bytes:
        """Send a service request; the body of the response.

        Args:
            request: the library's request structure.
            timeout_s: longest wait, 0 for none; default: the connection's.

        Raises:
            NotConnectedError: there is no connection any more.
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        protocol = self._client.uaclient.protocol
        if protocol is None:
            raise NotConnectedError(f"{self.endpoint}: the connection is closed")
        wait = self.timeout_s if timeout_s is None else timeout_s
        return bytes(await protocol.send_request(request, wait))

    @property
    def security(self) -> str:
        """Policy and mode of what is sent, as ``Basic256Sha256/SignAndEncrypt``."""
        policy = self._client.security_policy
        return f"{policy.URI.rpartition('#')[2]}/{policy.Mode.name.rstrip('_')}"

    @property
    def services(self) -> Any:  # the library's session services
        """The library's typed services, for calls that are rare."""
        return self._client.uaclient

    async def node_ids(self, nodes: Sequence[NodeName]) -> list[ua.NodeId | None]:
        """The nodes' ids in the current session; None where the server lacks the namespace.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        possible = [
            [_node_id(node, index) for index in self.namespaces.indexes(node)] for node in nodes
        ]
        doubtful = [ids for ids in possible if len(ids) > 1]
        if doubtful:
            await self._put_known_first(doubtful)
        return [ids[0] if ids else None for ids in possible]

    async def _put_known_first(self, doubtful: Sequence[list[ua.NodeId]]) -> None:
        """Of several ids put the first that the server knows in front: its URI is there twice."""
        ids = [one for several in doubtful for one in several]
        known = set()
        for start in range(0, len(ids), self.limits.read):
            chunk = ids[start : start + self.limits.read]
            found = await self.services.read_attributes(chunk, AttributeIds.NodeClass)
            self.demand_all(found, len(chunk), "node classes")
            answers = zip(chunk, found, strict=True)
            known |= {one for one, answer in answers if answer.StatusCode.is_good()}
        for several in doubtful:
            several.sort(key=lambda one: one not in known)

    def demand_all(self, results: Sized, wanted: int, what: str) -> None:
        """Refuse an answer that is not complete: nobody can tell which results are missing.

        Raises:
            NotConnectedError: there are fewer or more than wanted.
        """
        if len(results) != wanted:
            raise NotConnectedError(
                f"{self.endpoint}: asked for {wanted} {what}, the server answered {len(results)}"
            )

    async def look_for_namespaces(self) -> bool:
        """Read the namespaces again; whether there are others now.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        before = self.namespaces.uris
        node = ua.NodeId(ua.Int32(ObjectIds.Server_NamespaceArray))
        found = await self.services.read_attributes([node], AttributeIds.Value)
        self.demand_all(found, 1, "values")
        if found[0].StatusCode.is_good():
            self.namespaces = Namespaces(_texts(found[0]), self._by_index)
        return self.namespaces.uris != before

    async def describe(self) -> None:
        """Read namespaces, operation limits and the server's time."""
        limits = "Server_ServerCapabilities_OperationLimits_"
        wanted = (
            ObjectIds.Server_NamespaceArray,
            getattr(ObjectIds, f"{limits}MaxNodesPerRead"),
            getattr(ObjectIds, f"{limits}MaxMonitoredItemsPerCall"),
            ObjectIds.Server_ServerStatus_CurrentTime,
        )
        found = await self.services.read_attributes(
            [ua.NodeId(ua.Int32(number)) for number in wanted], AttributeIds.Value
        )
        self.demand_all(found, len(wanted), "values")
        if not found[0].StatusCode.is_good():
            code = found[0].StatusCode.name
            raise NotConnectedError(f"{self.endpoint}: the server hides its namespaces: {code}")
        self.namespaces = Namespaces(_texts(found[0]), self._by_index)
        self.limits = Limits(*(self._limit(value) for value in found[1:3]))
        self.server_ms = _time_ms(found[3])

    def _limit(self, announced: ua.DataValue) -> int:
        """The server's limit; 0, Bad or absent mean none."""
        value = announced.Value.Value if announced.Value else None
        servers = value if isinstance(value, int) and value > 0 else _DEFAULT_NODES
        return min(servers, self._connection.max_nodes_per_call or servers)

    async def close(self) -> None:
        """Say goodbye if the server listens, and let go of everything. Never raises."""
        client = self._client
        with heeding_cancellation():
            try:
                async with asyncio.timeout(_GOODBYE_S):
                    await client.disconnect()
            except LIBRARY_ERRORS:  # TimeoutError is one of them
                pass
            finally:
                client.abort()


def _texts(answer: ua.DataValue) -> list[str]:
    """The texts of an array; null ones are empty."""
    value = answer.Value.Value if answer.Value else None
    return [text or "" for text in value] if isinstance(value, list | tuple) else []


def _time_ms(answer: ua.DataValue) -> int | None:
    """A DateTime as UTC milliseconds since 1970, if there is one."""
    value = answer.Value.Value if answer.Value else None
    if not isinstance(value, datetime):
        return None
    return int(value.replace(tzinfo=UTC).timestamp() * 1000)  # the library gives UTC, unsaid


def _node_id(node: NodeName, index: int) -> ua.NodeId:
    kinds = {
        "i": ua.NodeIdType.Numeric,
        "s": ua.NodeIdType.String,
        "g": ua.NodeIdType.Guid,
        "b": ua.NodeIdType.ByteString,
    }
    # The library declares its own subclasses of int, str, UUID and bytes, and encodes plain ones
    # as well; the kind, given beside, says which it is.
    return ua.NodeId(node.identifier, ua.Int16(index), kinds[node.form])  # type: ignore[arg-type]


async def open_session(
    connection: Connection, by_index: MutableMapping[int, str], frames: FrameLog = NOT_KEPT
) -> Session:
    """Connect, secure the channel, log in, read namespaces and limits.

    Args:
        connection: to which server, and how.
        by_index: see :class:`Namespaces`.
        frames: where messages are kept.

    Raises:
        NotConnectedError: nobody answers.
        RefusedError: certificate, user, policy or session limit; a person must act.
    """
    client = new_client(connection, frames=frames)
    session = Session(client, connection, by_index)
    try:
        with translated(f"connect to {connection.endpoint}"):
            if connection.security != "none":
                session.weakness = await secure(client, connection)
            with _clocks_told(client):
                await client.connect(auto_reconnect=False)
            await session.describe()
    except BaseException:  # cancellation, too: the server counts open sessions
        await session.close()
        raise
    return session


@contextmanager
def _clocks_told(client: GatewayClient) -> Iterator[None]:
    """Add the time by both clocks where a certificate is refused for its dates."""
    try:
        yield
    except UaError as error:
        if code_of(error) not in OUT_OF_DATE:
            raise
        theirs = client.server_time
        raise RefusedError(
            f"connect to {client.server_url.netloc}: {name_of(code_of(error) or 0)}: the server "
            f"finds our certificate {client.own_certificate} outside its dates; our clock says "
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, the server's "
            f"{f'{theirs:%Y-%m-%d %H:%M} UTC' if theirs else 'is not known'}: set the one that is "
            "wrong"
        ) from error
