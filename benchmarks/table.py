"""The table of ``docs/benchmarks.md`` from what ``make bench`` printed.

``python -m benchmarks.table < bench.json`` prints Markdown: an older checkout, where one was
measured beside this one, next to it, and the ratio.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

Result = dict[str, Any]

_FIGURES = {
    "core_percent": "% of a core",
    "cpu_ms": "ms of processor time",
    "cpu_seconds": "s of processor time",
    "cpu_us": "µs of processor time",
    "beside_bare_us": "µs beside bare asyncio",
    "pss_mib": "MiB PSS",
    "rss_mib": "MiB RSS",
    "late_ms": "ms late (p99)",
    "frames_per_cpu_s": "frames a CPU second",
    "p99_ms": "ms to the acknowledgement (p99)",
    "values_per_s": "values a second",
}


def rows(results: Iterable[Result]) -> Iterator[str]:
    """Lines of the table, one a figure of a measurement.

    Args:
        results: the objects under ``results`` of the benchmark's JSON.
    """
    yield "| what | figure | before | now | ratio |"
    yield "|---|---|---|---|---|"
    for result in results:
        before = result.get("against", {})
        for key, unit in _FIGURES.items():
            now, then = _number(result.get(key)), _number(before.get(key))
            if now is not None:
                ratio = "" if not then else f"{now / then:.2f}"
                cells = (result["name"], unit, "" if then is None else f"{then:g}", f"{now:g}")
                yield f"| {' | '.join(cells)} | {ratio} |"


def _number(figure: object) -> float | None:
    """A figure; of quantiles the p99."""
    if isinstance(figure, dict):
        figure = figure.get("p99")
    return float(figure) if isinstance(figure, int | float) else None


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows(json.load(sys.stdin)["results"])) + "\n")
