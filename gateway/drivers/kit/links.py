"""The rules of links, for drivers whose ``SPEC`` offers them. See ``conformance``."""

# ruff: noqa: S101 - these are tests

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NoReturn

import pytest

from gateway.core.status import Reason
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
)
from gateway.drivers.kit.bench import (
    HASTE_S,
    connected_again,
    endless,
    eventually,
    needs,
    open_files,
)
from gateway.drivers.kit.link_bench import LinkBench
from gateway.drivers.kit.neighbours import Neighbour, late_answers


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

    async def test_d20_silence_is_no_loss(self, links: LinkBench) -> None:
        """D-20: a device that is silent, while its link stands, is ``NoResponseError``."""
        async with links.connected(links.link(), links.one, links.silent) as (_, silent):
            async with asyncio.timeout(links.deadline_s):
                with pytest.raises(NoResponseError) as caught:
                    await silent[0].read(silent[1])
            assert caught.value.reason is not Reason.NONE, "D-20: with its reason"

    async def test_d25_a_silent_device_costs_its_own_time_only(self, links: LinkBench) -> None:
        """D-25: the others are read over the same connection after a device was silent."""
        link, opened = links.link(), links.opened or links.connections
        async with links.connected(link, links.one, links.silent) as (one, silent):
            for _ in range(3):
                assert await links.value(one) == links.values[0]
                before = opened()
                with pytest.raises(DriverError):
                    async with asyncio.timeout(links.deadline_s):
                        await silent[0].read(silent[1])
                assert await links.value(one) == links.values[0]
                assert opened() == before, "D-25: the connection of all was closed"

    async def test_d25_who_waited_has_his_whole_time(self, links: LinkBench) -> None:
        """D-25: the time-out of a reading begins with its turn, whatever was before."""
        link = links.link()
        async with links.connected(link, links.one, links.silent) as (one, silent):
            assert await links.value(one) == links.values[0]
            with pytest.raises(DriverError):
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

    async def test_d29_a_late_answer_is_never_another_devices(self, links: LinkBench) -> None:
        """D-29: what one device answers late is never taken for the answer of another."""

        @asynccontextmanager
        async def connected() -> AsyncIterator[tuple[Neighbour, Neighbour]]:
            async with links.connected(links.link(), links.one, links.other) as devices:
                one, other = (
                    Neighbour(driver, links.points(), [value], links.deadline_s)
                    for (driver, _), value in zip(devices, links.values, strict=True)
                )
                yield one, other

        await late_answers(connected, links.stall, links.resume)

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
                    await connected_again(driver)
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
