"""Searches one after another, beside the gateway's own devices or in their place."""

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gateway.drivers.spec import DriverSpec
from gateway.drivers.transport.present import ports
from gateway.edge.device.asking.network import place_of
from gateway.edge.device.fleet import Fleet, NoSuchDeviceError
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.probing.child import Outcome, Step, searched
from gateway.edge.probing.order import NotAllowedError, Order, Reach, is_of_the_internet

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Search:
    """One search, while it goes on and after it.

    Attributes:
        spec: the driver that looks.
        order: what was asked for.
        began_ms: when, UTC milliseconds.
        halted: devices of the gateway that are stopped as long as it goes on.
        step: how far it is; None: it has said nothing yet.
        ended_ms: when it was over; 0: it goes on.
        outcome: what became of it; None while it goes on.
        stop: ends it early.
    """

    spec: DriverSpec
    order: Order
    began_ms: int
    halted: tuple[str, ...]
    step: Step | None = None
    ended_ms: int = 0
    outcome: Outcome | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def follow(self, step: Step) -> None:
        """It has come so far."""
        self.step = step


class Prober:
    """One search at a time; the last one is kept until the next begins.

    Args:
        devices: those of the gateway.
        find: the drivers that can look for devices, by name; loaded when somebody asks.
        now_ms: the gateway's clock.

    Attributes:
        last: the search that goes on, or the last one; None: there was none.
    """

    def __init__(
        self,
        devices: Fleet,
        find: Callable[[], Mapping[str, DriverSpec]],
        now_ms: Callable[[], int],
    ) -> None:
        self._devices = devices
        self._find = find
        self._now_ms = now_ms
        self._begun = asyncio.Event()
        self.last: Search | None = None

    @cached_property
    def drivers(self) -> Mapping[str, DriverSpec]:
        """Those that can look for devices."""
        return self._find()

    @property
    def usual_driver(self) -> str:
        """That of the last search, else of most devices of the gateway, else any."""
        if self.last is not None:
            return self.last.order.driver
        own = Counter(one.record.driver for one in self._devices)
        return max(self.drivers, key=lambda name: own[name], default="")

    @property
    def is_busy(self) -> bool:
        """Whether a search goes on."""
        return self.last is not None and self.last.outcome is None

    def ports(self) -> list[str]:
        """Serial ports in which one may look: those of the box, and those that devices name."""
        own = {path for one in self._devices if (path := _serial(one))}
        return sorted({*ports(), *own})

    async def demand_allowed(self, reach: Reach) -> None:
        """Look whether a search may look there.

        Raises:
            NotAllowedError: it is no serial port, has no address, or is on the internet.
        """
        if reach.serial and _real(reach.serial) not in map(_real, self.ports()):
            raise NotAllowedError("port", reach.serial)
        own = {place.host for one in self._devices if (place := place_of(one.model.endpoint))}
        for host in reach.hosts:
            found = await _addresses(host)
            if host.lower() not in own and any(map(is_of_the_internet, found)):
                raise NotAllowedError("internet", host)

    async def users(self, reach: Reach) -> list[str]:
        """Devices that the gateway reads there now."""
        names = {name for host in reach.hosts for name in (host.lower(), *await _addresses(host))}
        return [
            one.model.id for one in self._devices if one.is_running and _is_at(one, reach, names)
        ]

    def begin(self, order: Order, halted: Sequence[str]) -> None:
        """Have it looked for.

        Args:
            order: what.
            halted: devices of the gateway that are to be stopped meanwhile.

        Raises:
            NotAllowedError: another search goes on.
        """
        if self.is_busy:
            raise NotAllowedError("busy")
        self.last = Search(self.drivers[order.driver], order, self._now_ms(), tuple(halted))
        self._begun.set()

    def stop(self) -> None:
        """End the search that goes on."""
        if self.last is not None:
            self.last.stop.set()

    async def run(self) -> None:
        """Carry searches out, one after another, until cancelled."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            if self.last is not None:
                await self._search(self.last)

    async def _search(self, search: Search) -> None:
        order = search.order
        _log.info("%s has %s looked into by driver %s", order.who, order.url, order.driver)
        outcome = Outcome(None, "")
        try:
            async with self._halted(search.halted):
                outcome = await searched(order, search.follow, search.stop)
        except Exception as error:  # noqa: BLE001 - no search may end the gateway
            outcome = Outcome(None, f"{type(error).__name__}: {error}")
        finally:
            search.ended_ms, search.outcome = self._now_ms(), outcome
        found = len(outcome.report.devices) if outcome.report else 0
        _log.info("the look into %s is over; devices found: %d", order.url, found)

    @asynccontextmanager
    async def _halted(self, devices: Sequence[str]) -> AsyncIterator[None]:
        """Stop devices for so long; whoever stops or starts one meanwhile is not heeded."""
        try:
            for one in devices:
                with suppress(NoSuchDeviceError):
                    await self._devices.stop(one)
            yield
        finally:
            for one in devices:
                with suppress(NoSuchDeviceError):
                    await self._devices.start(one)


def _is_at(device: DeviceRuntime, reach: Reach, names: set[str]) -> bool:
    if reach.serial:
        path = _serial(device)
        return bool(path) and _real(path) == _real(reach.serial)
    place = place_of(device.model.endpoint)
    return place is not None and place.host in names and reach.port in (None, place.port)


def _serial(device: DeviceRuntime) -> str:
    """The path of its serial port; empty: it has none."""
    serial = getattr(device.model.resolved.connection, "serial", None)
    return str(serial.port) if serial is not None else ""


def _real(path: str) -> str:
    """A port has several names."""
    return str(Path(path).resolve())


async def _addresses(host: str) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotAllowedError("name", host) from error
    return [str(one[4][0]) for one in found]
