"""The OPC UA driver: one session with one server, dropped whole and opened anew on any loss."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakSet

import numpy as np
import numpy.typing as npt
from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes

from gateway.core.batch import Reading, Status
from gateway.drivers.api import Arrivals, NotConnectedError, Point, TagFault, Value
from gateway.drivers.extras import Finding, Notice
from gateway.drivers.frames import NOT_KEPT, FrameLog
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session, open_session
from gateway.drivers.opcua.connecting.structures import Structures, with_fields
from gateway.drivers.opcua.diagnosis import told
from gateway.drivers.opcua.encoding.codec import decode_read
from gateway.drivers.opcua.encoding.convert import Shape, clock_ticks, reading_of, shape_of
from gateway.drivers.opcua.encoding.quality import mark_frozen
from gateway.drivers.opcua.encoding.times import SourceTimes
from gateway.drivers.opcua.encoding.values import Values, empty_values
from gateway.drivers.opcua.faults import translated
from gateway.drivers.opcua.findings import Findings
from gateway.drivers.opcua.subscribing.groups import Groups
from gateway.drivers.opcua.subscribing.items import CURRENT_TIME
from gateway.drivers.opcua.subscribing.publishing import Publishing
from gateway.drivers.opcua.writing.write import write

LOOK_AGAIN_S = 10.0
"""Pause before polled points whose namespace is missing are looked for again."""

Chunk = tuple[npt.NDArray[np.intp], ua.ReadRequest]
"""Positions of some points of a plan, and the request that asks for them."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class ReadPlan:
    """What a poll reads. Holds names, not node ids: those are valid in one session only.

    Attributes:
        points: the points in order.
        shape: what they expect.
        findings: what was wrong with them last.
        session: the session in which it was last used.
        chunks: the requests of that session; points that it does not know are in none.
        again_s: when to look again for namespaces that are missing, on the loop's clock.
    """

    points: tuple[Point, ...]
    shape: Shape
    findings: Findings
    session: Session | None = None
    chunks: tuple[Chunk, ...] = ()
    again_s: float | None = None


