"""Devices, gateway, broker, city and store as processes, and the files that they are started with.

Everything is what an operator runs; only the devices are ours.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from gateway.edge.buffer.buffer import read_books
from tests.chaos.devices import CONSTANT, DEADBAND, FIRST_NOISE, LEVEL, NUMBER, STATE, read_log
from tests.chaos.faults.preload import Plan
from tests.chaos.found import DEVICE, embedded_rows, found_in, influx_rows, newest_ms
from tests.chaos.judge import Terms, Verdict, judge
from tests.chaos.parts import Part
from tests.support.city import USCC, assembled, city_config, city_file, fill_ledger
from tests.support.influxd import Influxd
from tests.support.peers import free_port, missing, program, wait_for_port
from tests.support.waiting import until

GATEWAY = "gw-1"
DRAIN_S = 60
FLOWS_AGAIN_S = 90.0
"""So long after the last fault, on a busy machine, values must be stored again."""

REACH_MS = 1_500
"""An answer is of a tick at most so old: what a busy machine may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a plant is like.

    Attributes:
        units: devices.
        interval_ms: of their polls.
        noise: further tags of each, which change at every poll.
        quota_mib: of the gateway's buffer.
        store: ``embedded`` or ``influxdb1``.
        preloaded: ``edge`` or ``city``: whose writes can be made to fail; empty: nobody's.
        disk_mib: the buffer has a disk of its own of this size; 0: it has not.
    """

    units: int = 4
    interval_ms: int = 200
    noise: int = 3
    quota_mib: float = 256
    store: str = "embedded"
    preloaded: str = ""
    disk_mib: int = 0


class Plant:
    """All processes of one run, in a folder of its own.

    Attributes:
        buffer: the folder of the gateway's buffer.
        data: the city's data folder.
        edge, city, broker, devices: the processes.
        influxd: the store, if it is not the embedded one.
        preloaded: the process whose writes ``plan`` can make fail.
        plan: what becomes of them; None if the layout has none.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder, self.layout = folder, layout
        self.buffer, self.data = folder / "buffer", folder / "data"
        self.answers = folder / "answers.log"
        for made in (self.buffer, self.data):
            made.mkdir()
        self.ports = {name: free_port() for name in ("devices", "broker")}
        self.influxd = Influxd(folder) if layout.store == "influxdb1" else None
        python = sys.executable
        units = (str(layout.units), str(layout.noise))
        served = (str(self.ports["devices"]), str(self.answers), *units)
        self.devices = Part("devices", [python, "-m", "tests.chaos.devices", *served], folder)
        mosquitto = program("mosquitto", "mosquitto")
        self.broker = Part("broker", [mosquitto, "-c", str(folder / "mosquitto.conf")], folder)
        self.city = Part(
            "city", [python, "-m", "gateway", "city", str(folder / "city.yaml")], folder
        )
        run = ["run", str(folder / "gateway.yaml"), "--drain-s", str(DRAIN_S)]
        self.edge = Part("edge", [python, "-m", "gateway", *run], folder)
        self.parts = [self.devices, self.broker, self.city, self.edge]
        self.preloaded = self.city if layout.preloaded == "city" else self.edge
        self.plan: Plan | None = None
        if layout.preloaded:
            written = self.data if layout.preloaded == "city" else self.buffer
            self.plan = Plan(folder / "plan", written)
            self.preloaded.environment = self.plan.environment

    # -- before ---------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Write the files, and enrol the gateway with a ledger that knows its machines."""
        listener = f"listener {self.ports['broker']} 127.0.0.1\nallow_anonymous true\n"
        (self.folder / "mosquitto.conf").write_text(f"{listener}max_queued_messages 0\n")
        machines = [f"M-{unit}" for unit in self.units]
        url = f"127.0.0.1:{self.ports['broker']}"
        async with assembled(city_config(url, self.data)) as city:
            fill_ledger(city, GATEWAY, machines=machines)
        more = {"data_dir": str(self.data), "silence_ms": 3_000, "store": self._store()}
        city_file(self.folder, url, **more)
        (self.folder / "gateway.yaml").write_text(yaml.safe_dump(self._gateway(url)))

    @property
    def units(self) -> range:
        """Numbers of the devices."""
        return range(1, self.layout.units + 1)

    def _store(self) -> dict[str, str]:
        if self.influxd is None:
            return {"type": "embedded"}
        return {"type": "influxdb1", "url": self.influxd.url, "database": "qulink"}

    def _gateway(self, broker: str) -> dict[str, object]:
        north = {
            "url": f"mqtt://{broker}",
            "retry_max_ms": 1_000,
            "ack_timeout_ms": 2_000,
            "state_interval_ms": 500,
            "frame_interval_ms": 200,
        }
        return {
            "gateway": {"id": GATEWAY, "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [self._profile()],
            "devices": [self._device(unit) for unit in self.units],
            "northbound": [north],
            "buffer": {
                "path": str(self.buffer / "buffer.db"),
                "commit_interval_ms": 200,
                "quota_mib": self.layout.quota_mib,
            },
        }

    def _profile(self) -> dict[str, object]:
        """No tag is sent for having been silent: what is stale must stay so, and be found."""
        addresses = {
            NUMBER: "holding:0:uint32",
            STATE: "holding:2:uint16",
            LEVEL: "holding:3:uint16",
            CONSTANT: "holding:4:uint16",
        } | {f"n{at}": f"holding:{FIRST_NOISE + at}:uint16" for at in range(self.layout.noise)}
        tags: list[dict[str, object]] = [
            {"name": name, "address": address, "max_silence_ms": 86_400_000}
            for name, address in addresses.items()
        ]
        next(tag for tag in tags if tag["name"] == LEVEL)["deadband"] = DEADBAND
        group = {"name": "all", "interval_ms": self.layout.interval_ms, "tags": tags}
        return {"name": "press", "driver": "modbus", "source": "controller", "groups": [group]}

    def _device(self, unit: int) -> dict[str, object]:
        connection = {"host": "127.0.0.1", "port": self.ports["devices"], "unit": unit}
        return {
            "id": f"{DEVICE}{unit}",
            "driver": "modbus",
            "profile": "press",
            "asset_no": f"M-{unit}",
            "connection": connection,
            "retry_min_ms": 100,
            "retry_max_ms": 1_000,
        }

    # -- while it runs --------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs, and comes back when it ends; values of every device are stored."""
        await self.prepare()
        keepers = []
        try:
            if self.influxd is not None:
                await asyncio.to_thread(self.influxd.start)
            self._mount()
            for part in self.parts:
                part.start()
                keepers.append(asyncio.create_task(part.keep_running()))
                if part in {self.devices, self.broker}:
                    port = self.ports[part.name]
                    await asyncio.to_thread(wait_for_port, port)
            if self.plan is not None:
                self.plan.mean(self.preloaded.pid)
            await self.flows()
            yield
        finally:
            for keeper in keepers:
                keeper.cancel()
            for part in self.parts:
                part.clean_up()
            if self.influxd is not None:
                self.influxd.stop(kill=True)
            self._unmount()

    def _mount(self) -> None:
        """Give the buffer its own small disk, if it is to have one."""
        if self.layout.disk_mib:
            mount = ["mount", "-t", "tmpfs", "-o", f"size={self.layout.disk_mib}m", "none"]
            if subprocess.run([*mount, str(self.buffer)], check=False).returncode:
                missing("permission to mount a tmpfs", "(run as root, or with CAP_SYS_ADMIN)")

    def _unmount(self) -> None:
        if self.layout.disk_mib:
            subprocess.run(["umount", "--lazy", str(self.buffer)], check=False)

    async def flows(self) -> None:
        """Wait until values that are read from now on are stored, of every device.

        Raises:
            TimeoutError: some are not in time.
        """
        now_ms = time.time_ns() // 1_000_000
        await until(lambda: self._stored_since(now_ms), FLOWS_AGAIN_S)

    async def _stored_since(self, since_ms: int) -> bool:
        await asyncio.sleep(0.2)
        newest = await asyncio.to_thread(self._newest_ms)
        return all(newest.get(unit, 0) > since_ms for unit in self.units)

    def _newest_ms(self) -> dict[int, int]:
        if self.influxd is None:
            return newest_ms(self.data / "telemetry.db")
        found: dict[int, int] = {}
        for row in influx_rows(self.influxd.url):
            found[row.unit] = max(row.time_ms, found.get(row.unit, 0))
        return found

    # -- at the end -----------------------------------------------------------------------

    async def finish(self) -> int:
        """Stop in good order, all delivered; when the gateway was told to, UTC milliseconds.

        Raises:
            RuntimeError: it was not all delivered, or a process did not end in order.
        """
        stopped_ms = time.time_ns() // 1_000_000
        code = await self.edge.stop(DRAIN_S + 30)
        if code:
            raise RuntimeError(f"the gateway ended with {code}")
        waiting = read_books(self.buffer / "buffer.db").pending.values
        if waiting:
            raise RuntimeError(f"{waiting} values still wait in the buffer after {DRAIN_S} s")
        if code := await self.city.stop():
            raise RuntimeError(f"the city ended with {code}")
        return stopped_ms

    def judged(self, stopped_ms: int, **terms: object) -> Verdict:
        """What the judge says; call it while the store still runs."""
        rows = (
            embedded_rows(self.data / "telemetry.db")
            if self.influxd is None
            else influx_rows(self.influxd.url)
        )
        given = {
            "interval_ms": self.layout.interval_ms,
            "deadbands": {LEVEL: DEADBAND},
            "reach_ms": REACH_MS,
            "until_ms": stopped_ms - self.layout.interval_ms,
        }
        found = found_in(self.data / "city.db", rows)
        verdict = judge(read_log(self.answers), found, Terms(**(given | terms)))  # type: ignore[arg-type]
        verdict.unexplained += [line for part in self.parts for line in part.ended]
        return verdict
