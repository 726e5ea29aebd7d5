"""The conformance kit: what every driver must prove, as one test class to inherit.

A driver's test module needs a few lines (pytest, and pytest-asyncio in its auto mode)::

    class TestMyDriver(DriverConformance):
        @pytest.fixture
        async def bench(self) -> AsyncIterator[Bench]:
            async with my_simulator() as sim:
                yield Bench(SPEC, connection=…, dead=…, good=…, stop=sim.stop, start=sim.start)

Rule numbers are those of ``docs/driver-contract.md``. A rule that a bench cannot exercise (no
writable point, say) is skipped with what the bench lacks; rules of subscriptions and of refusals
are classes of their own, for the drivers that have them.
"""

# ruff: noqa: S101, S603 - these are tests, and the only command is this interpreter

import ast
import asyncio
import gc
import inspect
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeGuard, cast

import numpy as np
import pytest
from pydantic import ValidationError

from gateway.core.batch import Reading
from gateway.core.schema import Kind, runs_of
from gateway.core.status import FIRST_BAD, Reason, reason_of
from gateway.drivers.api import (
    Arrivals,
    Driver,
    DriverError,
    DriverSpec,
    NotConnectedError,
    Point,
    RefusedError,
    SubscribingDriver,
    Value,
)

Action = Callable[[], Awaitable[None]]
SUBSCRIPTION_INTERVAL_MS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A running device and what the kit may expect of it.

    Attributes:
        spec: the driver under test.
        connection: ``connection:`` of the running device, as an operator writes it.
        dead: the same for an address where nobody listens.
        good: values that stay as they are while a test runs, by their ``address:`` (pairs of
            address and expected value); at least two, best of several kinds.
        unknown: an address that the driver accepts and the device does not have.
        stop: take the device away; its connections break.
        start: bring it back at the same endpoint.
        writable: an address and a value to write and read back.
        read_only: an address and a value that cannot be written.
        refused: a ``connection:`` that the device refuses (wrong password).
        stall: make the device hold back its answers (a late answer must harm nobody).
        resume: let it answer again, the held back answers first if it can.
        change: make the value of the first good address change (drivers that subscribe).
        libraries: protocol libraries that importing the ``SPEC`` must not import.
        deadline_s: longest wait for anything, seconds.
    """

    spec: DriverSpec
    connection: Mapping[str, Any]
    dead: Mapping[str, Any]
    good: Sequence[tuple[Any, Value]]
    stop: Action
    start: Action
    unknown: Any = None
    writable: tuple[Any, Value] | None = None
    read_only: tuple[Any, Value] | None = None
    refused: Mapping[str, Any] | None = None
    stall: Action | None = None
    resume: Action | None = None
    change: Action | None = None
    libraries: tuple[str, ...] = ()
    deadline_s: float = 15.0

    def driver(self, connection: Mapping[str, Any] | None = None) -> Driver:
        """A new driver, for the running device unless another connection is given."""
        return self.spec.make(self.spec.connection.model_validate(connection or self.connection))

    def point(self, raw: Any, name: str = "tag") -> Point:
        """A point from its address as an operator writes it."""
        address = self.spec.address.model_validate(raw)
        return Point(name, self.spec.kind(address), address)

    def points(self) -> list[Point]:
        """The good points."""
        return [self.point(raw, f"good_{i}") for i, (raw, _) in enumerate(self.good)]

    @property
    def expected(self) -> list[Value]:
        """The values of the good points."""
        return [value for _, value in self.good]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Driver]:
        """A connected driver that is closed at the end."""
        driver = self.driver()
        try:
            async with asyncio.timeout(self.deadline_s):
                await driver.connect()
            yield driver
        finally:
            await driver.close()

    async def read(self, driver: Driver, points: Sequence[Point]) -> Reading:
        """Plan and read under the deadline."""
        async with asyncio.timeout(self.deadline_s):
            return await driver.read(driver.plan(points))


def values_of(points: Sequence[Point], reading: Reading) -> list[Value]:
    """The values of a reading one by one; checks its shape on the way."""
    runs = runs_of(point.kind for point in points)
    assert len(reading.status) == len(points), "D-03: one status a point"
    assert reading.status.dtype == np.uint8, "D-03: status is uint8"
    assert len(reading.columns) == len(runs), "D-03: one column a run of kinds"
    for run, column in zip(runs, reading.columns, strict=True):
        assert column.dtype == run.kind.dtype, f"D-03: {run.kind.name} is {run.kind.dtype}"
        assert column.shape == (len(run),), "D-03: one value a point"
    return [value for column in reading.columns for value in column.tolist()]


class DriverConformance:
    """Inherit it and give it a ``bench`` fixture."""

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        """The device under test; every driver brings its own."""
        raise NotImplementedError("give the test class a 'bench' fixture that yields a Bench")
        yield  # pragma: no cover

    def test_d01_making_a_driver_does_no_io(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """D-01: ``make`` opens nothing."""
        bench.driver()  # imports are over

        def forbidden(*_: Any, **__: Any) -> NoReturn:
            pytest.fail("D-01: make() opened a socket")

        monkeypatch.setattr(socket, "socket", forbidden)
        monkeypatch.setattr(socket, "getaddrinfo", forbidden)
        bench.driver()

    async def test_d02_nobody_there_is_not_connected(self, bench: Bench) -> None:
        """D-02: ``connect`` says that nobody is there, may be repeated, and leaks nothing."""
        driver = bench.driver(bench.dead)
        before = _open_files()
        for _ in range(3):
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(NotConnectedError) as caught:
                    await driver.connect()
        await driver.close()
        endpoint = bench.spec.endpoint(bench.spec.connection.model_validate(bench.dead))
        assert endpoint in str(caught.value), "D-02: the message names the endpoint"
        assert await _settles(bench, lambda: _open_files() <= before), "D-02: sockets leak"

    async def test_d03_values_come_in_the_order_asked(self, bench: Bench) -> None:
        """D-03: one status a point and a column a run, in the order of the points."""
        async with bench.connected() as driver:
            for step in (1, -1):
                points = bench.points()[::step]
                reading = await bench.read(driver, points)
                assert values_of(points, reading) == bench.expected[::step]
                assert not reading.status.any(), "D-03: good values have status 0"

    async def test_d03_no_points_is_no_error(self, bench: Bench) -> None:
        """D-03: an empty plan gives an empty reading."""
        async with bench.connected() as driver:
            assert values_of([], await bench.read(driver, [])) == []

    async def test_d04_an_unknown_point_harms_only_itself(self, bench: Bench) -> None:
        """D-04: the fault of one point is its own BAD status with a reason."""
        unknown = _needs(bench.unknown, "an unknown address")
        points = [*bench.points(), bench.point(unknown, "unknown")]
        async with bench.connected() as driver:
            plan = driver.plan(points)
            for _ in range(3):  # what a driver learns must not spoil later readings
                async with asyncio.timeout(bench.deadline_s):
                    reading = await driver.read(plan)
                assert values_of(points, reading)[:-1] == bench.expected
                assert not reading.status[:-1].any(), "D-04: other points stay GOOD"
                assert reading.status[-1] >= FIRST_BAD, "D-04: an unknown point is BAD"
                assert reason_of(int(reading.status[-1])) is not Reason.NONE, "D-04: reason"

    async def test_d04_a_lost_connection_is_an_exception(self, bench: Bench) -> None:
        """D-04: a reading over a lost connection raises ``NotConnectedError``."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await bench.stop()
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(NotConnectedError):
                    while True:
                        await driver.read(plan)

    def test_d05_no_scheduling_and_no_logging(self, bench: Bench) -> None:
        """D-05: a driver neither sleeps nor logs; the poller owns both."""
        folder = Path(inspect.getfile(type(bench.driver()))).parent
        found = [f"{file.name}: {word}" for file in folder.glob("*.py") for word in _banned(file)]
        assert not found, f"D-05: {found}"

    async def test_d06_close_is_always_harmless(self, bench: Bench) -> None:
        """D-06: ``close`` never raises: before ``connect``, after it failed, twice."""
        driver = bench.driver(bench.dead)
        async with asyncio.timeout(bench.deadline_s):
            await driver.close()
            with pytest.raises(NotConnectedError):
                await driver.connect()
            await driver.close()
            await driver.close()

    async def test_d06_a_closed_driver_says_so(self, bench: Bench) -> None:
        """D-06: reading after ``close`` raises ``NotConnectedError``, and it can reconnect."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await driver.close()
            with pytest.raises(NotConnectedError):
                await driver.read(plan)
            async with asyncio.timeout(bench.deadline_s):
                await driver.connect()
                reading = await driver.read(plan)
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d06_close_is_quick_when_the_device_is_gone(self, bench: Bench) -> None:
        """D-06: ``close`` does not wait for a device that does not answer any more."""
        async with bench.connected() as driver:
            await bench.stop()
            async with asyncio.timeout(5):
                await driver.close()

    async def test_d07_a_late_answer_is_never_the_next(self, bench: Bench) -> None:
        """D-07: after a reading was given up, the next values are right."""
        stall = _needs(bench.stall, "a way to stall the device")
        resume = _needs(bench.resume, "a way to let the device answer again")
        points = bench.points()
        async with bench.connected() as driver:
            await stall()
            with pytest.raises((TimeoutError, NotConnectedError)):
                async with asyncio.timeout(0.3):
                    await driver.read(driver.plan(points[:1]))
            async with asyncio.timeout(bench.deadline_s):
                await driver.close()
                await resume()
                await driver.connect()
            reading = await bench.read(driver, points[1:])
            assert values_of(points[1:], reading) == bench.expected[1:]

    async def test_d08_works_again_after_the_device_returns(self, bench: Bench) -> None:
        """D-08: the same driver and plan work after the device went and came back."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await bench.stop()
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(DriverError):
                    while True:
                        await driver.read(plan)
                await driver.close()
                await bench.start()
                await driver.connect()
                reading = await driver.read(plan)
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d09_nothing_is_left_after_close(self, bench: Bench) -> None:
        """D-09: no task and no open file remains."""
        async with bench.connected() as driver:
            await bench.read(driver, bench.points())
        gc.collect()
        files, tasks = _open_files(), len(asyncio.all_tasks())
        for _ in range(3):
            async with bench.connected() as driver:
                await bench.read(driver, bench.points())
        assert await _settles(
            bench, lambda: _open_files() <= files and len(asyncio.all_tasks()) <= tasks
        ), f"D-09: {_open_files() - files} files, {len(asyncio.all_tasks()) - tasks} tasks left"

    async def test_d12_a_plan_needs_no_connection_and_lasts(self, bench: Bench) -> None:
        """D-12: ``plan`` is pure; a plan may be read many times, two plans do not mix."""
        driver = bench.driver()
        points = bench.points()
        plans = driver.plan(points), driver.plan(points[::-1])
        try:
            async with asyncio.timeout(bench.deadline_s):
                await driver.connect()
                for _ in range(2):
                    forth, back = [await driver.read(plan) for plan in plans]
                    assert values_of(points, forth) == bench.expected
                    assert values_of(points[::-1], back) == bench.expected[::-1]
        finally:
            await driver.close()

    def test_d13_unknown_keys_are_refused(self, bench: Bench) -> None:
        """D-13: a misspelt key of connection or address is an error, not ignored."""
        with pytest.raises(ValidationError):
            bench.spec.connection.model_validate({**bench.connection, "no_such_key": 1})
        address = bench.spec.address.model_validate(bench.good[0][0])
        raw = {**address.model_dump(exclude_none=True), "no_such_key": 1}
        with pytest.raises(ValidationError):
            bench.spec.address.model_validate(raw)

    async def test_d14_a_read_only_point_is_not_written(self, bench: Bench) -> None:
        """D-14: the driver says so, and the connection stays good."""
        raw, value = _needs(bench.read_only, "a read-only address")
        async with bench.connected() as driver:
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(DriverError) as caught:
                    await driver.write(bench.point(raw), value)
            assert not isinstance(caught.value, NotConnectedError)
            reading = await bench.read(driver, bench.points())
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d16_a_written_value_is_read_back(self, bench: Bench) -> None:
        """D-16: what was written is what is read."""
        raw, value = _needs(bench.writable, "a writable address")
        point = bench.point(raw)
        async with bench.connected() as driver:
            async with asyncio.timeout(bench.deadline_s):
                await driver.write(point, value)
            assert values_of([point], await bench.read(driver, [point])) == [value]

    def test_d15_the_spec_imports_no_protocol_library(self, bench: Bench) -> None:
        """D-15: a driver that is not used costs neither memory nor time."""
        module = bench.spec.make.__module__
        code = f"import sys, {module}; print(*sorted(sys.modules), sep='\\n')"
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        driver_module = type(bench.driver()).__module__
        loaded = set(out.stdout.split()) & {*bench.libraries, driver_module}
        assert not loaded, f"D-15: importing {module} loads {sorted(loaded)}"

    def test_d17_the_spec_describes_itself(self, bench: Bench) -> None:
        """D-17: titles in both languages, endpoint, modes and kinds are there."""
        spec = bench.spec
        assert spec.name and spec.title_zh and spec.title_en  # one line, all of them texts
        assert set(spec.modes) <= {"poll", "subscribe"} and spec.modes
        assert ":" in spec.endpoint(spec.connection.model_validate(bench.connection))
        assert all(isinstance(point.kind, Kind) for point in bench.points())
        whole = SubscribingConformance if "subscribe" in spec.modes else DriverConformance
        assert isinstance(self, whole), f"D-17: inherit {whole.__name__}; this driver subscribes"
        whole = RefusalConformance if bench.refused is not None else DriverConformance
        assert isinstance(self, whole), f"D-17: inherit {whole.__name__}; the bench refuses"
        for model in (spec.connection, spec.address):
            bare = [name for name, field in model.model_fields.items() if not field.description]
            assert not bare, f"D-17: fields without a description: {bare}"


