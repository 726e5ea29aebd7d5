"""A gateway whose only device does with writes what the test tells it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice, ResolvedGroup, ResolvedTag
from edge_config.models.gateway import GatewayConfig
from edge_config.models.settings import Field, Settings
from edge_config.models.validation import validated
from gateway.core.batch import Reading
from gateway.core.schema import Kind, runs_of
from gateway.core.status import GOOD
from gateway.drivers.api import Point
from gateway.drivers.spec import DriverSpec
from gateway.edge.app import compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.storage.consumers import consumers_of
from gateway.edge.commands.audit import audit_path, entries
from gateway.edge.commands.lines import Entry
from gateway.edge.commands.record import Origin
from gateway.edge.commands.writer import COMMAND_LINE
from gateway.wire.commands import Command, CommandAnswer
from tests.edge.plant import USCC, Clock, Nothing
from tests.support.waiting import until

CITY = Origin("city", has_times=True)


class Place(Settings):
    """Where a value of the machine is."""

    key: str = Field(description="its name there")
    kind: str = Field(default="UINT64", description="of the raw value")


@dataclass
class Machine:
    """Values by key; what is written to it, and what it does then."""

    values: dict[str, Any] = field(default_factory=lambda: {"speed": 100, "mode": 1, "name": "a"})
    writes: list[tuple[str, Any]] = field(default_factory=list)
    write_fault: BaseException | None = None
    plan_fault: Exception | None = None
    status: dict[str, int] = field(default_factory=dict)
    most: dict[str, Any] = field(default_factory=dict)
    reads: list[tuple[str, ...]] = field(default_factory=list)
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    may_read: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_write.set()
        self.may_read.set()

    def spec(self) -> DriverSpec:
        kind = lambda address: Kind[address.kind]  # noqa: E731
        return DriverSpec("machine", "机", "Machine", Nothing, Place, kind, lambda _: Driver(self))


class Driver:
    """The driver of a :class:`Machine`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    async def connect(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def plan(self, points: Sequence[Point]) -> tuple[Point, ...]:
        if self.machine.plan_fault:
            raise self.machine.plan_fault
        return tuple(points)

    async def read(self, plan: tuple[Point, ...]) -> Reading:
        await self.machine.may_read.wait()
        keys = tuple(point.address.key for point in plan)
        self.machine.reads.append(keys)
        values = [self.machine.values[key] for key in keys]
        columns = tuple(
            np.array(values[run.span], run.kind.dtype)
            for run in runs_of(point.kind for point in plan)
        )
        status = [self.machine.status.get(key, GOOD) for key in keys]
        return Reading(columns, np.array(status, np.uint8))

    async def write(self, point: Point, value: Any) -> None:
        self.machine.writes.append((point.address.key, value))
        await self.machine.may_write.wait()
        if self.machine.write_fault:
            raise self.machine.write_fault
        key = point.address.key
        self.machine.values[key] = min(value, self.machine.most.get(key, value))


TAGS: list[dict[str, Any]] = [
    {
        "name": "speed",
        "address": {"key": "speed"},
        "scale": 0.1,
        "access": "read-write",
        "minimum": 0,
        "maximum": 100,
        "write_maximum": 50,
    },
    {"name": "mode", "address": {"key": "mode"}, "access": "read-write", "no_value": [65535]},
    {
        "name": "title",
        "address": {"key": "name", "kind": "STRING"},
        "access": "read-write",
    },
    {"name": "count", "address": {"key": "mode"}},
]


def loaded(folder: Path, **commands: Any) -> LoadedGateway:
    """A gateway that may write, unless told otherwise."""
    group = {"name": "g", "interval_ms": 100, "tags": TAGS}
    profile = {"name": "press", "driver": "machine", "source": "controller", "groups": [group]}
    device = {"id": "d", "driver": "machine", "profile": "press", "asset_no": "M1"}
    config = validated(
        GatewayConfig,
        {
            "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [profile],
            "devices": [{**device, "connection": {}, "timeout_ms": 60_000}],
            "buffer": {"path": str(folder / "b.db"), "commit_interval_ms": 20},
            "commands": {"enabled": True, **commands},
        },
    )
    tags = tuple(
        ResolvedTag(tag, validated(Place, tag.address), tag.no_value or ())
        for tag in config.profiles[0].groups[0].tags
    )
    one = ResolvedGroup("g", 100, "poll", tags)
    found = ResolvedDevice(config.devices[0], Nothing(), config.profiles[0], (one,))
    return LoadedGateway(config, (found,))


class Gateway:
    """A whole edge around a machine; ``kill`` leaves it as a killed process would."""

    def __init__(self, folder: Path, machine: Machine, **commands: Any) -> None:
        self.machine = machine
        plan = loaded(folder, **commands)
        self.path = audit_path(plan.config.buffer.path)
        self.clock = Clock()
        self.buffer = Buffer.open(plan.config.buffer.path, consumers_of(plan.config))
        self.edge = compose(plan, {"machine": machine.spec()}, self.buffer, self.clock)
        self.writer = self.edge.writer
        self.told: list[CommandAnswer] = []

    async def __aenter__(self) -> Self:
        await self.writer.begin()
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self.edge.devices.start_all(self._tasks)
        self._tasks.create_task(self.edge.recorder.run())
        device = self.edge.devices["d"]
        await until(lambda: device.record.link == "up")
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.machine.may_write.set()
        self.machine.may_read.set()
        await self.writer.finish()
        await self.edge.devices.halt()
        self.edge.recorder.stop()
        await self._tasks.__aexit__(None, None, None)
        self.buffer.close()

    async def write(self, tag: str, value: Any, id_: str = "c1", **times: int) -> CommandAnswer:
        """As the city does if times are given, else as a person of the box."""
        command = Command(id_, "d", tag, value, who="tester", **times)
        return await self.writer.write(command, CITY if times else COMMAND_LINE, self.told.append)

    def record(self) -> list[Entry]:
        """What is recorded, as far as the chain holds."""
        return list(entries(self.path))
