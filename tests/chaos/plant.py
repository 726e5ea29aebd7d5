"""Devices, gateway, broker, city and store as processes, and the files that they are started with.

Everything is what an operator runs; only the devices are ours.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import yaml

from gateway.edge.buffer.buffer import read_books
from tests.chaos.bent.false_clock import FalseClock
from tests.chaos.bent.line import Line
from tests.chaos.bent.preload import Plan
from tests.chaos.devices import DEADBAND, LEVEL, NUMBER, Answer, read_log
from tests.chaos.found import embedded_rows, found_in, influx_rows, newest_numbers
from tests.chaos.judge import Row, Terms, Verdict, judge
from tests.chaos.layout import GATEWAY, Layout, gateway_document, machine_of
from tests.chaos.parts import Part
from tests.support.city import assembled, city_config, city_file, fill_ledger
from tests.support.disk import small_disk
from tests.support.influxd import Influxd
from tests.support.peers import free_port, program, wait_for_port
from tests.support.waiting import until

DRAIN_S = 60
FLOWS_AGAIN_S = 90.0
"""So long after the last fault, on a busy machine, values must be stored again."""

REACH_MS = 1_500
"""An answer is of a tick at most so old: what a busy machine may be late."""


class Plant:
    """All processes of one run, in a folder of its own.

    Attributes:
        buffer: the folder of the gateway's buffer.
        data: the city's data folder.
        edge, city, broker, devices: the processes.
        influxd: the store, if it is not the embedded one.
        preloaded: the process whose writes ``plan`` can make fail.
        plan: what becomes of them; None if the layout has none.
        clock: the gateway's; None if the layout leaves it alone.
        lines: the ways that can be disturbed: ``edge``, ``city`` (to the broker), ``store``,
            ``devices``.
        captured: topics and payloads of messages that were heard.
        began_ms: when the processes were started, UTC milliseconds.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.folder, self.layout = folder, layout
        self.buffer, self.data = folder / "buffer", folder / "data"
        self.answers = folder / "answers.log"
        for made in (self.buffer, self.data):
            made.mkdir()
        self.ports = {name: free_port() for name in ("devices", "broker")}
        self.influxd = Influxd(folder) if layout.store == "influxdb1" else None
        self.lines = self._lines() if layout.has_lines else {}
        self.captured: list[tuple[str, bytes]] = []
        self.began_ms = 0
        served = (self.ports["devices"], self.answers, layout.units, layout.noise)
        self.devices = self._python("devices", "tests.chaos.devices", *map(str, served))
        mosquitto = program("mosquitto", "mosquitto")
        self.broker = Part("broker", [mosquitto, "-c", str(folder / "mosquitto.conf")], folder)
        self.city = self._python("city", "gateway", "city", str(folder / "city.yaml"))
        run = ("run", str(folder / "gateway.yaml"), "--drain-s", str(DRAIN_S))
        self.edge = self._python("edge", "gateway", *run)
        self.parts = [self.devices, self.broker, self.city, self.edge]
        self.preloaded, written = self.edge, self.buffer
        if layout.preloaded == "city":
            self.preloaded, written = self.city, self.data
        self.plan = Plan(folder / "plan", written) if layout.preloaded else None
        self.clock = FalseClock(folder / "clock") if layout.has_false_clock else None
        if self.plan is not None:
            self.preloaded.on_start = self.plan.mean
        for part, bent in ((self.preloaded, self.plan), (self.edge, self.clock)):
            part.environment |= bent.environment if bent is not None else {}

    def _python(self, name: str, *module: str) -> Part:
        return Part(name, [sys.executable, "-m", *module], self.folder)

    def _lines(self) -> dict[str, Line]:
        lines = {name: Line(self.ports["broker"]) for name in ("edge", "city")}
        lines["devices"] = Line(self.ports["devices"])
        return lines if self.influxd is None else lines | {"store": Line(self.influxd.port)}

    # -- before ---------------------------------------------------------------------------

    async def _prepare(self) -> None:
        """Write the files, and enrol the gateway with a ledger that knows its machines."""
        listener = f"listener {self.ports['broker']} 127.0.0.1\nallow_anonymous true\n"
        (self.folder / "mosquitto.conf").write_text(f"{listener}max_queued_messages 0\n")
        broker = f"127.0.0.1:{self._port('city', self.ports['broker'])}"
        machines = [machine_of(unit) for unit in range(1, self.layout.units + 1)]
        async with assembled(city_config(broker, self.data)) as city:
            fill_ledger(city, GATEWAY, machines=machines)
        more = {"data_dir": str(self.data), "silence_ms": 3_000, "store": self._store()}
        city_file(self.folder, broker, **more)
        edge_to = self._port("edge", self.ports["broker"])
        buffer = self.buffer / "buffer.db"
        devices = self._port("devices", self.ports["devices"])
        document = gateway_document(self.layout, devices, edge_to, buffer)
        (self.folder / "gateway.yaml").write_text(yaml.safe_dump(document))

    def _port(self, line: str, port: int) -> int:
        """The port of a line, or without lines that of what it leads to."""
        return self.lines[line].port if line in self.lines else port

    def _store(self) -> dict[str, object]:
        if self.influxd is None:
            return {"type": "embedded"}
        url = f"http://127.0.0.1:{self._port('store', self.influxd.port)}"
        return {"type": "influxdb1", "url": url, "database": "qulink", "timeout_ms": 3_000}

    # -- while it runs --------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs, and comes back when it ends; values of every device are stored."""
        async with AsyncExitStack() as stack:
            for line in self.lines.values():
                await stack.enter_async_context(line.listening())
            await self._prepare()
            if self.influxd is not None:
                stack.callback(lambda: self.influxd and self.influxd.stop(kill=True))
                await asyncio.to_thread(self.influxd.start)
            if self.layout.disk_mib:
                stack.enter_context(small_disk(self.buffer, self.layout.disk_mib))
            self.began_ms = time.time_ns() // 1_000_000
            for part in self.parts:
                stack.callback(part.clean_up)
                part.start()
                stack.callback(asyncio.create_task(part.keep_running()).cancel)
                if part.name in self.ports:
                    await asyncio.to_thread(wait_for_port, self.ports[part.name])
            await self.flows()
            yield

    async def flows(self) -> None:
        """Wait until answers that are given from now on are stored, of every device.

        Raises:
            TimeoutError: some are not in time.
        """
        given = {answer.unit: answer.values[NUMBER] for answer in self._answers()}
        units = range(1, self.layout.units + 1)

        async def is_stored() -> bool:
            await asyncio.sleep(0.2)
            stored = await asyncio.to_thread(self._newest_numbers)
            return all(stored.get(unit, 0) > given.get(unit, 0) for unit in units)

        await until(is_stored, FLOWS_AGAIN_S)

    def _answers(self) -> Sequence[Answer]:
        with suppress(FileNotFoundError):
            return list(read_log(self.answers))
        return ()

    def _newest_numbers(self) -> dict[int, int]:
        if self.influxd is None:
            return newest_numbers(self.data / "telemetry.db")
        numbers: dict[int, int] = {}
        for row in self._rows():
            number = int(row.values.get(NUMBER, 0))
            numbers[row.unit] = max(number, numbers.get(row.unit, 0))
        return numbers

    def _rows(self) -> list[Row]:
        if self.influxd is None:
            return embedded_rows(self.data / "telemetry.db")
        return influx_rows(self.influxd.url)

    # -- at the end -----------------------------------------------------------------------

    async def finish(self) -> int:
        """Stop in good order, all delivered; when the gateway was told to, UTC milliseconds.

        Raises:
            RuntimeError: it was not all delivered, or a process did not end in order.
        """
        stopped_ms = time.time_ns() // 1_000_000
        if code := await self.edge.stop(DRAIN_S + 30):
            raise RuntimeError(f"the gateway ended with {code}")
        waiting = read_books(self.buffer / "buffer.db").pending.values
        if waiting:
            raise RuntimeError(f"{waiting} values still wait in the buffer after {DRAIN_S} s")
        if code := await self.city.stop():
            raise RuntimeError(f"the city ended with {code}")
        return stopped_ms

    def judged(self, stopped_ms: int, *, one_epoch: bool) -> Verdict:
        """What the judge says; call it while the store still runs.

        Args:
            stopped_ms: what :meth:`finish` returned.
            one_epoch: the buffer was never rolled back.
        """
        terms = Terms(
            interval_ms=self.layout.interval_ms,
            deadbands={LEVEL: DEADBAND},
            reach_ms=REACH_MS,
            began_ms=self.began_ms,
            until_ms=stopped_ms - self.layout.interval_ms,
            one_epoch=one_epoch,
            shifts=self.clock.shifts if self.clock is not None else (),
        )
        verdict = judge(self._answers(), found_in(self.data / "city.db", self._rows()), terms)
        verdict.unexplained += [line for part in self.parts for line in part.ended]
        return verdict
