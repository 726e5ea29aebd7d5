"""The links of the running devices: who shares one, and what its settings are."""

import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.api import Driver, DriverSpec, Link
from gateway.edge.device.turns import Turns
from gateway.edge.live.records import LinkLoad
from gateway.edge.live.view import Live

Way = tuple[Callable[[], Driver], AbstractAsyncContextManager[object]]
"""How a device is reached: what makes its driver, and its turn on what it shares with others."""

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

    def join(self, device: ResolvedDevice) -> Way:
        """How to reach a device from now on: over the link of its key, or on its own.

        What it says of the link holds for all devices there: the latest word counts.
        """
        spec = self._specs[device.config.driver]
        if spec.link is None:
            self.leave(device.config.id)
            return partial(spec.make, device.connection), nullcontext()
        key = spec.name, spec.link.key(device.connection)
        if self._keys.get(device.config.id) != key:
            self.leave(device.config.id)
        shared = self._shared.get(key) or self._made(key, spec, device.connection)
        self._keys[device.config.id] = key
        shared.connections.pop(device.config.id, None)
        shared.connections[device.config.id] = device.connection
        _tell(shared)
        return partial(shared.link.driver, device.connection), shared.turns.of_one_device()

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
    shared.load.devices = len(shared.connections)
    # The latest first: what it says counts.
    shared.link.configure(list(shared.connections.values())[::-1])
