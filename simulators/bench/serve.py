"""``qulink simulate bench`` and ``bench-opcua``: what their options start."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulators.bench.watch import Watch

BENCH_PORT = 15010
BENCH_OPCUA_PORT = 48410


@asynccontextmanager
async def serving(options: argparse.Namespace) -> AsyncIterator[str]:
    """Listen as the options say; yields where.

    Raises:
        PortInUseError: a port cannot be listened on.
    """
    async with (_opcua if options.profile == "bench-opcua" else _modbus)(options) as where:
        yield where


@asynccontextmanager
async def _modbus(options: argparse.Namespace) -> AsyncIterator[str]:
    from simulators.bench import modbus

    port, sizes = options.port or BENCH_PORT, (options.addresses, options.devices, options.tags)
    async with modbus.listening(port, *sizes, _watch(options.interval_ms), options.seed):
        yield f"modbus=127.0.0.1:{port}"


@asynccontextmanager
async def _opcua(options: argparse.Namespace) -> AsyncIterator[str]:
    from simulators.bench import opcua

    port = options.opcua_port or BENCH_OPCUA_PORT
    _watch(options.interval_ms)  # nobody polls here, but whoever measures asks for a report
    async with opcua.listening(port, options.addresses, options.identity):
        yield f"opcua=opc.tcp://127.0.0.1:{port}/"


def _watch(interval_ms: int) -> Watch:
    """Notes polls; SIGUSR1 has it print what it saw."""
    watch = Watch(interval_ms / 1000, time.time())
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _report, watch)
    return watch


def _report(watch: Watch) -> None:
    sys.stdout.write(watch.report(time.time()) + "\n")
    sys.stdout.flush()
