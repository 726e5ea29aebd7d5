"""The links of the running devices, and their turns on them."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.api import Driver, DriverSpec, Link

Way = tuple[Callable[[], Driver], AbstractAsyncContextManager[object]]
"""How a device is reached: what makes its driver, and its turn on what it shares with others.

A device waits for one turn at a time and turns are granted in the order in which they were asked
for, so each has its own before another has its second.
"""

_Key = tuple[str, Hashable]


class Links:
    """Makes each link once, for all devices that have its key.

    Args:
        devices: all that are configured.
        specs: drivers by name.
    """

    def __init__(self, devices: Iterable[ResolvedDevice], specs: Mapping[str, DriverSpec]) -> None:
        self._specs = specs
        self._connections: dict[_Key, list[Any]] = {}
        self._made: dict[_Key, tuple[Link, asyncio.Semaphore]] = {}
        for device in devices:
            key = self._key(device)
            if key is not None:
                self._connections.setdefault(key, []).append(device.connection)

    def _key(self, device: ResolvedDevice) -> _Key | None:
        spec = self._specs[device.config.driver].link
        return None if spec is None else (device.config.driver, spec.key(device.connection))

    def way(self, device: ResolvedDevice) -> Way:
        """How to reach a device: over the link of its key, or on its own."""
        key = self._key(device)
        spec = self._specs[device.config.driver]
        if key is None or spec.link is None:
            return partial(spec.make, device.connection), nullcontext()
        if key not in self._made:
            link = spec.link.make(self._connections.get(key, [device.connection]))
            self._made[key] = link, asyncio.Semaphore(link.turns)
        link, turns = self._made[key]
        return partial(link.driver, device.connection), turns
