"""What a page can ask about the present; kept true in the background."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.console.live.former_names import FormerNames, FormerNamesReader
from gateway.city.console.live.gateways import GatewayView, saved_gateways
from gateway.city.console.live.places import Place, Places, difference, schemas
from gateway.city.console.live.source import SourceAwayError
from gateway.city.console.live.tags import MachineTag, machine_tags
from gateway.city.console.live.workers import Workers
from gateway.city.console.remember import REST, Remembered
from gateway.city.ledger.names import MachineName
from gateway.city.live.newest import LiveValue
from gateway.city.stores.api import Series, Store, StoreError
from gateway.core.days import MAX_AHEAD_MS, day_of
from gateway.relational.database import Database
from gateway.wire.messages import DeviceState

FOLLOW_S = 1.0
"""How far pages may be behind the workers."""
READ_S = 2.0
"""How often the database is looked at: for new machines, and for gateways of other machines."""
KEEP_S = 5.0
"""How long an answer of the store for a machine that nobody hears is good."""
_RANKS = {"up": 0, "starting": 1, "down": 2}


@dataclass(frozen=True, slots=True)
class Link:
    """Whether a machine can be reached, by the best of its devices.

    Attributes:
        gateway: gateway that reports it.
        device: device of that gateway.
        link: ``up``, ``down``, ``starting`` or ``unknown``.
        cause: reason code while down, else empty.
        since_ms: since when the link is so, UTC milliseconds; 0 if unknown.
    """

    gateway: str
    device: str
    link: str
    cause: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class MachineNow:
    """A machine with its newest values.

    Attributes:
        link: whether it can be reached.
        series: where the store keeps its values, by tag name.
        values: newest values by tag name.
    """

    link: Link
    series: Mapping[str, Series]
    values: Mapping[str, LiveValue] = field(default_factory=dict)

    @property
    def last_ms(self) -> int | None:
        """Time of the newest value; None: none is known."""
        return max((value.time_ms for value in self.values.values()), default=None)


class Present:
    """Gateways, machines and newest values.

    Args:
        data_dir: the city's folder, where the workers' sockets lie.
        database: machines, and gateways that no worker of this machine hears.
        store: values that no worker of this machine has heard.
        silence_ms: a gateway not heard of for longer is silent.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        store: Store,
        silence_ms: int,
        now_ms: Callable[[], int],
    ) -> None:
        self.workers = Workers(data_dir, now_ms)
        self._database = database
        self._store = store
        self._silence_ms = silence_ms
        self._now_ms = now_ms
        self._places = Places()
        self._renamed = FormerNamesReader()
        self._former_names: FormerNames = {}
        self._saved: Mapping[str, GatewayView] = {}
        self._remembered = Remembered()

    async def run(self) -> None:
        """Follow workers and database until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_repeat(self.workers.follow, FOLLOW_S))
            tasks.create_task(_repeat(self.read, READ_S))

    async def close(self) -> None:
        """Close the connections to the workers."""
        await self.workers.close()

    async def refresh(self) -> None:
        """Look at workers and database once.

        Raises:
            SQLAlchemyError: the database is away.
        """
        await self.workers.follow()
        await self.read()

    async def read(self) -> None:
        """Read the database: new machines, and gateways as their workers saved them."""
        new, uses = await self._database.read(difference, self._places.uses.keys())
        self._places.update(new, uses)
        today = day_of(self._now_ms())
        self._former_names = await self._database.read(self._renamed.read, today)
        saved = partial(saved_gateways, now_ms=self._now_ms(), silence_ms=self._silence_ms)
        self._saved = await self._database.read(saved)

    @property
    def missing_since_ms(self) -> int | None:
        """Since when live values are missing; None: none are."""
        return self.workers.missing_since_ms

    def gateway(self, gateway_id: str) -> GatewayView | None:
        """A gateway as its worker sees it, else as it was last saved."""
        return self.workers.gateway(gateway_id) or self._saved.get(gateway_id)

    def link(self, machine: MachineName) -> Link | None:
        """The best link of a machine; None if no gateway ever named it."""
        links = [self._link(place) for place in sorted(self._places_of(machine))]
        return min(links, key=lambda one: _RANKS.get(one.link, len(_RANKS)), default=None)

    def _names(self, machine: MachineName) -> frozenset[MachineName]:
        """Keys of the names that a machine may have on its edge: a renamed one keeps its old."""
        return self._former_names.get(machine.key, frozenset()) | {machine.key}

    def _places_of(self, machine: MachineName) -> frozenset[Place]:
        return frozenset().union(*map(self._places.of, self._names(machine)))

    def _link(self, place: Place) -> Link:
        state = self._state(place)
        # A gateway says what it likes, and a newer one may know states that we do not.
        link = state.link if state.link in _RANKS else _UNKNOWN.link
        return Link(place.gateway, place.device, link, state.cause, state.since_ms)

    def _state(self, place: Place) -> DeviceState:
        gateway = self.gateway(place.gateway)
        # a device that was given to another machine says nothing of the one it had before
        if gateway is None or not gateway.devices or not self._places.speaks(place):
            return _UNKNOWN
        if not gateway.online:
            return DeviceState("down", "gateway_silent", gateway.last_seen_ms or 0)
        return gateway.devices.get(place.device, _UNKNOWN)

    def answering(self, *, demonstration: bool, uscc: str | None = None) -> frozenset[MachineName]:
        """Machines whose gateway is online and whose link is up now, by the keys of their names.

        Args:
            demonstration: synthetic machines answer too.
            uscc: of this enterprise only.
        """
        latest_ms = self._now_ms() + MAX_AHEAD_MS  # a link of a wrong clock does not count
        return frozenset(
            machine
            for machine, places in self._places.all(uscc)
            if any(
                self._is_up(place, latest_ms)
                for place in places
                if demonstration or not place.synthetic
            )
        )

    def _is_up(self, place: Place, latest_ms: int) -> bool:
        state = self._state(place)
        return state.link == "up" and state.since_ms <= latest_ms

    async def machine(self, machine: MachineName) -> MachineNow | None:
        """A machine with its newest values, from its worker or else from the store."""
        link = self.link(machine)
        if link is None:
            return None
        tags = await self._tags(machine)
        values, unheard = await self._heard(machine)
        if unheard is None:
            unheard = {tag.series for tag in tags}
        for series in unheard:
            for name, value in (await self._stored(series, tags)).items():
                if name not in values or values[name].time_ms < value.time_ms:
                    values[name] = value
        return MachineNow(link, {tag.tag.name: tag.series for tag in tags}, values)

    async def _heard(self, machine: MachineName) -> tuple[dict[str, LiveValue], set[Series] | None]:
        """What workers have heard of a machine, and the series of which they know too little."""
        values: dict[str, LiveValue] = {}
        unheard: set[Series] | None = None
        gateways = {place.gateway for place in self._places_of(machine)}
        for worker in self.workers.answering:
            if gateways.isdisjoint(worker.copy.gateways):
                continue
            try:
                heard = [await worker.source.values(name) for name in self._names(machine)]
            except SourceAwayError:
                continue
            unheard = (unheard or set()).union(*(one.unheard for one in heard))
            for one in heard:
                values |= {
                    name: value
                    for name, value in one.values.items()
                    if name not in values or values[name].time_ms <= value.time_ms
                }
        return values, unheard

    async def _tags(self, machine: MachineName) -> list[MachineTag]:
        # The last one of a name holds: what is sent under today's name, if anything is.
        now = self._places.of(machine)
        places = tuple(sorted(self._places_of(machine), key=lambda place: (place in now, place)))
        read = partial(self._database.read, schemas, places)
        held = await self._remembered.get(("tags", places), 3_600, read)
        names = self._names(machine)
        return [tag for place, schema in held for tag in machine_tags(names, place, schema)]

    async def _stored(self, series: Series, tags: list[MachineTag]) -> dict[str, LiveValue]:
        try:
            points = await self._remembered.get(series, KEEP_S, partial(self._store.latest, series))
        except StoreError:
            return {}  # the health page says what is wrong with the store
        latest_ms = self._now_ms() + MAX_AHEAD_MS
        return {
            tag.tag.name: tag.value(points[tag.tag.name])
            for tag in tags
            if tag.series == series
            and tag.tag.name in points
            and points[tag.tag.name].time_ms <= latest_ms
        }


_UNKNOWN = DeviceState("unknown")


async def _repeat(work: Callable[[], Awaitable[None]], period_s: float) -> None:
    """Do some work again and again; costly work rests longer, so that it takes 5 % of a core."""
    while True:
        begun = time.monotonic()
        with contextlib.suppress(SQLAlchemyError):  # the health page says that it is away
            await work()
        cost_s = time.monotonic() - begun
        await asyncio.sleep(max(period_s, REST * cost_s))
