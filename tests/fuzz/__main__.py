"""``make fuzz``: every decoder in turn until the time is over; prints JSON.

``make fuzz ARGS="--minutes 10 --seed 7 --only mc s7/items"``; a finding, ``mc/answers 7 1234``,
is tried again by ``--again mc/answers --seed 7 --number 1234``. Exit code 1: there are findings.
"""

import argparse
import json
import sys

from tests.fuzz.harness import Target, attempt, campaign
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run and print."""
    options = _parser().parse_args()
    if options.again:
        (target,) = (one for one in TARGETS if one.name == options.again)
        sys.stdout.write(" ".join(attempt(target, options.seed, options.number)) + "\n")
        return 0
    targets = [one for one in TARGETS if not options.only or _is_named(one, options.only)]
    each_s = 60 * options.minutes / len(targets)
    results = []
    for target in targets:
        verdict = campaign(target, options.seed, lambda _, took_s: took_s >= each_s)
        results.append(verdict.as_json())
        sys.stderr.write(f"{verdict.target}: {dict(verdict.outcomes)}\n")
    report = {"seed": options.seed, "results": results}
    report["inputs"] = sum(one["inputs"] for one in results)
    report["findings"] = sum(one.get("wrong", 0) for one in results)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return int(report["findings"] > 0)


def _is_named(target: Target, names: list[str]) -> bool:
    return any(target.name == name or target.name.startswith(f"{name}/") for name in names)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="for all together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="drivers or decoders")
    parser.add_argument("--again", default="", help="the decoder of a finding")
    parser.add_argument("--number", type=int, default=0, help="the number of a finding")
    return parser


if __name__ == "__main__":
    sys.exit(main())
