"""Running devices that share one link, and what the kit may expect of them."""

# ruff: noqa: S101 - these are tests

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from edge_config.models.validation import validated
from gateway.drivers.api import Driver, Point, Value
from gateway.drivers.kit.bench import Action, values_of
from gateway.drivers.spec import DriverSpec, Link, LinkSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkBench:
    """Running devices that share one link, and what the kit may expect of them.

    Attributes:
        spec: the driver under test.
        one: ``connection:`` of a device, as an operator writes it.
        other: the same of another device on the same link.
        silent: the same of a device on it that does not answer; give it a short time-out.
        elsewhere: the same of a device that is reached by another link.
        address: an ``address:`` that the first two have.
        values: what they hold there, one each; they differ.
        stop: take away what they are reached by; its connections break.
        start: bring it back at the same endpoint.
        stall: make it hold back answers.
        resume: let them through again, first what was held back.
        connections: how many are open now.
        opened: how many were opened so far; may be left out.
        at_once: most requests so far that were under way at one time; may be left out.
        changed: ``connection:`` of the first device with other settings of the link.
        deadline_s: longest wait for anything, seconds.
    """

    spec: DriverSpec
    one: Mapping[str, Any]
    other: Mapping[str, Any]
    silent: Mapping[str, Any]
    elsewhere: Mapping[str, Any]
    address: Any
    values: tuple[Value, Value]
    stop: Action
    start: Action
    stall: Action
    resume: Action
    connections: Callable[[], int]
    opened: Callable[[], int] | None = None
    at_once: Callable[[], int] | None = None
    changed: Mapping[str, Any] | None = None
    deadline_s: float = 15.0

    @property
    def rules(self) -> LinkSpec:
        """How the driver's devices share links."""
        assert self.spec.link is not None, "LinkConformance is for a SPEC with a link"
        return self.spec.link

    def connection(self, written: Mapping[str, Any]) -> Any:
        """A valid connection."""
        return validated(self.spec.connection, written)

    def key(self, written: Mapping[str, Any]) -> Any:
        """The link of a connection."""
        return self.rules.key(self.connection(written))

    def points(self) -> Sequence[Point]:
        """The one point of each device."""
        address = validated(self.spec.address, self.address)
        return [Point("tag", self.spec.kind(address), address)]

    def link(self) -> Link:
        """A new link, made for all of its devices."""
        written = (self.one, self.other, self.silent)
        return self.rules.make([self.connection(each) for each in written])

    def driver(self, link: Link, written: Mapping[str, Any]) -> Driver:
        """A driver of the link."""
        return link.driver(self.connection(written))

    @asynccontextmanager
    async def connected(self, link: Link, *written: Mapping[str, Any]) -> AsyncIterator[list[Any]]:
        """Connected drivers of the link that are closed at the end, and their plans."""
        drivers = [self.driver(link, each) for each in written]
        try:
            async with asyncio.timeout(self.deadline_s):
                for driver in drivers:
                    await driver.connect()
            yield [(driver, driver.plan(self.points())) for driver in drivers]
        finally:
            async with asyncio.timeout(self.deadline_s):
                for driver in drivers:
                    await driver.close()

    async def value(self, device: tuple[Driver, Any]) -> Value:
        """Read one device once; it must be GOOD."""
        driver, plan = device
        async with asyncio.timeout(self.deadline_s):
            reading = await driver.read(plan)
        assert not reading.status.any(), "a living device is GOOD"
        (value,) = values_of(self.points(), reading)
        return value
