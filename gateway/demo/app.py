"""The run itself: start everything, wait, stop polling, drain, close the books."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from edge_config.base import ConsoleConfig
from edge_config.load import load_city
from gateway.city.stores.api import StoreError
from gateway.city.stores.choose import make_store
from gateway.core.books import day_of
from gateway.demo import report as closing
from gateway.demo.cast import Cast, load_cast
from gateway.demo.control import Line, build
from gateway.demo.options import Options
from gateway.demo.prepare import NotPreparedError, Prepared, opened, prepare
from gateway.demo.processes import Child, ProcessFailedError, qulink
from gateway.web.serve import serve

DRAIN_S = 10
_WATCH_S = 1.0
_HEADLINE = "ENR-A"


class DemoFailedError(Exception):
    """The demonstration could not run; the message says why."""


async def run(options: Options) -> bool:
    """Run the demonstration until Ctrl-C, or for the seconds asked for.

    Returns:
        Whether the books balance.

    Raises:
        DemoFailedError: it could not be started, or a process died.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        cast, started_ms = load_cast(), _now_ms()
        _say("preparing ledger, history and configurations …")
        prepared = await asyncio.to_thread(prepare, options, cast, started_ms)
        report = await _play(options, cast, prepared, started_ms, stop)
    except (NotPreparedError, ProcessFailedError, StoreError) as error:
        raise DemoFailedError(str(error)) from error
    except ExceptionGroup as group:
        raise DemoFailedError("; ".join(str(error) for error in group.exceptions)) from group
    _deliver(report, options.report)
    return bool(report["balance_ok"])


async def _play(
    options: Options, cast: Cast, prepared: Prepared, started_ms: int, stop: asyncio.Event
) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        lines = {line.id: _line(line, prepared) for line in cast.lines}
        children = [line.child for line in lines.values()]
        if prepared.broker is not None:
            broker = _child("broker", _python("gateway.demo.broker", prepared.broker), prepared)
            children.append(broker)
            await _start(stack, broker, prepared.ports.broker)
        await asyncio.gather(*(_start(stack, line.child, line.port) for line in lines.values()))
        _say(f"{len(lines)} simulated lines speak Modbus TCP and OPC UA")
        await stack.enter_async_context(_controlled(lines, prepared))
        city = _child("city", qulink("city", str(prepared.city)), prepared)
        await _start(stack, city, prepared.ports.console)
        edges = [
            _child(gateway, qulink("run", str(file), "--drain-s", str(DRAIN_S)), prepared)
            for gateway, file in prepared.edges.items()
        ]
        for edge in edges:
            await _start(stack, edge)
        _announce(options, prepared)
        ran_from = time.monotonic()
        await _wait(options.for_s, [city, *edges], stop)
        seconds = time.monotonic() - ran_from
        _say(f"stopping to poll; draining for at most {DRAIN_S} s …")
        await asyncio.gather(*(edge.stop(DRAIN_S + 5) for edge in edges))
        return await _report(prepared, cast, started_ms, seconds)


async def _wait(for_s: float | None, children: list[Child], stop: asyncio.Event) -> None:
    end = None if for_s is None else time.monotonic() + for_s
    while not stop.is_set() and (end is None or time.monotonic() < end):
        left = _WATCH_S if end is None else min(_WATCH_S, end - time.monotonic())
        try:
            async with asyncio.timeout(max(0.0, left)):
                await stop.wait()
        except TimeoutError:
            for child in children:
                child.check()


def _line(line: Any, prepared: Prepared) -> Line:
    ports = prepared.ports
    command = qulink(
        "simulate", line.id, "--port", str(ports.modbus[line.id]),
        "--opcua-port", str(ports.opcua[line.id]),
    )  # fmt: skip
    child = _child(f"line-{line.id}", command, prepared)
    return Line(line.title_zh, line.title_en, child, ports.modbus[line.id])


def _child(name: str, command: tuple[str, ...], prepared: Prepared) -> Child:
    return Child(name, command, prepared.folder / "logs" / f"{name}.log")


def _python(module: str, argument: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", module, str(argument))


async def _start(stack: AsyncExitStack, child: Child, port: int | None = None) -> None:
    stack.push_async_callback(child.stop)
    await child.start()
    if port is not None:
        await child.wait_for_port(port)


@asynccontextmanager
async def _controlled(lines: dict[str, Line], prepared: Prepared) -> AsyncIterator[None]:
    address = f"127.0.0.1:{prepared.ports.control}"
    task = asyncio.create_task(serve(build(lines), ConsoleConfig(listen=address)))
    text = json.dumps({"url": f"http://{address}", "pid": os.getpid()})
    (prepared.folder / "control.json").write_text(text)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _report(
    prepared: Prepared, cast: Cast, started_ms: int, seconds: float
) -> dict[str, Any]:
    gateways = list(prepared.edges)
    now_ms = _now_ms()
    books = closing.edge_books(prepared.buffers)
    config = load_city(prepared.city)
    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        stored = await store.count(gateways, started_ms, now_ms + 60_000)
    finally:
        await store.close()
    with opened(prepared.city) as database:
        refused = database.run_now(closing.quarantined, gateways)
        values, balanced = closing.values_section(books, stored, refused)
        return {
            "seconds": round(seconds, 1),
            "gateways": len(gateways),
            "devices": sum(len(line.machines) for line in cast.lines),
            "values": values,
            "balance_ok": balanced,
            "ledger": database.run_now(closing.ledger_section),
            "identifiers": database.run_now(closing.identifiers_section),
            "rates": database.run_now(
                closing.rates_section, _HEADLINE, f"{day_of(now_ms):%Y-%m}", now_ms
            ),
            "console": f"http://{config.console.listen}",
            "demonstration": "演示数据",
        }


def _announce(options: Options, prepared: Prepared) -> None:
    _say(f"console  http://127.0.0.1:{options.port}   演示数据 / demonstration data")
    for gateway, port in prepared.ports.edges.items():
        _say(f"  edge {gateway:<12} http://127.0.0.1:{port}")
    _say(f"logs in {prepared.folder / 'logs'}")
    ending = "Ctrl-C ends it" if options.for_s is None else f"it ends after {options.for_s:g} s"
    _say(f"stop a line: qulink demo stop {next(iter(prepared.ports.modbus))}; {ending}")


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
