"""``python -m simulators``: a factory line, or a server for benchmarks, as a process."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TextIO

from simulators.line import lines
from simulators.options import BENCHES, HOSTILE, METERS, parser
from simulators.servers.serving import PortInUseError

EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == [HOSTILE]:
        from simulators.hostile.command import main as hostile

        return hostile(words[1:])
    command = parser()
    options = command.parse_args(words)
    if options.list:
        return _list()
    if options.profile is None:
        command.error(f"which line? One of {', '.join((*lines(), *BENCHES, METERS))}")
    if options.profile == HOSTILE:
        command.error("hostile has options of its own and comes first: simulate hostile --help")
    if options.profile == "profiles":
        return _write_profiles(options.into)
    if options.serial is not None and options.profile != METERS:
        command.error(f"--serial is for {METERS}")
    unknown = _unknown_units(options)
    if unknown:
        command.error(f"{options.profile} has no Modbus unit {unknown[0]} to be at fault")
    try:
        asyncio.run(_serve(options))
    except PortInUseError as error:
        _say(
            f"{error}; choose another with --port, --opcua-port, --controller-port or --serial",
            sys.stderr,
        )
        return EXIT_USAGE
    return 0


def _unknown_units(options: argparse.Namespace) -> list[int]:
    """Units that are to be at fault, but do not exist."""
    line = lines().get(options.profile)
    places = line.first(options.machines).places if line else ()
    return sorted({unit for _, unit in options.fault} - {place.unit for place in places})


async def _serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    serve = _bench if options.profile in BENCHES else _line
    async with (_meters if options.profile == METERS else serve)(options) as where:
        _say(f"ready {options.profile} {where}")
        await over.wait()


# What follows imports late: servers and their libraries take longer than --list or a mistake.


def _bench(options: argparse.Namespace) -> AbstractAsyncContextManager[str]:
    from simulators.bench.serve import serving

    return serving(options)


def _meters(options: argparse.Namespace) -> AbstractAsyncContextManager[str]:
    from simulators.meters import PORT, serving

    return serving(options.host, options.port or PORT, options.serial, options.seed)


@asynccontextmanager
async def _line(options: argparse.Namespace) -> AsyncIterator[str]:
    from simulators.faults import Faults
    from simulators.plant import Plant, Ports

    line = lines()[options.profile].first(options.machines)
    plant = Plant(line, options.seed, options.clock, Faults.of(options.fault))
    modbus, opcua = options.port or line.modbus_port, options.opcua_port or line.opcua_port
    ports = Ports(modbus or 0, opcua or 0, options.controller_port)
    async with plant.running(options.host, ports) as where:
        yield where


def _list() -> int:
    for line in lines().values():
        ports = {"Modbus TCP": line.modbus_port, "OPC UA": line.opcua_port}
        where = ", ".join(f"{name} {port}" for name, port in ports.items() if port)
        _say(f"{line.name}: {line.title_zh} / {line.title_en}; {where or 'a port each'}")
        for place in line.places:
            own = f"port {place.controller_port}" if place.controller_port else ""
            where = place.node or own or f"unit {place.unit}"
            _say(
                f"  {place.asset_no}  {where:20}{place.profile:20}{place.name_zh} / {place.name_en}"
            )
    return 0


def _write_profiles(folder: Path) -> int:
    from simulators.machines import MANUALS
    from simulators.profiles import text

    try:
        for manual in MANUALS.values():
            (folder / f"{manual.name}.yaml").write_text(text(manual), encoding="utf-8")
    except OSError as error:
        _say(f"cannot write profiles into {folder}: {error.strerror}; name --into", sys.stderr)
        return EXIT_USAGE
    _say(f"{len(MANUALS)} profiles written into {folder}")
    return 0


def _say(text: str, stream: TextIO | None = None) -> None:
    print(text, file=stream, flush=True)


if __name__ == "__main__":
    sys.exit(main())
