"""Several consumers of one buffer: each has its own cursor, quota and acknowledgement."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer, read_books
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.storage.consumers import Consumer, QuotaRule
from gateway.edge.northbound.session import Northbound
from tests.edge.buffers import commit, frame
from tests.edge.city import City
from tests.edge.test_northbound import Sender
from tests.support.broker import Mosquitto
from tests.support.clocks import FixedClock
from tests.support.consumers import for_city
from tests.support.waiting import until

MUCH = QuotaRule(1 << 30, 1 << 50)
NAMES = ("city", "plant", "other")


def consumers(*names: str, begin: str = "oldest", quota: QuotaRule = MUCH) -> list[Consumer]:
    return [Consumer("city", MUCH), *(Consumer(name, quota, begin) for name in names)]  # type: ignore[arg-type]


def held(buffer: Buffer, name: str) -> list[int]:
    return [one.seq for one in buffer.outlets[name].read(0, 1 << 40)]


def rows(buffer: Buffer) -> int:
    return int(buffer._writer.execute("SELECT count(*) FROM frame").fetchone()[0])


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 3)),
        st.tuples(st.sampled_from(NAMES), st.tuples(st.integers(0, 9), st.integers(0, 9))),
        st.tuples(st.just("reopen"), st.sets(st.sampled_from(NAMES[1:]))),
    ),
    max_size=14,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, begin=st.sampled_from(["oldest", "now"]))
def test_each_has_its_own_frames_and_they_are_freed_when_all_have_them(
    tmp_path: Path, steps: list, begin: str
) -> None:
    path = tmp_path / f"{os.urandom(8).hex()}.db"
    buffer = Buffer.open(path, consumers())
    waiting: dict[str, set[int]] = {"city": set()}
    last = 0
    for what, detail in steps:
        if what == "append":
            buffer.append(commit(*(frame(1) for _ in range(detail))), 0)
            for _ in range(detail):
                last += 1
                for one in waiting.values():
                    one.add(last)
        elif what == "reopen":
            buffer.close()
            buffer = Buffer.open(path, consumers(*sorted(detail), begin=begin))
            everything = set().union(*waiting.values())
            fresh = everything if begin == "oldest" else set()
            waiting = {name: waiting.get(name, set(fresh)) for name in ("city", *detail)}
        elif what in waiting:
            upto, above = detail
            ranges = [(above, above)] if upto < above <= last else []
            buffer.outlets[what].acknowledge(upto, ranges)
            buffer.append(Commit(), 0)
            waiting[what] -= {seq for seq in waiting[what] if seq <= upto or (seq, seq) in ranges}
        for name, seqs in waiting.items():
            outlet = buffer.outlets[name]
            assert held(buffer, name) == sorted(seqs)
            assert outlet.pending().frames == outlet.pending().values == len(seqs)
            assert outlet.given_up().held_from == min(seqs, default=last + 1)
        assert rows(buffer) == len(set().union(*waiting.values()))
    assert buffer.totals().dropped == {}
    buffer.close()


def test_the_quota_of_another_consumer_is_its_own_matter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    little = consumers("plant", quota=QuotaRule(3_500, 1 << 50))
    buffer = Buffer.open(tmp_path / "b.db", little)
    for _ in range(10):
        assert buffer.append(commit(frame(2, 1_000)), 0).gaps == ()
    assert (held(buffer, "city"), held(buffer, "plant")) == (list(range(1, 11)), [8, 9, 10])
    assert buffer.totals().dropped == {}
    lines = [line for line in caplog.messages if "its quota is full" in line]
    assert len(lines) == 1 and "northbound plant" in lines[0]
    buffer.outlets["city"].acknowledge(10)
    buffer.append(Commit(), 0)
    assert rows(buffer) == 3
    buffer.close()


def test_the_quota_of_the_city_costs_another_consumer_nothing(tmp_path: Path) -> None:
    both = [*for_city(3_500, 1 << 50), Consumer("plant", MUCH)]
    buffer = Buffer.open(tmp_path / "b.db", both)
    for at in range(10):
        buffer.append(commit(frame(2, 1_000, at_ms=at)), 0)
    assert (held(buffer, "city"), held(buffer, "plant")) == ([8, 9, 10], list(range(1, 11)))
    assert buffer.totals().dropped == {"quota": 14}
    assert {gap.cause for gap in buffer.gaps()} == {Reason.QUOTA}
    assert read_books(tmp_path / "b.db").pending.values == 6  # of the city
    buffer.close()


def test_one_that_takes_the_place_of_another_gets_what_was_held_for_it(tmp_path: Path) -> None:
    buffer = Buffer.open(tmp_path / "b.db", consumers("old"))
    buffer.append(commit(frame(1), frame(1)), 0)
    buffer.city.acknowledge(2)
    buffer.append(Commit(), 0)
    buffer.close()
    buffer = Buffer.open(tmp_path / "b.db", consumers("new"))
    assert (held(buffer, "city"), held(buffer, "new")) == ([], [1, 2])
    buffer.close()
    buffer = Buffer.open(tmp_path / "b.db", consumers())
    assert rows(buffer) == 0
    buffer.close()


class TwoWays(Sender):
    """A buffer with two northbounds, each to a broker of its own."""

    def __init__(self, folder: Path, city: str, plant: str) -> None:
        self.consumers = consumers("plant")
        super().__init__(folder, city)
        self.plant_wake = asyncio.Event()
        options = {"url": plant, "name": "plant", "retry_max_ms": 1_000, "ack_timeout_ms": 2_000}
        self.plant = Northbound(
            config=validated(QulinkNorthbound, options),
            gateway="gw",
            software="1",
            outlet=self.buffer.outlets["plant"],
            wake=self.plant_wake,
            live=self.live,
            clock=FixedClock(1),
            unstored=self.unstored,
        )

    def feed(self, frames: int, *, schema: bool = True) -> None:
        super().feed(frames, schema=schema)
        self.plant_wake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["TwoWays"]:
        task = asyncio.create_task(self.plant.run())
        async with super().running():
            yield self
            self.plant.close()
            async with asyncio.timeout(60):
                await task


async def test_two_brokers_of_which_one_is_away(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    options = "allow_anonymous true\nset_tcp_nodelay true"
    with Mosquitto(tmp_path / "one", options) as near, Mosquitto(tmp_path / "two", options) as far:
        city, plant = City(near.port, "gw"), City(far.port, "gw")
        city.unstored, plant.unstored = {"line-1": (1, 5)}, {"line-2": (1, 5)}
        sender = TwoWays(tmp_path, near.url, far.url)
        async with city.running(), plant.running(), sender.running():
            sender.feed(5)
            # Not only until both hold it: what they acknowledged must not die with the broker.
            async with asyncio.timeout(60):
                await sender.plant.drain(sender.flush)
            assert len(plant.points) == 5
            await asyncio.to_thread(far.stop, kill=True)
            await until(lambda: not sender.live.northbound("plant").connected)
            sender.feed(300)
            async with asyncio.timeout(60):
                await sender.north.drain(sender.flush)
            assert sender.live.northbound().connected
            assert sender.buffer.city.pending().frames == 0
            assert len(held(sender.buffer, "plant")) == 300
            await asyncio.to_thread(far.start)
            async with asyncio.timeout(60):
                await sender.plant.drain(sender.flush)
            assert city.points == plant.points and len(plant.points) == 305
            assert rows(sender.buffer) == 0
            assert sender.buffer.totals().dropped == {}
            # The store of the city is the one that must hold the newest state of each tag.
            assert sender.unstored.due(0.0) == {"line-1": 5}
