"""The run itself: start everything, wait, stop polling, drain, close the books."""

import asyncio
import contextlib
import json
import math
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from edge_config.loading.load import load_city
from edge_config.mistakes.problems import ConfigError
from edge_config.models.base import ConsoleConfig
from gateway.city.stores.api import Store, StoreError
from gateway.city.stores.choose import make_store
from gateway.core.days import day_of
from gateway.demo import levels
from gateway.demo import report as closing
from gateway.demo.cast import Cast, Line, load_cast
from gateway.demo.control import build
from gateway.demo.files import Ports
from gateway.demo.options import DATA, Options
from gateway.demo.prepare import NotPreparedError, Prepared, opened, prepare
from gateway.demo.processes import Child, ProcessFailedError, ProcessGroup, process_group, qulink
from gateway.relational.database import DatabaseUnusableError
from gateway.web.listen import ListenError, bind
from gateway.web.serve import serve

DRAIN_S = 10
_PROTOCOLS = "Modbus TCP, OPC UA, MC protocol, S7 and DL/T 645"
_WATCH_S = 1.0
_HEADLINE = "ENR-A"
_SAID = (
    NotPreparedError,
    ProcessFailedError,
    DatabaseUnusableError,
    StoreError,
    ConfigError,
    ListenError,
)
"""Faults whose own message says what to do."""


class DemoFailedError(Exception):
    """The demonstration could not run; the message says why."""


async def run(options: Options) -> bool:
    """Run the demonstration until Ctrl-C, or for the seconds asked for.

    The first Ctrl-C (or SIGTERM) stops polling, drains and closes the books. A second one, one
    before everything runs, and a closed terminal cancel the calling task. No process stays.

    Returns:
        Whether the books balance.

    Raises:
        DemoFailedError: it could not be started, or a process died.
    """
    stop = _stop_on_signal()
    try:
        if options.report is not None:
            options.report.write_text("")  # a run takes long; whether it can be is known now
        cast, started_ms = load_cast(), _now_ms()
        _say("preparing ledger, history and configurations …")
        prepared = await asyncio.to_thread(prepare, options, cast, started_ms)
        report = await _play(options, cast, prepared, started_ms, stop)
        _deliver(report, options.report)
    except OSError as error:
        raise DemoFailedError(f"{error.filename or ''}: {error.strerror or error}") from error
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        raise DemoFailedError(f"the city's database in {options.data}: {reason}") from error
    except _SAID as error:
        raise DemoFailedError(str(error)) from error
    return bool(report["balance_ok"])


def _stop_on_signal() -> asyncio.Event:
    """An event that the first signal sets; it is set while there is nothing to stop in order."""
    # Set: until everything runs a signal finds nothing to drain, and ends the run at once.
    stop, loop, main = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()
    stop.set()

    def ask(number: int) -> None:
        if main and (stop.is_set() or number == signal.SIGHUP):
            main.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask, number)
    return stop


async def _play(
    options: Options, cast: Cast, prepared: Prepared, started_ms: int, stop: asyncio.Event
) -> dict[str, Any]:
    async with _store(prepared):
        pass  # one that does not answer is said now and not at the end
    async with process_group() as group:
        cohort = _children(cast, prepared, group)
        first = (*cohort.broker, *cohort.nodes, *cohort.lines.values())
        await asyncio.gather(*(one.start() for one in first))
        _say(f"{len(cohort.lines)} simulated lines speak {_PROTOCOLS}")
        async with _controlled(cast, cohort.lines, prepared):
            # The edges last: their first reading finds lines that answer and a city that listens.
            await cohort.city.start()
            await asyncio.gather(*(edge.start() for edge in cohort.edges))
            _announce(options, prepared)
            ran_from = time.monotonic()
            await _wait(
                options.for_s, (*cohort.broker, *cohort.nodes, cohort.city, *cohort.edges), stop
            )
            seconds = time.monotonic() - ran_from
            _say(f"stopping to poll; draining for at most {DRAIN_S} s …")
            await asyncio.gather(*(edge.stop(DRAIN_S + 5) for edge in cohort.edges))
        walked = await _walked(prepared)
        # The edges first, because what they still hold needs broker and city to be acknowledged.
        others = (cohort.city, *cohort.nodes, *cohort.broker, *cohort.lines.values())
        await asyncio.gather(*(one.stop() for one in others))
        return await _report(prepared, cast, started_ms, seconds, walked)


@dataclass(frozen=True, slots=True)
class _Children:
    """All processes of a run; without ``broker`` if it is the user's."""

    broker: tuple[Child, ...]
    nodes: tuple[Child, ...]
    lines: Mapping[str, Child]
    city: Child
    edges: tuple[Child, ...]