class RefusalConformance(DriverConformance):
    """Inherit this if the device can refuse credentials or certificates."""

    async def test_d11_a_refusal_is_told_apart(self, bench: Bench) -> None:
        """D-11: wrong credentials raise ``RefusedError``."""
        driver = bench.driver(_needs(bench.refused, "a connection that is refused"))
        async with asyncio.timeout(bench.deadline_s):
            with pytest.raises(RefusedError):
                await driver.connect()
            await driver.close()


class SubscribingConformance(DriverConformance):
    """Inherit this (both, where both apply) if the driver subscribes."""

    async def test_d18_subscribed_values_arrive(self, bench: Bench) -> None:
        """D-18: every good point delivers its value and then its changes; a bad one is BAD."""
        points = bench.points()
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            status = await pushing.subscribe("group", points, SUBSCRIPTION_INTERVAL_MS)
            assert len(status) == len(points)
            assert not status.any(), "D-18: good points are accepted"
            latest = await _latest(pushing, points, set(range(len(points))))
            assert [latest[i] for i in range(len(points))] == bench.expected
            if bench.change is not None:
                await bench.change()
                assert (await _latest(pushing, points, {0}))[0] != bench.expected[0]

    async def test_d18_an_unknown_point_is_refused_alone(self, bench: Bench) -> None:
        """D-18: ``subscribe`` marks what the device does not know; the rest arrives."""
        unknown = bench.point(_needs(bench.unknown, "an unknown address"), "unknown")
        points = [*bench.points(), unknown]
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            status = await pushing.subscribe("group", points, SUBSCRIPTION_INTERVAL_MS)
            assert status[-1] >= FIRST_BAD
            assert not status[:-1].any()
            latest = await _latest(pushing, points, set(range(len(points) - 1)))
            assert [latest[i] for i in range(len(points) - 1)] == bench.expected

    async def test_d19_a_silent_subscription_is_an_exception(self, bench: Bench) -> None:
        """D-19: ``arrivals`` raises when the connection is lost."""
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            await pushing.subscribe("group", bench.points(), SUBSCRIPTION_INTERVAL_MS)
            await bench.stop()
            with pytest.raises(NotConnectedError):
                while True:
                    await pushing.arrivals()