class OpcUaDriver:
    """One connection to an OPC UA server; see ``gateway.drivers.api.SubscribingDriver``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.timeout_ms = connection.request_timeout_ms
        self._frames = NOT_KEPT
        self._session: Session | None = None
        self._groups: Groups | None = None
        self._publishing: Publishing | None = None
        # What outlives a session:
        self._plans: WeakSet[ReadPlan] = WeakSet()  # of those that somebody still reads
        self._times: dict[str, SourceTimes] = {}
        self._by_index: dict[int, str] = {}
        self._structures = Structures()
        self._clock = ServerClock(connection.server_clock, connection.keepalive_ms / 1000)

    def record(self, frames: FrameLog) -> None:
        """Keep messages from the next connection on; see the SDK."""
        self._frames = frames

    async def connect(self) -> None:
        """Open a new session; see the SDK."""
        await self.close()
        self._structures.forget()
        self._session = session = await open_session(self._connection, self._by_index, self._frames)
        self._clock.connected(asyncio.get_running_loop().time())
        if session.server_ms is not None:
            self._clock.compare(session.server_ms, time.time_ns() // 1_000_000)
        self._groups = Groups(session, self._connection, self._clock, self._structures)
        self._publishing = Publishing(session, self._groups, self._clock, self._connection)

    def plan(self, points: Sequence[Point]) -> ReadPlan:
        """Prepare a poll; see the SDK. Node ids are resolved when a session first uses it."""
        shape = shape_of([point.address for point in points], self._structures.layouts)
        plan = ReadPlan(tuple(points), shape, Findings(points))
        self._plans.add(plan)
        return plan

    async def read(self, plan: ReadPlan) -> Reading:
        """Read every point once; see the SDK."""
        session = self._open()
        if plan.session is not session or await self._has_new_namespaces(plan, session):
            await _resolve(plan, session, self._structures)
        values = empty_values(len(plan.points))
        values.code[:] = StatusCodes.BadNodeIdUnknown
        for places, request in plan.chunks:
            with translated(f"read {len(places)} nodes of {session.endpoint}"):
                _place(values, places, decode_read(await session.request(request)), session)
        reading = reading_of(values, plan.shape)
        plan.findings.note(values.handle, reading.status, values.code, values.variant)
        if await self._is_frozen(session):
            mark_frozen(reading.status)
        return reading

    async def _has_new_namespaces(self, plan: ReadPlan, session: Session) -> bool:
        """Whether the server has others now, if one is missing and it is time to look again."""
        now_s = asyncio.get_running_loop().time()
        if plan.again_s is None or now_s < plan.again_s:
            return False
        plan.again_s = now_s + LOOK_AGAIN_S
        with translated(f"read the namespaces of {session.endpoint}"):
            return await session.look_for_namespaces()

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
        await write(self._open(), point, value)

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> Status:
        """Have changes of these points pushed; see the SDK."""
        session = self._open()
        if not points:
            return np.zeros(0, np.uint8)
        assert self._groups is not None  # noqa: S101 - made with the session
        times = self._times.setdefault(
            group, SourceTimes(len(points), self._connection.max_clock_difference_ms)
        )
        with translated(f"subscribe group {group!r} at {session.endpoint}"):
            return await self._groups.add(group, points, interval_ms, times)

    async def arrivals(self) -> Sequence[Arrivals]:
        """Wait for pushed values; see the SDK.

        May be cancelled without loss, and other calls may run while it waits.
        """
        if self._publishing is None:
            raise NotConnectedError(f"{self._connection.endpoint}: not connected")
        return await self._publishing.arrivals()

    def tag_faults(self) -> Mapping[str, TagFault]:
        """What is wrong with tags; see the SDK. Of the session that is open."""
        if self._session is None or self._groups is None:
            return {}
        namespaces = self._session.namespaces
        words = [one.words(namespaces) for one in self._findings()]
        return {name: fault for one in words for name, fault in one.items()}

    def _findings(self) -> list[Findings]:
        members = self._groups.members if self._groups is not None else ()
        return [*(plan.findings for plan in self._plans), *(one.findings for one in members)]

    async def diagnose(self) -> AsyncIterator[Finding]:
        """Say how the session is secured and which namespaces there are; see the SDK."""
        for finding in told(self._open(), self._connection):
            yield finding

    def notices(self) -> Sequence[Notice]:
        """How subscriptions and security differ from what is wanted; see the SDK."""
        if self._session is None or self._groups is None:
            return ()
        weakness = self._session.weakness
        weak = [Notice("security", weakness)] if weakness else []
        changed = [notice for one in self._findings() for notice in one.notices()]
        return [*weak, *changed, *self._groups.notices()]

    async def close(self) -> None:
        """Drop the session; see the SDK."""
        publishing, self._publishing, self._groups = self._publishing, None, None
        session, self._session = self._session, None
        if publishing is not None:
            publishing.close()
        if session is not None:
            await session.close()

    def _open(self) -> Session:
        if self._session is None:
            raise NotConnectedError(f"{self._connection.endpoint}: not connected")
        return self._session


async def _resolve(plan: ReadPlan, session: Session, structures: Structures) -> None:
    """Make the requests of a plan for a session, within what one call may name."""
    with translated(f"look for {len(plan.points)} nodes of {session.endpoint}"):
        nodes = await session.node_ids([point.address.name for point in plan.points])
        await structures.learn(session, with_fields(plan.points, nodes))
    known = [(place, node) for place, node in enumerate(nodes) if node is not None]
    is_complete = len(known) == len(nodes)
    plan.again_s = None if is_complete else asyncio.get_running_loop().time() + LOOK_AGAIN_S
    plan.chunks = tuple(_chunks(known, session.limits.read))
    plan.session = session


def _chunks(known: Sequence[tuple[int, ua.NodeId]], size: int) -> Iterator[Chunk]:
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
    values.bodies.update({int(places[at]): body for at, body in chunk.bodies.items()})
