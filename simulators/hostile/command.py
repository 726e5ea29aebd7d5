"""``qulink simulate hostile``: the hostile plant as a process."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from simulators.hostile.clockwork import UNITS, Clockwork
from simulators.hostile.faults import FAULTS
from simulators.hostile.frames import FRAMINGS
from simulators.hostile.plant import Happening, HostilePlant
from simulators.hostile.script import Script, ScriptError, everything, read
from simulators.servers.serving import PortInUseError

PORT = 15_030
EXIT_USAGE = 2
_EXAMPLE = (
    "Example: qulink simulate hostile --to 127.0.0.1:15020 --script faults.yaml, with a script "
    "such as {seed: 7, faults: [{do: late, ms: [200, 900], chance: 0.05}, {do: silent, units: "
    "[3], from_s: 10, to_s: 20}]}"
)
_ABOUT = (
    "Stand between a client and a device and do what plants do, by a script and a seed. Without "
    "--to it is a device itself: Modbus units whose registers hold their clock and their address. "
    "It prints 'ready …' with its address, then each fault as it strikes."
)


def parser() -> argparse.ArgumentParser:
    """The options; see ``docs/simulators.md``."""
    made = argparse.ArgumentParser("qulink simulate hostile", description=_ABOUT, epilog=_EXAMPLE)
    add = made.add_argument
    add("--list", action="store_true", help="print the kinds of faults and their arguments")
    add("--script", type=Path, help="YAML file with the faults; default: every kind, --chance each")
    add("--chance", type=_chance, default=0.01, help="without --script: of each kind, 0 to 1")
    add("--seed", type=int, help="equal seeds give equal faults; default: the script's, or 1")
    add("--to", type=_address, help="the device to stand before: HOST:PORT")
    framings = "how frames are told apart; raw: what comes together is one"
    add("--framing", choices=list(FRAMINGS), default="tcp", help=framings)
    add("--units", type=_units, default=4, help=f"without --to: units 1 to N, at most {UNITS}")
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=PORT, help="TCP port to listen on")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    command = parser()
    options = command.parse_args(arguments)
    if options.list:
        return _list()
    if options.to is None and options.framing not in ("tcp", "rtu"):
        command.error(f"--framing {options.framing} needs --to: no device of ours speaks it")
    try:
        script = _script(options)
        asyncio.run(_serve(options, script))
    except ScriptError as error:
        command.error(f"--script {options.script}: {error}")
    except OSError as error:
        command.error(f"--script {options.script}: {error.strerror}")
    except PortInUseError as error:
        command.error(f"{error}; choose another with --port")
    return 0


def _script(options: argparse.Namespace) -> Script:
    if options.script is None:
        return everything(options.chance, 1 if options.seed is None else options.seed)
    script = read(options.script.read_text(encoding="utf-8"))
    return script if options.seed is None else replace(script, seed=options.seed)


async def _serve(options: argparse.Namespace, script: Script) -> None:
    """Serve until SIGTERM or SIGINT."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with _device(options) as device:
        plant = HostilePlant(script, FRAMINGS[options.framing], device, _tell)
        try:
            await plant.start(options.host, options.port)
            _say(f"ready hostile {options.framing}={options.host}:{plant.port}")
            await over.wait()
        finally:
            await plant.stop()


@asynccontextmanager
async def _device(options: argparse.Namespace) -> AsyncIterator[tuple[str, int]]:
    if options.to is not None:
        yield options.to
        return
    async with Clockwork(options.units, FRAMINGS[options.framing]) as device:
        yield "127.0.0.1", device.port


def _list() -> int:
    for name, fault in FAULTS.items():
        given = ", ".join(f"{key}: {value:g}" for key, value in fault.given.items())
        _say(f"{name:18}{given:14}{fault.words}")
    return 0


def _tell(happening: Happening) -> None:
    _say(str(happening))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _chance(text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return chance


def _units(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {UNITS}")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT such as 127.0.0.1:502")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