def _needs(thing: Any, what: str) -> Any:
    if thing is None:
        pytest.skip(f"the bench has not given {what}")
    return thing


async def _latest(
    driver: SubscribingDriver, points: Sequence[Point], wanted: set[int]
) -> dict[int, Value]:
    """Wait until every wanted point has delivered; the latest value of each."""
    latest: dict[int, Value] = {}
    while not wanted <= latest.keys():
        for arrivals in await driver.arrivals():
            latest.update(_pairs(points, arrivals))
    return latest


def _pairs(points: Sequence[Point], arrivals: Arrivals) -> Iterator[tuple[int, Value]]:
    index = arrivals.index.tolist()
    assert index == sorted(index), "D-18: index ascends"
    assert len(arrivals.time_ms) == len(arrivals.status) == len(index)
    runs = runs_of(points[i].kind for i in index)
    assert [column.dtype for column in arrivals.columns] == [run.kind.dtype for run in runs]
    values = [value for column in arrivals.columns for value in column.tolist()]
    for i, value, status in zip(index, values, arrivals.status.tolist(), strict=True):
        if status < FIRST_BAD:
            yield i, value


async def _settles(bench: Bench, condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true before the deadline."""
    end = asyncio.get_running_loop().time() + min(bench.deadline_s, 5.0)
    while not condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0  # noqa: PTH208 - counts only


def _banned(file: Path) -> Iterator[str]:
    """Calls of ``sleep`` and uses of ``logging``, but for silencing a protocol library."""
    source = _SILENCING.sub("None", file.read_text(encoding="utf-8"))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr == "sleep":
            yield f"line {node.lineno}: sleep"
        if _logs(node):
            yield f"line {node.lineno}: logging"


_SILENCING = re.compile(r'logging\.getLogger\("\w+"\)\.setLevel\(logging\.CRITICAL \+ 1\)')
"""A library that logs faults (or, at DEBUG, passwords) is turned off as a whole, by its name."""


def _logs(node: ast.AST) -> TypeGuard[ast.Name | ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.Import):
        return any(one.name.startswith("logging") and one.asname for one in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "logging"
    return isinstance(node, ast.Name) and node.id == "logging"
