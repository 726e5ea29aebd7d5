"""What is withheld, judged by G-Confid of Statistics Canada: a program and a model not ours."""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.city.rates.publishing.grid import TOTAL, Key
from gateway.city.rates.publishing.rules import Rules
from gateway.city.rates.publishing.withholding import Withheld
from tests.rates.publishing.attack import Seen, truth_of
from tests.rates.publishing.cities import city
from tests.rates.publishing.test_attack import RULES, published, without
from tests.support.peers import missing

JUDGE = Path(__file__).parents[2] / "foreign" / "disclosure" / "gconfid_auditor.py"
TABLE = city(1)
TRUTH = truth_of(TABLE)
KEYS = sorted(TRUTH)
COUNTS = {
    "equipment": lambda one: one.networked + one.silent,
    "networked": lambda one: one.networked,
    "silent": lambda one: one.silent,
}
Intervals = Mapping[Key, tuple[float, float]]


@pytest.fixture(scope="module")
def python() -> Path:
    """Of the environment that ``make foreign-peers`` makes for G-Confid."""
    found = Path(sys.prefix) / "disclosure" / "bin" / "python"
    if not found.exists():
        missing("G-Confid", "make foreign-peers")
    return found


def _asked(seen: Seen, count: str) -> dict[str, Any]:
    """A table of one number as its reader sees it: cells, which are hidden, and what adds up."""
    at = {key: place for place, key in enumerate(KEYS, 1)}
    lines = [[(c, TOTAL), *(k for k in KEYS if k[0] == c and k[1])] for c in _named(0)]
    lines += [[(TOTAL, i), *(k for k in KEYS if k[1] == i and k[0])] for i in _named(1)]
    return {
        "cells": {at[key]: COUNTS[count](TRUTH[key]) for key in KEYS},
        "hidden": [at[key] for key in KEYS if seen.cells[key] is None],
        "sums": [[at[key] for key in line] for line in lines],
    }


def _named(place: int) -> list[str]:
    return sorted({key[place] for key in KEYS})


@pytest.fixture(scope="module")
def judged(python: Path) -> list[tuple[Seen, Withheld, dict[str, Intervals]]]:
    """The published city, and one without cells that protect others, with what is said of both."""
    both = [published([TABLE], rules)[0] for rules in (RULES, without("secondary"))]
    asked = [_asked(seen, count) for seen, _ in both for count in COUNTS]
    run = partial(subprocess.run, capture_output=True, text=True, check=False)
    answer = run([python, JUDGE], input=json.dumps(asked))
    assert answer.returncode == 0, answer.stderr
    told = [
        {KEYS[int(at) - 1]: one for at, one in found.items()} for found in json.loads(answer.stdout)
    ]
    cuts = (told[: len(COUNTS)], told[len(COUNTS) :])
    return [
        (*one, dict(zip(COUNTS, cut, strict=True))) for one, cut in zip(both, cuts, strict=True)
    ]


def _narrow(withheld: Withheld, told: dict[str, Intervals], rules: Rules) -> list[tuple[str, Key]]:
    """Sensitive cells of which it knows more than the rule allows; of none it can say nothing."""
    found = []
    for count, intervals in told.items():
        least = 1 if count == "equipment" else 0
        for key in sorted(withheld.sensitive & intervals.keys()):
            value = COUNTS[count](TRUTH[key])
            doubt = max(1, -(-value * rules.interval_percent // 100))
            low, high = value - min(doubt, value - least), value + doubt
            if value and (intervals[key][0] > low + 1e-6 or intervals[key][1] < high - 1e-6):
                found.append((count, key))
    return found


def test_it_finds_nothing_that_is_withheld(
    judged: list[tuple[Seen, Withheld, dict[str, Intervals]]],
) -> None:
    (_, withheld, told), (_, bare, found) = judged
    assert withheld.sensitive and len(told["equipment"]) > len(withheld.sensitive)
    assert _narrow(withheld, told, RULES) == []
    assert len(_narrow(bare, found, RULES)) > 3, "what is hidden alone is found by subtraction"