def _children(cast: Cast, prepared: Prepared, group: ProcessGroup) -> _Children:
    ports = prepared.ports

    def child(name: str, command: tuple[str, ...], port: int | Path | None = None) -> Child:
        return Child(name, command, prepared.folder / "logs" / f"{name}.log", group, port)

    def simulator(line: Line) -> Child:
        where, port = _where(line, ports)
        return child(f"line-{line.id}", qulink("simulate", line.id, *where), port)

    def edge(gateway: str, file: Path) -> Child:
        command = qulink("run", str(file), "--drain-s", str(DRAIN_S))
        return child(gateway, command, ports.edges[gateway])

    def node(level: str, file: Path) -> Child:
        return child(f"node-{level}", qulink("node", str(file)), ports.native[level])

    rules = prepared.broker
    embedded = (sys.executable, "-m", "gateway.demo.broker", str(rules))
    return _Children(
        broker=() if rules is None else (child("broker", embedded, ports.broker),),
        nodes=tuple(node(level, file) for level, file in prepared.nodes.items()),
        lines={line.id: simulator(line) for line in cast.lines},
        city=child("city", qulink("city", str(prepared.city)), ports.console),
        edges=tuple(edge(gateway, file) for gateway, file in prepared.edges.items()),
    )


def _where(line: Line, ports: Ports) -> tuple[tuple[str, ...], int | Path]:
    """Options that say where a simulated line is reached, and a port of it that is there then."""
    if line.is_serial:
        return ("--serial", str(ports.serial)), ports.serial
    if line.controllers:
        own = [ports.controllers[asset_no] for asset_no in line.controllers]
        return tuple(f"--controller-port={port}" for port in own), own[-1]
    modbus, opcua = ports.modbus[line.id], ports.opcua[line.id]
    return ("--port", str(modbus), "--opcua-port", str(opcua)), modbus


async def _wait(for_s: float | None, children: Iterable[Child], stop: asyncio.Event) -> None:
    stop.clear()
    end = math.inf if for_s is None else time.monotonic() + for_s
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        for child in children:
            child.check()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_WATCH_S, left)):
                await stop.wait()
    stop.set()


@asynccontextmanager
async def _controlled(
    cast: Cast, lines: Mapping[str, Child], prepared: Prepared
) -> AsyncIterator[None]:
    console = ConsoleConfig(listen=f"127.0.0.1:{prepared.ports.control}")
    app = build({line.id: line for line in cast.lines}, lines)
    text = json.dumps({"url": f"http://{console.listen}"})
    with bind(console.listen) as listener:
        task = asyncio.create_task(serve(app, console, listener))
        (prepared.folder / "control.json").write_text(text)
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _store(prepared: Prepared) -> AsyncIterator[Store]:
    config = load_city(prepared.city)
    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def _walked(prepared: Prepared) -> int:
    """Identifiers that lead from the top level to their machines, while all nodes run."""
    with opened(prepared.city) as database:
        names = await database.read(levels.registered)
    return await levels.walked(names, prepared.ports)


async def _report(
    prepared: Prepared, cast: Cast, started_ms: int, seconds: float, walked: int
) -> dict[str, Any]:
    gateways, now_ms = list(prepared.edges), _now_ms()
    async with _store(prepared) as store:
        stored = await store.count(gateways, started_ms, now_ms + 60_000)
    month = f"{day_of(now_ms):%Y-%m}"
    with opened(prepared.city) as database:
        refused = database.run_now(closing.quarantined, gateways)
        values, balanced = closing.values_section(prepared.buffers, stored, refused)
        return {
            "seconds": round(seconds, 1),
            "gateways": len(gateways),
            "devices": sum(len(line.machines) for line in cast.lines),
            "values": values,
            "balance_ok": balanced,
            "ledger": database.run_now(closing.ledger_section),
            "identifiers": database.run_now(closing.identifiers_section) | {"walked": walked},
            "rates": database.run_now(closing.rates_section, _HEADLINE, month, now_ms),
            "console": f"http://127.0.0.1:{prepared.ports.console}",
            "demonstration": "演示数据",
        }


def _announce(options: Options, prepared: Prepared) -> None:
    _say(f"console  http://127.0.0.1:{options.port}   演示数据 / demonstration data")
    _say("  its login lets you in by one click, as administrator or any other role")
    for gateway, port in prepared.ports.edges.items():
        _say(f"  edge {gateway:<12} http://127.0.0.1:{port}")
    top = prepared.ports.native[levels.TOP]
    _say(f"an identifier, from the top level: qulink id resolve CODE --at 127.0.0.1:{top} --trace")
    _say(f"logs in {prepared.folder / 'logs'}")
    ending = "Ctrl-C ends it" if options.for_s is None else f"it ends after {options.for_s:g} s"
    _say(f"stop a line: {_stop_command(options, next(iter(prepared.ports.modbus)))}; {ending}")


def _stop_command(options: Options, line: str) -> str:
    """What to type in the folder where the demonstration was started."""
    program = Path(sys.executable).with_name("qulink")
    name = "qulink" if shutil.which("qulink") == str(program) else os.path.relpath(program)
    data = "" if options.data == DATA.absolute() else f" --data {shlex.quote(str(options.data))}"
    return f"{name} demo stop {line}{data}"


def _deliver(report: dict[str, Any], file: Path | None) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    if file is not None:
        file.write_text(text, encoding="utf-8")
        _say(f"report in {file}")
    else:
        sys.stdout.write(text)
    balanced = "the books balance" if report["balance_ok"] else "THE BOOKS DO NOT BALANCE"
    _say(f"{balanced}: {json.dumps(report['values'], ensure_ascii=False)}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _say(text: str) -> None:
    sys.stderr.write(f"demo: {text}\n")
    sys.stderr.flush()
