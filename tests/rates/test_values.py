"""Copied and replayed values are found by what they are; honest machines are left in peace."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.city.rates.findings.gathering import builtin_rules
from gateway.city.rates.findings.model import Kind
from gateway.city.rates.findings.values import (
    KEPT,
    ValuesDay,
    repeated_values,
    resemblance,
    sketch,
)

RULES = builtin_rules()
Values = NDArray[np.float64]
N = 1_440
"""Values of a day, one a minute."""


def temperature(seed: int) -> Values:
    """Drifts about a level, in steps of 0.1 as an instrument shows it."""
    chance = np.random.default_rng(seed)
    wander = np.cumsum(chance.normal(0, 0.4, N))
    return (60 + wander - np.linspace(0, wander[-1], N)).round(1)


def current(seed: int) -> Values:
    """Load with noise; integers of an analogue input."""
    chance = np.random.default_rng(seed + 1_000_000)
    return (800 + 300 * (chance.random(N) < 0.6) + chance.integers(-20, 20, N)).astype(np.float64)


def counter(seed: int) -> Values:
    """Parts since the shift began: every machine that makes as many has the same."""
    return np.arange(N, dtype=np.float64) % 480 + 0 * seed


def recipe(_seed: int) -> Values:
    """A set value that all kilns follow."""
    return np.interp(np.arange(N), [0, 300, 900, N], [20, 180, 180, 40]).round(0)


def switch(seed: int) -> Values:
    return np.random.default_rng(seed + 7).integers(0, 2, N).astype(np.float64)


HONEST = {"t": temperature, "i": current, "n": counter, "sp": recipe, "run": switch}


def day(seed: int, number: str, at: int = 0, tags: Iterable[str] = HONEST) -> ValuesDay:
    made = {name: sketch(HONEST[name](seed), RULES) for name in tags}
    return ValuesDay("U", number, f"gw/{number}", at, {n: one for n, one in made.items() if one})


def kinds(days: Iterable[ValuesDay]) -> list[tuple[Kind, tuple[str, ...], int]]:
    return [(one.kind, one.machines, one.numbers["days"]) for one in repeated_values(days, RULES)]


def test_honest_machines_have_no_run_in_common() -> None:
    """200 machine days, with counters, recipes and switches that all have alike: no alarm."""
    days = [day(seed, f"1/M-{seed % 50}", seed // 50) for seed in range(200)]
    assert kinds(days) == []
    assert {name for one in days for name in one.sketches} == {"t", "i"}


def shifted(values: Values) -> Values:
    """Two hours later."""
    return np.concatenate([values[:120][::-1], values])[:N]


def thinned(values: Values) -> Values:
    """A quarter of the day was lost on the way, and values were sent again."""
    return np.repeat(np.delete(values, slice(300, 660)), 2)


@pytest.mark.parametrize("change", [np.copy, shifted, thinned])
def test_a_copy_is_found_however_it_came(change: Callable[[Values], Values]) -> None:
    others = [day(seed, f"1/M-{seed}") for seed in range(20)]
    for seed in range(5):
        made = {
            f"x{n}": sketch(change(HONEST[n](seed)), RULES) for n in ("t", "i")
        }  # by other names
        copy = ValuesDay("U", "1/copy", "gw/copy", 0, made)
        assert kinds([*others, copy]) == [(Kind.SAME_VALUES, (f"1/M-{seed}", "1/copy"), 1)]


def test_a_day_that_is_sent_again_is_found() -> None:
    days = [day(3, "1/R", at) for at in range(3)] + [day(9, "1/S", at) for at in (0,)]
    assert kinds(days) == [(Kind.SAME_DAYS, ("1/R",), 3)]


def test_what_one_device_says_of_two_machines_is_no_copy() -> None:
    one = day(3, "1/A")
    same = replace(one, number="1/B")
    assert kinds([one, same]) == []
    assert kinds([one, replace(same, place="gw/other")]) == [(Kind.SAME_VALUES, ("1/A", "1/B"), 1)]


def test_one_signal_that_a_line_shares_is_no_copy() -> None:
    """The line's temperature reaches both controllers; what each drive draws is its own."""
    shared = sketch(temperature(1), RULES)
    machines = [
        ValuesDay("U", f"1/{n}", f"gw/{n}", 0, {"t": shared, "i": sketch(current(n), RULES),
                                              "j": sketch(current(n + 50), RULES)})
        for n in (1, 2)
    ]  # fmt: skip
    assert kinds(machines) == []


def test_enterprises_are_named_where_they_differ() -> None:
    one = day(3, "1/A")
    (found,) = repeated_values([one, replace(one, uscc="V", place="gw/v")], RULES)
    assert found.machines == ("U/1/A", "V/1/A")


def test_a_sketch_is_of_what_came_and_not_of_how() -> None:
    values = temperature(5)
    told = sketch(values, RULES)
    assert len(told) == KEPT
    assert told == sketch(np.repeat(values, 3), RULES)
    broken = values.copy()
    broken[10] = np.nan
    assert resemblance(told, sketch(broken, RULES)) > 0.9  # type: ignore[operator]
    assert sketch(values[:10], RULES) == sketch(np.zeros(0), RULES) == ()
    assert resemblance((), ()) == 0
    order = list(range(4))
    random.Random(1).shuffle(order)
    assert kinds([day(3, "1/R", at) for at in order]) == [(Kind.SAME_DAYS, ("1/R",), 4)]
