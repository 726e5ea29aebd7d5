"""The links of the running devices: who shares one, its settings, and who may connect."""

import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.api import Driver, DriverError
from gateway.drivers.spec import DriverSpec, Link
from gateway.edge.device.turns import Alone, Starts, Turn, Turns
from gateway.edge.live.records import LinkLoad
from gateway.edge.live.view import Live

AT_ONE_SERVER = 8
"""So many devices connect to one server at a time, and subscribe there."""
AT_ONCE = 16
"""So many of the whole gateway begin at a time: each costs it some 20 ms."""
BEGIN_S = 0.5
"""One that has not connected after so long waits for the network; the next may begin."""

Place = Callable[[], AbstractAsyncContextManager[object]]


class Way(NamedTuple):
    """How a device is reached.

    Attributes:
        make: makes its driver.
        turn: its turn on what it shares with others, or with nobody.
        start: gives it the place that it must have while it connects and subscribes.
    """

    make: Callable[[], Driver]
    turn: Turn
    start: Place


_Key = tuple[str, Hashable]


@dataclass(slots=True)
class _Shared:
    """One link.

    Attributes:
        link: the driver's own.
        turns: on it.
        load: shown to people.
        connections: of its devices by id, the one that was configured last at the end.
    """

    link: Link
    turns: Turns
    load: LinkLoad
    connections: dict[str, Any] = field(default_factory=dict)


class Links:
    """Makes a link when the first device of its key comes, and forgets it with the last.

    Args:
        specs: drivers by name.
        live: shows the links.
        seconds: a clock that never steps.
    """

    def __init__(
        self,
        specs: Mapping[str, DriverSpec],
        live: Live,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._specs = specs
        self._live = live
        self._seconds = seconds
        self._shared: dict[_Key, _Shared] = {}
        self._keys: dict[str, _Key] = {}
        self._box = Starts(AT_ONCE, BEGIN_S)
        self._servers: WeakValueDictionary[_Key, Starts] = WeakValueDictionary()
        self._loaded: set[str] = set()

    def join(self, device: ResolvedDevice) -> Way:
        """How to reach a device from now on: over the link of its key, or on its own.

        What it says of the link holds for all devices there: the latest word counts.
        """
        spec = self._specs[device.config.driver]
        if spec.link is None:
            self.leave(device.config.id)
            self._load(spec, device.connection)
            make = partial(spec.make, device.connection)
            own = Turns(Alone(), LinkLoad(device.config.id), self._seconds)
            return Way(make, own.of_one_device(), self._start_at(spec, device.connection))
        key = spec.name, spec.link.key(device.connection)
        if self._keys.get(device.config.id) != key:
            self.leave(device.config.id)
        shared = self._shared.get(key) or self._made(key, spec, device.connection)
        self._keys[device.config.id] = key
        shared.connections.pop(device.config.id, None)
        shared.connections[device.config.id] = device.connection
        _tell(shared)
        make = partial(shared.link.driver, device.connection)
        return Way(make, shared.turns.of_one_device(), nullcontext)

    def _load(self, spec: DriverSpec, connection: Any) -> None:
        """Import a driver's library now, which takes half a second, and not while others wait."""
        if spec.name not in self._loaded:
            self._loaded.add(spec.name)
            with suppress(DriverError):  # whoever needs it is told then
                spec.make(connection)

    def _start_at(self, spec: DriverSpec, connection: Any) -> Place:
        key = spec.name, spec.endpoint(connection)
        server = self._servers.get(key)
        if server is None:
            server = self._servers[key] = Starts(AT_ONE_SERVER)

        @asynccontextmanager
        async def start() -> AsyncIterator[None]:
            async with server.place(), self._box.place():
                yield

        return start

    def leave(self, device: str) -> None:
        """A device has gone, or is going to be reached in another way."""
        key = self._keys.pop(device, None)
        if key is None:
            return
        shared = self._shared[key]
        del shared.connections[device]
        if shared.connections:
            _tell(shared)
        else:
            del self._shared[key]
            self._live.remove_shared_link(shared.load)

    def _made(self, key: _Key, spec: DriverSpec, connection: Any) -> _Shared:
        assert spec.link is not None  # noqa: S101 - it has a key
        link = spec.link.make([connection])
        load = LinkLoad(f"{spec.name} link {spec.endpoint(connection)}")
        self._live.add_shared_link(load)
        shared = self._shared[key] = _Shared(link, Turns(link, load, self._seconds), load)
        return shared


def _tell(shared: _Shared) -> None:
    """Let a link follow what its devices say of it now."""
    shared.load.members = tuple(shared.connections)
    # The latest first: what it says counts.
    shared.link.configure(list(shared.connections.values())[::-1])
