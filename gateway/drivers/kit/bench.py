"""What the conformance kit needs to know of a driver and its device. See ``conformance``."""

# ruff: noqa: S101, S603 - these are tests, and the only command is this interpreter

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import numpy as np
import pytest

from edge_config.models.validation import validated
from gateway.core.batch import Reading
from gateway.core.schema import runs_of
from gateway.drivers.api import Driver, NotConnectedError, Point, Value
from gateway.drivers.quality.claims import Tier, claim_of
from gateway.drivers.spec import DriverSpec

Action = Callable[[], Awaitable[None]]

HASTE_S = 0.05
"""A reading that is cut off so soon has had no answer from a stalled device yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A running device and what the kit may expect of it.

    Attributes:
        spec: the driver under test.
        connection: ``connection:`` of the running device, as an operator writes it.
        dead: the same for an address where nobody listens.
        good: values that stay as they are while a test runs, by their ``address:`` (pairs of
            address and expected value); at least two, best of several kinds.
        other: ``connection:`` of another device behind the same endpoint – another unit of a
            line, another meter of a serial server –, and what it holds at the good addresses,
            each other than the first one's. Drivers whose SPEC has a link show it by LinkBench.
        unknown: an address that the driver accepts and the device does not have.
        stop: take the device away; its connections break.
        start: bring it back at the same endpoint.
        writable: an address and a value to write and read back, other than what it holds.
        read_only: an address and a value that cannot be written.
        refused: a ``connection:`` that the device refuses (wrong password).
        stall: make the device hold back its answers (a late answer must harm nobody).
        resume: let it answer again, the held back answers first if it can.
        garble: make what the device answers unreadable, until ``resume``.
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
    other: tuple[Mapping[str, Any], Sequence[Value]] | None = None
    unknown: Any = None
    writable: tuple[Any, Value] | None = None
    read_only: tuple[Any, Value] | None = None
    refused: Mapping[str, Any] | None = None
    stall: Action | None = None
    resume: Action | None = None
    garble: Action | None = None
    change: Action | None = None
    libraries: tuple[str, ...] = ()
    deadline_s: float = 15.0

    def driver(self, connection: Mapping[str, Any] | None = None) -> Driver:
        """A new driver, for the running device unless another connection is given."""
        return self.spec.make(validated(self.spec.connection, connection or self.connection))

    def point(self, raw: Any, name: str = "tag") -> Point:
        """A point from its address as an operator writes it."""
        address = validated(self.spec.address, raw)
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
            async with asyncio.timeout(self.deadline_s):
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


def needs(spec: DriverSpec, rule: str, thing: Any, what: str) -> Any:
    """What a bench has for a rule; else a skip that says what it has not given.

    A driver that claims silver leaves out no rule: then it is a failure, unless its claim is
    exempt from the rule.
    """
    if thing is not None:
        return thing
    claim = claim_of(spec)
    if claim and claim.tier.holds(Tier.SILVER) and rule not in claim.exempt:
        pytest.fail(f"{rule}: {spec.name} claims {claim.tier}; give the bench {what}")
    return pytest.skip(f"{rule}: the bench has not given {what}")


async def endless(call: Callable[[], Awaitable[Any]]) -> NoReturn:
    """Call until it raises; gives way in between, so that a deadline can end it too."""
    while True:
        await call()
        await asyncio.sleep(0)


async def connected_again(driver: Driver) -> None:
    """Connect as the poller does: who was refused tries again. Ends by the caller's deadline.

    A link may tell a unit of the failed attempt of another one for a while, so that many units
    that lost one server do not all knock at once.
    """
    while True:
        try:
            return await driver.connect()
        except NotConnectedError:
            await asyncio.sleep(0.02)


async def eventually(deadline_s: float, condition: Callable[[], bool]) -> bool:
    """Whether a condition becomes true before the deadline of a bench."""
    end = asyncio.get_running_loop().time() + min(deadline_s, 5.0)
    while not condition():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def open_files() -> int:
    """How many files and sockets this process has open (Linux; elsewhere 0)."""
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.exists() else 0  # noqa: PTH208 - counts only


def sources(driver: Driver) -> list[Path]:
    """The files of a driver: those of its package and what is below it, or its one module."""
    file = Path(inspect.getfile(type(driver)))
    is_packaged = "." in type(driver).__module__ or file.name == "__init__.py"
    return sorted(file.parent.rglob("*.py")) if is_packaged else [file]


def banned(file: Path) -> Iterator[str]:
    """Calls of ``sleep`` and uses of ``logging``, but for silencing a protocol library."""
    source = _SILENCING.sub("None", file.read_text(encoding="utf-8"))
    for node in ast.walk(ast.parse(source)):
        if _sleeps(node):
            yield f"line {node.lineno}: sleep"
        if _logs(node):
            yield f"line {node.lineno}: logging"


_SILENCING = re.compile(r'logging\.getLogger\("\w+"\)\.setLevel\(logging\.CRITICAL \+ 1\)')
"""A library that logs faults (or, at DEBUG, passwords) is turned off as a whole, by its name."""


def _sleeps(node: ast.AST) -> TypeGuard[ast.Attribute | ast.ImportFrom]:
    if isinstance(node, ast.ImportFrom):
        return any(one.name == "sleep" for one in node.names)
    return isinstance(node, ast.Attribute) and node.attr == "sleep"


def _logs(node: ast.AST) -> TypeGuard[ast.Name | ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.Import):
        return any(one.name.startswith("logging") and one.asname for one in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "logging"
    return isinstance(node, ast.Name) and node.id == "logging"


@cache
def imported_with(*modules: str) -> set[str]:
    """Names of all modules that a new interpreter holds after importing these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules, sep='\\n')"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(out.stdout.split())
