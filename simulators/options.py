"""The command line of ``python -m simulators``."""

import argparse
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.faults import fault
from simulators.line import lines

BENCHES = ("bench", "bench-opcua")
METERS = "meters"
HOSTILE = "hostile"
"""Has options of its own."""
_PLANT = ZoneInfo("Asia/Shanghai")

_PROFILE = (
    "a line (see --list); bench, bench-opcua: a lean server for benchmarks; "
    "meters: three electricity meters on one line, by DL/T 645; "
    "hostile: devices that do what plants do (see hostile --help); "
    "profiles: write the machine profiles and end"
)
_EXAMPLE = "Example: qulink simulate bearing --fault dead-unit:5"
_FAULT = "dead-unit:N (silent) or frozen:N (stands still), for Modbus unit N; repeatable"


def parser() -> argparse.ArgumentParser:
    """The options; see ``docs/simulators.md``."""
    about = "Simulate a factory line until Ctrl-C. It prints 'ready …' with its addresses."
    made = argparse.ArgumentParser("qulink simulate", description=about, epilog=_EXAMPLE)
    add = made.add_argument
    add(
        "profile",
        nargs="?",
        choices=[*lines(), *BENCHES, METERS, HOSTILE, "profiles"],
        help=_PROFILE,
    )
    add("--list", action="store_true", help="print the lines and their machines")
    add("--port", type=_port, help="Modbus TCP port; default: the line's")
    add("--opcua-port", type=_port, help="OPC UA port; default: the line's")
    ports = "port of the next MELSEC or S7 machine, in their order; repeatable; default: its own"
    add("--controller-port", type=_port, action="append", default=[], help=ports)
    serial = "meters: make a serial port (a pseudo-terminal) at this path, in place of a TCP port"
    add("--serial", type=Path, metavar="PATH", help=serial)
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--seed", type=int, default=1, help="equal seeds give equal machines")
    add("--machines", type=_count, help="only the first so many machines of the line")
    add("--clock", type=_clock, default=_clock("09:00"), help="time in the plant: HH:MM or now")
    add("--fault", type=fault, action="append", default=[], help=_FAULT)
    add("--addresses", type=_count, default=1, help="bench: loopback addresses, 127.0.0.1 …")
    add("--devices", type=_count, default=100, help="bench: units at each address")
    add("--tags", type=_count, default=1000, help="bench: float32 values a unit")
    add("--identity", type=Path, help="bench-opcua: PEM file with key and certificate, encrypts")
    add("--interval-ms", type=_count, default=1000, help="bench: period of the polls it watches")
    into = Path("edge_config/profiles")
    add("--into", type=Path, default=into, help="profiles: folder to write them into")
    return made


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no TCP port (1 to 65535)")
    return int(text)


def _clock(text: str) -> float:
    """Seconds since midnight."""
    if text == "now":
        now = datetime.now(_PLANT)
        return now.hour * 3600.0 + now.minute * 60 + now.second
    try:
        time = datetime.strptime(text, "%H:%M")  # noqa: DTZ007 - a time of day
    except ValueError:
        message = f"{text!r} is no time such as 09:00, nor 'now'"
        raise argparse.ArgumentTypeError(message) from None
    return time.hour * 3600.0 + time.minute * 60
