"""``make bench``: every measurement, or those named; JSON on standard output."""

import argparse
import json
import sys
from collections.abc import Callable

import pytest

from benchmarks import codec, edge, ingest, latency, stores
from benchmarks.machine import describe
from benchmarks.plant import Plant

Result = dict[str, object]

MEASUREMENTS: dict[str, Callable[[float], list[Result]]] = {
    "wire": lambda _seconds: codec.measure(),
    "ingest": lambda _seconds: [
        *(ingest.measure(tags) for tags in (1000, 30, 10)),
        ingest.measure_changes(),
    ],
    "stores": lambda seconds: stores.measure(min(seconds, 10)),
    "rest": lambda seconds: [edge.measure("edge at rest", Plant(devices=10, tags=30), seconds)],
    "edge": lambda seconds: [
        edge.measure("edge under load", Plant(devices=100, tags=1000, window=window), seconds)
        for window in (1, 16)
    ],
    "latency": lambda seconds: [latency.measure(Plant(devices=20, tags=100), seconds)],
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], default=[])
    parser.add_argument("--seconds", type=float, default=30, help="of each process measurement")
    arguments = parser.parse_args()
    machine = describe()
    results: list[Result] = []
    for name in arguments.names or MEASUREMENTS:
        sys.stderr.write(f"bench: {name} …\n")
        try:
            results += MEASUREMENTS[name](arguments.seconds)
        except pytest.skip.Exception as lacking:  # a program by others, as in the tests
            sys.exit(f"bench: {lacking}")
    json.dump({"machine": machine, "results": results}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
