"""``make chaos``: runs of every kind of fault in turn until the time is over; prints JSON.

``make chaos ARGS="--seed 7 --minutes 20 --kinds kill-edge kill-city"``. A campaign of all kinds
writes its table to ``docs/durability.md``. Exit code 1: the judge found something.
``make chaos ARGS="identifiers --rounds 50"`` is the campaign of identifiers.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import describe
from tests.chaos import table
from tests.chaos.campaign import Result, run
from tests.chaos.identifiers import campaign as identifiers
from tests.chaos.kinds import KINDS


def main() -> int:
    """Run and print."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the plant ends with it
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="qulink-chaos-"))
    sys.stderr.write(f"chaos: files of runs with findings stay in {folder}\n")
    machine, begin = describe(), time.monotonic()
    results = asyncio.run(campaign(arguments, folder))
    report = {
        "machine": machine,
        "date": datetime.now(UTC).date().isoformat(),
        "seed": arguments.seed,
        "took_minutes": round((time.monotonic() - begin) / 60, 1),
        "results": [result.as_json() for result in results],
    }
    json.dump(report, sys.stdout, indent=2)
    sys.stdout.write("\n")
    if {result.kind for result in results} == KINDS.keys():
        table.write(report)
    return int(not all(result.faultless for result in results))


async def campaign(arguments: argparse.Namespace, folder: Path) -> list[Result]:
    """Take the kinds in turn; each is tried once, then as often as the time allows."""
    results: list[Result] = []
    end = time.monotonic() + arguments.minutes * 60
    turn = 0
    while turn == 0 or time.monotonic() < end:
        turn += 1
        for name in arguments.kinds or KINDS:
            if turn > 1 and time.monotonic() >= end:
                break
            result = await run(name, turn, arguments.seed, arguments.seconds, folder)
            results.append(result)
            _tell(result)
    return results


def _tell(result: Result) -> None:
    if result.lacking:
        sys.stderr.write(f"chaos: {result.kind} is left out: {result.lacking}\n")
        return
    found = ", ".join(f"{getattr(result, one)} {one}" for one in table.COLUMNS[2:])
    sys.stderr.write(
        f"chaos: {result.kind} run {result.run}: {result.faults} faults in {result.seconds:g} s, "
        f"{result.answers} answers: {found}\n"
    )
    for line in result.findings[:5]:
        sys.stderr.write(f"       {line}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=1, help="of every random choice")
    add("--minutes", type=float, default=15, help="no run begins later; every kind gets one")
    add("--seconds", type=float, default=25, help="of faults in each run")
    add("--kinds", nargs="+", choices=list(KINDS), help="default: all")
    add("--keep", type=Path, help="folder for the files of runs; default: a temporary one")
    return parser


if __name__ == "__main__":
    sys.exit(identifiers.main(sys.argv[2:]) if sys.argv[1:2] == ["identifiers"] else main())
