"""``make bench``: every measurement, or those named; JSON on standard output."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import identifiers, points, resolution, southbound
from benchmarks.city import (
    codec,
    engines,
    frames,
    handover,
    importing,
    ingest,
    latency,
    ledger,
    officers,
    rates,
    stores,
)
from benchmarks.edge import rows
from benchmarks.edge.plant import Plant
from benchmarks.machine import describe
from benchmarks.processes import Checkout, allow_many_files

Result = dict[str, object]

REST = Plant(addresses=10, units=1, tags=30)
MEMORY = (Plant(addresses=10, units=1, tags=10), Plant(addresses=10, units=1, tags=100))
FOUND = Plant(addresses=100, units=1, tags=1000, window=None)
EDGE = (
    REST,
    Plant(addresses=10, units=10, tags=100),
    Plant(addresses=100, units=1, tags=100),
    Plant(addresses=10, units=10, tags=1000),
    Plant(addresses=100, units=1, tags=1000),
    Plant(addresses=100, units=1, tags=1000, window=16),
    FOUND,
)
MANY = Plant(addresses=500, units=1, tags=30)
LARGE = (MANY, Plant(addresses=1000, units=1, tags=300))
FAST = (Plant(addresses=1, units=1, tags=100, interval_ms=20),)

OPCUA = (
    Plant(protocol="opcua", addresses=1, units=1, tags=10_000, interval_ms=100),
    Plant(protocol="opcua", addresses=1, units=1, tags=10_000, interval_ms=100, encrypted=True),
    Plant(protocol="opcua", addresses=100, units=1, tags=1000),
)

EDGES: dict[str, tuple[Plant, ...]] = {
    "rest": (REST,),
    "found": (FOUND,),
    "many": (MANY,),
    "edge": EDGE,
    "large": LARGE,
    "fast": FAST,
    "memory": MEMORY,
    "opcua": OPCUA,
}
"""Loads of one edge, which an older one may take turns with."""

SINGLE = {"rest", "found", "many"}
"""Rows of other names by themselves."""

OTHERS: dict[str, Callable[[float], list[Result]]] = {
    "wire": lambda _seconds: codec.measure(),
    "identifiers": lambda _seconds: identifiers.measure(),
    "resolution": lambda _seconds: resolution.measure(),
    "southbound": lambda _seconds: southbound.measure(),
    "points": lambda _seconds: list(points.measure()),
    "ingest": lambda _seconds: [
        *(ingest.measure(tags) for tags in (1000, 30, 10)),
        ingest.measure_changes(),
    ],
    "frames": lambda _seconds: frames.measure(),
    "drain": lambda _seconds: frames.measure_drain(),
    "handover": lambda _seconds: handover.measure(),
    "ledger": lambda _seconds: [*ledger.measure(), *ledger.measure_on_postgres()],
    "import": lambda _seconds: list(importing.measure()),
    "rates": lambda _seconds: list(rates.measure()),
    "engines": lambda _seconds: list(engines.measure()),
    "officers": officers.measure,
    "stores": lambda seconds: stores.measure(min(seconds, 10)),
    "latency": lambda seconds: [latency.measure(Plant(addresses=20, units=1, tags=100), seconds)],
}


def main() -> None:
    """Run and print."""
    arguments = _parser().parse_args()
    against = Checkout.at(arguments.against.resolve()) if arguments.against else None
    machine = describe()
    allow_many_files()
    results: list[Result] = []
    for name in arguments.names or _all():
        sys.stderr.write(f"bench: {name} …\n")
        try:
            if name in EDGES:
                results += rows.measure(EDGES[name], arguments.seconds, against)
            else:
                results += OTHERS[name](arguments.seconds)
        except pytest.skip.Exception as lacking:  # a program by others, as in the tests
            sys.exit(f"bench: {lacking}")
    json.dump({"machine": machine, "results": results}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _all() -> list[str]:
    """In one order, so that runs compare, and without single rows of others."""
    return [*(name for name in EDGES if name not in SINGLE), *OTHERS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    add = parser.add_argument
    # argparse holds the default of an optional list against the choices, too.
    add("names", nargs="*", choices=[[], *EDGES, *OTHERS], default=[])
    add("--seconds", type=float, default=30, help="of each process measurement")
    add("--against", type=Path, help="another checkout, whose edge takes turns with ours")
    return parser


if __name__ == "__main__":
    main()
