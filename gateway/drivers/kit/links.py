"""The rules of links, for drivers whose ``SPEC`` offers them. See ``conformance``."""

# ruff: noqa: S101 - these are tests

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import pytest

from edge_config.models.validation import validated
from gateway.drivers.api import (
    Driver,
    DriverError,
    NoResponseError,
    NotConnectedError,
    Point,
    Value,
)
from gateway.drivers.kit.bench import (
    Action,
    endless,
    eventually,
    needs,
    open_files,
    values_of,
)
from gateway.drivers.spec import DriverSpec, Link, LinkSpec

HASTE_S = 0.05
"""A reading that is cut off so soon has had no answer from a silent device yet."""


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


class LinkConformance:
    """Inherit it beside ``DriverConformance`` and give it a ``links`` fixture."""

    @pytest.fixture
    async def links(self) -> AsyncIterator[LinkBench]:
        """The devices under test; every driver brings its own."""
        raise NotImplementedError("give the test class a 'links' fixture that yields a LinkBench")
        yield  # pragma: no cover

    def test_d22_the_key_says_who_shares(self, links: LinkBench) -> None:
        """D-22: a key is hashable, the same each time, and differs from another link's."""
        key = links.key(links.one)
        assert hash(key) == hash(links.key(links.one))
        assert key == links.key(links.one) == links.key(links.other) == links.key(links.silent)
        assert key != links.key(links.elsewhere)

    def test_d22_making_a_link_does_no_io(
        self, links: LinkBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """D-22: neither ``make`` nor ``driver`` nor ``configure`` opens anything."""
        links.driver(links.link(), links.one)  # imports are over

        def forbidden(*_: Any, **__: Any) -> NoReturn:
            pytest.fail("D-22: making a link opened a socket")

        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", forbidden)
            patch.setattr(socket, "getaddrinfo", forbidden)
            link = links.link()
            links.driver(link, links.one)
            link.configure([links.connection(links.one)])

    async def test_d23_each_device_has_its_own_values(self, links: LinkBench) -> None:
        """D-23: devices of one link do not mix, in whatever order they are read."""
        async with links.connected(links.link(), links.one, links.other) as (one, other):
            for device, expected in zip(
                (one, other, other, one, other, one), (0, 1, 1, 0, 1, 0), strict=True
            ):
                assert await links.value(device) == links.values[expected], "D-23: values mix"

    async def test_d24_no_more_at_once_than_turns(self, links: LinkBench) -> None:
        """D-24: as many readings as there are turns work side by side; no more is opened."""
        link = links.link()
        async with links.connected(link, links.one, links.other) as devices:
            for _ in range(10):
                assert link.turns >= 1, "D-24: a link has at least one turn"
                beside = devices[: link.turns]
                values = await asyncio.gather(*(links.value(device) for device in beside))
                assert values == list(links.values[: len(beside)])
                assert links.connections() <= max(link.turns, 1), "D-24: too many connections"
        if links.at_once is not None:
            assert links.at_once() <= link.turns, "D-24: too many requests at once"

    async def test_d25_a_silent_device_costs_its_own_time_only(self, links: LinkBench) -> None:
        """D-25: ``NoResponseError``, and the others are read over the same connection."""
        link, opened = links.link(), links.opened or links.connections
        async with links.connected(link, links.one, links.silent) as (one, silent):
            for _ in range(3):
                assert await links.value(one) == links.values[0]
                before = opened()
                with pytest.raises(NoResponseError):
                    async with asyncio.timeout(links.deadline_s):
                        await silent[0].read(silent[1])
                assert await links.value(one) == links.values[0]
                assert opened() == before, "D-25: the connection of all was closed"

    async def test_d25_who_waited_has_his_whole_time(self, links: LinkBench) -> None:
        """D-25: the time-out of a reading begins with its turn, whatever was before."""
        link = links.link()
        async with links.connected(link, links.one, links.silent) as (one, silent):
            assert await links.value(one) == links.values[0]
            with pytest.raises(NoResponseError):
                await silent[0].read(silent[1])
            await links.stall()
            reading = asyncio.create_task(links.value(one))
            await asyncio.sleep(HASTE_S)
            await links.resume()
            assert await reading == links.values[0]

    async def test_d25_a_reading_that_is_cut_off_spoils_no_other(self, links: LinkBench) -> None:
        """D-25: after the poller's time-out for one device the next one's values are right."""
        link = links.link()
        async with links.connected(link, links.one, links.other) as (one, other):
            for _ in range(3):
                await links.stall()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(HASTE_S):
                        await one[0].read(one[1])
                await links.resume()
                assert await links.value(other) == links.values[1]
                assert await links.value(one) == links.values[0]

    async def test_d26_who_leaves_takes_nothing_from_the_others(self, links: LinkBench) -> None:
        """D-26: a device that closes leaves the link to the others, and may come back."""
        link = links.link()
        async with links.connected(link, links.one, links.other) as (one, other):
            await one[0].close()
            assert await links.value(other) == links.values[1]
            with pytest.raises(NotConnectedError):
                await one[0].read(one[1])
            await one[0].connect()
            assert await links.value(one) == links.values[0]

    async def test_d26_a_link_that_nobody_uses_holds_nothing(self, links: LinkBench) -> None:
        """D-26: no task, no file, no connection is left when all are closed; it can be used."""
        link = links.link()
        before = asyncio.all_tasks()

        async def use() -> None:
            async with links.connected(link, links.one, links.other) as devices:
                for device in devices:
                    await links.value(device)

        await use()
        assert await eventually(links.deadline_s, lambda: links.connections() == 0), (
            "D-26: left open"
        )
        gc.collect()
        files = open_files()
        await use()
        assert await eventually(links.deadline_s, lambda: open_files() <= files), (
            "D-26: files stay open"
        )
        left = asyncio.all_tasks() - before
        assert await eventually(links.deadline_s, lambda: all(task.done() for task in left)), left

    async def test_d27_all_are_read_again_after_the_link_was_lost(self, links: LinkBench) -> None:
        """D-27: a loss is told to each device, and each works again with its driver and plan."""
        link = links.link()
        async with links.connected(link, links.one, links.other) as devices:
            await links.stop()
            for driver, plan in devices:
                with pytest.raises(DriverError):
                    async with asyncio.timeout(links.deadline_s):
                        await endless(partial(driver.read, plan))
                await driver.close()
            await links.start()
            async with asyncio.timeout(links.deadline_s):
                for driver, _ in devices:
                    await driver.connect()
            assert [await links.value(device) for device in devices] == list(links.values)

    async def test_d28_changed_settings_are_followed(self, links: LinkBench) -> None:
        """D-28: ``configure`` comes at any time; devices go on, maybe over a new connection."""
        changed = needs(
            links.spec, "D-28", links.changed, "a connection with other settings of the link"
        )
        link = links.link()
        async with links.connected(link, links.one, links.other) as devices:
            for written in (changed, links.one, links.one):
                link.configure([links.connection(each) for each in (written, links.other)])
                assert link.turns >= 1
                for device, expected in zip(devices, links.values, strict=True):
                    try:
                        value = await links.value(device)
                    except NotConnectedError:
                        await device[0].connect()
                        value = await links.value(device)
                    assert value == expected
