"""The OPC UA driver: one session with one server, dropped whole and opened anew on any loss."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from gateway.core.batch import Reading, Status
from gateway.drivers.api import Arrivals, DriverError, NotConnectedError, Point, Value
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session, open_session
from gateway.drivers.opcua.encoding.codec import decode_read
from gateway.drivers.opcua.encoding.convert import (
    Shape,
    clock_ticks,
    mark_frozen,
    reading_of,
    shape_of,
)
from gateway.drivers.opcua.encoding.values import Values, empty_values
from gateway.drivers.opcua.faults import translated
from gateway.drivers.opcua.subscribing.items import CURRENT_TIME
from gateway.drivers.opcua.subscribing.publishing import Publishing
from gateway.drivers.opcua.write import variant_of

Chunk = tuple[npt.NDArray[np.intp], ua.ReadRequest]
"""Positions of some points of a plan, and the request that asks for them."""


@dataclass(slots=True, eq=False)
class ReadPlan:
    """What a poll reads. Holds names, not node ids: those are valid in one session only.

    Attributes:
        points: the points in order.
        shape: what they expect.
        session: the session in which it was last used.
        chunks: the requests of that session; points that it does not know are in none.
    """

    points: tuple[Point, ...]
    shape: Shape
    session: Session | None = None
    chunks: tuple[Chunk, ...] = ()


class OpcUaDriver:
    """One connection to an OPC UA server; see ``gateway.drivers.api.SubscribingDriver``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: Session | None = None
        self._publishing: Publishing | None = None
        self._clock = ServerClock(connection.server_clock, connection.keepalive_ms / 1000)

    async def connect(self) -> None:
        """Open a new session; see the SDK."""
        await self.close()
        self._session = await open_session(self._connection)
        self._clock.connected(asyncio.get_running_loop().time())
        self._publishing = Publishing(self._session, self._connection, self._clock)

    def plan(self, points: Sequence[Point]) -> ReadPlan:
        """Prepare a poll; see the SDK. Node ids are resolved when a session first uses it."""
        return ReadPlan(tuple(points), shape_of([point.address.type for point in points]))

    async def read(self, plan: ReadPlan) -> Reading:
        """Read every point once; see the SDK."""
        session = self._open()
        if plan.session is not session:
            plan.session, plan.chunks = session, tuple(_chunks(plan.points, session))
        values = empty_values(len(plan.points))
        values.code[:] = StatusCodes.BadNodeIdUnknown
        for places, request in plan.chunks:
            with translated(f"read {len(places)} nodes of {session.endpoint}"):
                _place(values, places, decode_read(await session.request(request)), session)
        reading = reading_of(values, plan.shape)
        if await self._is_frozen(session):
            mark_frozen(reading.status)
        return reading

    async def _is_frozen(self, session: Session) -> bool:
        """Whether the server's clock stands still; looks at it now and then."""
        loop = asyncio.get_running_loop()
        if self._clock.look(loop.time()):
            with translated(f"read the time of {session.endpoint}"):
                values = decode_read(await session.request(_read_request([CURRENT_TIME])))
            ticks = clock_ticks(values)
            if ticks is not None:
                self._clock.shows(ticks, loop.time())
        return self._clock.stands_still(loop.time())

    async def write(self, point: Point, value: Value) -> None:
        """Write one value; see the SDK."""
        session = self._open()
        attempted = f"write {point.name!r} ({point.address.node}) at {session.endpoint}"
        variant = variant_of(point.address.type, value, attempted)
        node = session.node_id(point.address.name)
        if node is None:
            raise DriverError(f"{attempted}: the server has no such namespace")
        with translated(attempted):
            results = await session.services.write_attributes([node], [ua.DataValue(variant)])
            session.demand_all(results, 1, "result")
        if not results[0].is_good():
            raise DriverError(f"{attempted}: the server answered {results[0].name}")

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        """Have changes of these points pushed; see the SDK."""
        session = self._open()
        if not points:
            return np.zeros(0, np.uint8)
        with translated(f"subscribe group {group!r} at {session.endpoint}"):
            return await self._subscriptions().add(group, points, interval_ms)

    async def arrivals(self) -> Sequence[Arrivals]:
        """Wait for pushed values; see the SDK.

        May be cancelled without loss, and other calls may run while it waits.
        """
        return await self._subscriptions().arrivals()

    async def close(self) -> None:
        """Drop the session; see the SDK."""
        publishing, self._publishing = self._publishing, None
        session, self._session = self._session, None
        if publishing is not None:
            publishing.close()
        if session is not None:
            await session.close()

    def _open(self) -> Session:
        if self._session is None:
            raise NotConnectedError(f"{self._connection.endpoint}: not connected")
        return self._session

    def _subscriptions(self) -> Publishing:
        if self._publishing is None:
            raise NotConnectedError(f"{self._connection.endpoint}: not connected")
        return self._publishing


def _chunks(points: Sequence[Point], session: Session) -> Iterator[Chunk]:
    """Requests for the points whose namespace the server has, within its limit."""
    known = [
        (place, node)
        for place, point in enumerate(points)
        if (node := session.node_id(point.address.name)) is not None
    ]
    size = session.limits.read
    for start in range(0, len(known), size):
        chunk = known[start : start + size]
        request = _read_request([node for _, node in chunk])
        yield np.array([place for place, _ in chunk], np.intp), request


def _read_request(nodes: Sequence[ua.NodeId]) -> ua.ReadRequest:
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Neither
    request.Parameters.NodesToRead = [_read_value(node) for node in nodes]
    return request


def _read_value(node: ua.NodeId) -> ua.ReadValueId:
    wanted = ua.ReadValueId()
    wanted.NodeId = node
    wanted.AttributeId = AttributeIds.Value
    return wanted


def _place(values: Values, places: npt.NDArray[np.intp], chunk: Values, session: Session) -> None:
    """Put a chunk's values at the positions of their points."""
    session.demand_all(chunk, len(places), "values")
    values.variant[places] = chunk.variant
    values.bits[places] = chunk.bits
    values.code[places] = chunk.code
    values.texts.update({int(places[at]): text for at, text in chunk.texts.items()})
