"""A driver and a gateway for tests of the runtime: the driver does what the test tells it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice, ResolvedGroup, ResolvedTag
from edge_config.models.gateway import DeviceConfig, GatewayConfig, ProfileConfig
from edge_config.models.settings import Settings
from edge_config.models.tag import TagConfig
from edge_config.models.uscc import check_character
from edge_config.models.validation import validated
from gateway.core.batch import Reading
from gateway.core.schema import Kind
from gateway.drivers.api import Arrivals, NotConnectedError, Point
from gateway.drivers.extras import Notice
from gateway.drivers.spec import DriverSpec
from gateway.edge.app import compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device import clock as clock_module
from gateway.edge.device.model import DeviceModel

USCC = "91330800MA28F0000"
USCC += check_character(USCC)


class Nothing(Settings):
    """No address, no connection."""


class Plant:
    """The machine: faults say what connect and read do next; values count upwards.

    Connecting takes until ``open`` is set.
    """

    def __init__(self) -> None:
        self.connect_fault: BaseException | None = None
        self.read_fault: BaseException | None = None
        self.cancelled_fault: BaseException | None = None
        self.loses_cancellation = False
        self.silent = self.closing_hangs = self.stands_still = False
        self.open = asyncio.Event()
        self.open.set()
        self.serves = 1 << 62  # readings over one connection
        self.moving = 1 << 62  # tags; those behind them stand at 1.0
        self.reading_takes_s = 0.0
        self.progress, self.remarks = "", list[str]()
        self.notices = list[Notice]()
        self.status: np.ndarray | None = None
        self.item_status: np.ndarray | None = None
        self.reads = self.connects = self.closes = 0
        self.deliveries: asyncio.Queue[list[Arrivals] | BaseException] = asyncio.Queue()

    def spec(self) -> DriverSpec:
        modes = ("poll", "subscribe")
        return DriverSpec(
            "plant", "厂", "Plant", Nothing, Nothing, _kind, lambda _: Scripted(self), modes
        )


def _kind(_: Any) -> Kind:
    return Kind.FLOAT64


class Scripted:
    """The driver of a :class:`Plant`."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.left = 0
        self.renewals = 0

    def progress(self) -> str:
        return self.plant.progress

    def remarks(self) -> list[str]:
        return self.plant.remarks

    def notices(self) -> list[Notice]:
        return self.plant.notices

    async def connect(self) -> None:
        self.plant.connects += 1
        self.left = self.plant.serves
        await self.plant.open.wait()
        if self.plant.connect_fault:
            raise self.plant.connect_fault

    def plan(self, points: Sequence[Point]) -> int:
        return len(points)

    async def read(self, plan: int) -> Reading:
        plant = self.plant
        if plant.silent:
            await self._never()
        if plant.read_fault:
            raise plant.read_fault
        if not self.left:
            raise NotConnectedError("the device closed the connection")
        self.left -= 1
        if plant.reading_takes_s:
            await asyncio.sleep(plant.reading_takes_s)
        plant.reads += 1
        status = np.zeros(plan, np.uint8) if plant.status is None else plant.status
        value = 1.0 if plant.stands_still else float(plant.reads)
        values = np.full(plan, value)
        values[plant.moving :] = 1.0
        return Reading((values,), status)

    async def _never(self) -> None:
        """Wait for ever; a cancellation becomes what the plant says, or is lost once."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.plant.cancelled_fault:
                raise self.plant.cancelled_fault from None
            if not self.plant.loses_cancellation:
                raise
            self.plant.loses_cancellation = False

    async def write(self, point: Point, value: Any) -> None:
        raise AssertionError("nothing is written here")

    async def close(self) -> None:
        self.plant.closes += 1
        if self.plant.closing_hangs:
            await asyncio.Event().wait()

    async def subscribe(self, group: str, points: Sequence[Point], interval_ms: int) -> np.ndarray:
        status = self.plant.item_status
        return np.zeros(len(points), np.uint8) if status is None else status

    async def arrivals(self) -> Sequence[Arrivals]:
        got = await self.plant.deliveries.get()
        if isinstance(got, BaseException):
            raise got
        return got


def device_model(config: DeviceConfig, endpoint: str = "plc:502") -> DeviceModel:
    """A device without groups."""
    profile = ProfileConfig(name="p", driver="plant", source="controller", groups=())
    return DeviceModel(ResolvedDevice(config, {}, profile, ()), Plant().spec(), endpoint)


class Clock(clock_module.Clock):
    """The loop's time shifted to a date; ``step_ms`` was set by somebody, ``passed_ms`` passed."""

    def __init__(self, start_ms: int = 1_800_000_000_000) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time()
        self._start_ms = start_ms
        self.step_ms = self.passed_ms = 0
        self.synchronised = True

    def system_ms(self) -> int:
        return self._start_ms + int(self.monotonic_ms()) + self.step_ms

    def monotonic_ms(self) -> float:
        return (self._loop.time() - self._begin) * 1000 + self.passed_ms

    def is_synchronised(self) -> bool:
        return self.synchronised


def loaded(
    folder: Path,
    *,
    tags: int = 2,
    interval_ms: int = 20,
    mode: str = "poll",
    silence_ms: int = 60_000,
    uscc: str = USCC,
    url: str = "",
    **device: Any,
) -> LoadedGateway:
    """A gateway with one device of one group; ``url`` is the broker that leads to its city."""
    names = [{"name": f"t{at}", "address": {}, "max_silence_ms": silence_ms} for at in range(tags)]
    group = {"name": "g", "interval_ms": interval_ms, "mode": mode, "tags": names}
    config = validated(
        GatewayConfig,
        {
            "gateway": {"id": "gw", "enterprise_uscc": uscc, "synthetic": True},
            "profiles": [
                {"name": "press", "driver": "plant", "source": "controller", "groups": [group]}
            ],
            "devices": [
                {
                    "id": "d",
                    "driver": "plant",
                    "profile": "press",
                    "asset_no": "M1",
                    "connection": {},
                    "retry_min_ms": 100,
                    "retry_max_ms": 1_000,
                    **device,
                }
            ],
            "buffer": {"path": str(folder / "b.db"), "commit_interval_ms": 20},
            "northbound": [{"url": url, "retry_max_ms": 1_000}] if url else [],
        },
    )
    resolved = tuple(ResolvedTag(validated(TagConfig, one), Nothing()) for one in names)
    one = ResolvedGroup("g", interval_ms, mode, resolved)  # type: ignore[arg-type]
    devices = (ResolvedDevice(config.devices[0], Nothing(), config.profiles[0], (one,)),)
    return LoadedGateway(config, devices)


class Runtime:
    """A whole edge on a real buffer, with a clock of the test's; ``device`` is its only one."""

    def __init__(self, plan: LoadedGateway, plant: Plant, clock: Clock, buffer: Buffer) -> None:
        self.plant = plant
        self.buffer = buffer
        self.clock = clock
        self.edge = compose(plan, {"plant": plant.spec()}, buffer, clock)
        self.live = self.edge.live
        self.recorder = self.edge.recorder
        self.device = self.edge.devices["d"]
        self.group = self.device.groups[0]
        self.record = self.device.record

    async def __aenter__(self) -> Self:
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self.edge.devices.start_all(self._tasks)
        self._tasks.create_task(self.recorder.run())
        for north in self.edge.northbounds:
            self._tasks.create_task(north.run())
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.edge.devices.halt()
        self.recorder.stop()
        for north in self.edge.northbounds:
            north.close()
        await self._tasks.__aexit__(*raised)
