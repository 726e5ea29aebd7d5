"""Patterns of gaming are found, and honest plants are left in peace: how often not is measured."""

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from gateway.city.rates.findings.checks import at_least, findings, heaped
from gateway.city.rates.findings.gathering import builtin_rules
from gateway.city.rates.findings.model import EnterpriseDays, Kind, MachineDays, Times
from gateway.core.days import DAY_MS

RULES = builtin_rules()
DAYS, PERCENT = 31, 80
FULL, WEEK = (1 << DAYS) - 1, (1 << 7) - 1
HOUR, MINUTE, SECOND = 3_600_000, 60_000, 1_000


def honest(seed: int, machines: int = 30) -> EnterpriseDays:
    """A plant as plants are: shifts, lines behind one switch, breakdowns, a few new and old ones.

    Values come each second, so that two machines behind one switch often begin at the same one.
    """
    chance = random.Random(seed)
    made, networked = [], chance.uniform(0.2, 0.9)
    lines = [(chance.uniform(5, 9), chance.uniform(8, 14)) for _ in range(4)]
    switched = [_switched(chance, *line) for line in lines]
    for at in range(machines):
        line, kind = at % len(lines), chance.random()
        service = FULL
        if kind < 0.06:  # it left service, most likely one that sends nothing
            service = (1 << chance.randrange(3, DAYS)) - 1
        sends = chance.random() < networked and kind >= 0.04
        reliability = chance.choice([1.0, 0.97, 0.9, chance.random()])
        times = {}
        for day in range(DAYS):
            if sends and service >> day & 1 and chance.random() < reliability:
                times[day] = _worked(chance, switched[line][day], kind)
        valid = sum(1 << day for day in times)
        gone = chance.random() < 0.04
        after = 0 if gone else sum(1 << day for day in range(7) if chance.random() < reliability)
        due = 36_000
        made.append(
            MachineDays(
                number=f"M-{at}", place=f"gw/{at}", service=service, valid=valid, after=WEEK,
                valid_after=after if sends else 0,
                networked=valid.bit_count() * 100 >= service.bit_count() * PERCENT,
                times=times,
                counts={day: (int(due * chance.uniform(0.5, 1)), due) for day in times},
            )
        )  # fmt: skip
    return EnterpriseDays("U", "2026-10", DAYS, PERCENT, tuple(made))


def _switched(chance: random.Random, start: float, hours: float) -> list[tuple[int, int]]:
    """When somebody throws the main switch of a line, day by day."""
    jitter = chance.choice([30, 300, 1200])
    return [
        (
            int(start * HOUR + chance.gauss(0, jitter) * SECOND),
            int((start + hours) * HOUR + chance.gauss(0, jitter) * SECOND),
        )
        for _ in range(DAYS)
    ]


def _worked(chance: random.Random, switched: tuple[int, int], kind: float) -> Times:
    if kind > 0.8:  # round the clock
        return Times(chance.randrange(SECOND), DAY_MS - 1 - chance.randrange(SECOND))
    ready = chance.choice([0, 0, 1, 2, chance.randrange(60)]) * SECOND
    first, last = switched[0] + ready, switched[1] - chance.choice([0, 0, 1]) * SECOND
    return Times(first // SECOND * SECOND, max(first + HOUR, last) // SECOND * SECOND)


def test_honest_plants_raise_almost_no_alarm() -> None:
    """100 plants of 30 machines: the rate that docs/rates.md states."""
    alarms = [one.kind for seed in range(100) for one in findings(honest(seed), RULES)]
    assert len(alarms) <= 2, alarms


def changed(firm: EnterpriseDays, change: Callable[[MachineDays], MachineDays]) -> EnterpriseDays:
    return replace(firm, machines=tuple(map(change, firm.machines)))


def copied(firm: EnterpriseDays) -> EnterpriseDays:
    """One machine's stream is sent under a second number, by another device."""
    shifts = [one for one in firm.machines if one.times and min(one.times.values()).first > MINUTE]
    real = max(shifts, key=lambda one: len(one.times))
    return replace(firm, machines=(*firm.machines, replace(real, number="copy", place="gw/copy")))


def scripted(firm: EnterpriseDays) -> EnterpriseDays:
    """A script sends from eight to five, to the second."""
    times = {day: Times(8 * HOUR + day, 17 * HOUR - day) for day in range(25)}
    script = MachineDays("script", "gw/s", FULL, (1 << 25) - 1, times=times)
    return replace(firm, machines=(*firm.machines, script))


def wrong_range(firm: EnterpriseDays) -> EnterpriseDays:
    """A wrong register: most of what it reads is no value of such a machine."""
    counts = dict.fromkeys(range(25), (300, 36_000))
    odd = MachineDays("odd", "gw/o", FULL, (1 << 25) - 1, counts=counts)
    return replace(firm, machines=(*firm.machines, odd))


def just_enough(firm: EnterpriseDays) -> EnterpriseDays:
    """Eighteen machines are switched on until the threshold is reached, and no day longer."""
    some = [MachineDays(f"j{at}", f"gw/j{at}", FULL, (1 << 25) - 1) for at in range(18)]
    return replace(firm, machines=(*firm.machines, *some))


def for_the_day(firm: EnterpriseDays) -> EnterpriseDays:
    """What counted in the month is taken away once it is over."""
    return changed(firm, lambda one: replace(one, valid_after=0) if one.networked else one)


def shrinking(firm: EnterpriseDays) -> EnterpriseDays:
    """Nearly all that are not networked leave the ledger in the last week."""
    gone = FULL >> 5
    idle = [one for one in firm.machines if not one.valid and one.service == FULL]
    left = {one.number for one in idle[: max(5, len(idle) - 1)]}
    return changed(firm, lambda one: replace(one, service=gone) if one.number in left else one)


CHEATS = {
    Kind.SAME_TIMES: copied,
    Kind.FIXED_TIMES: scripted,
    Kind.MOSTLY_INVALID: wrong_range,
    Kind.AT_THRESHOLD: just_enough,
    Kind.UPTO_SNAPSHOT: for_the_day,
}


@pytest.mark.parametrize("kind", CHEATS)
def test_each_cheat_is_found(kind: Kind) -> None:
    for seed in range(20):
        found = {one.kind for one in findings(CHEATS[kind](honest(seed)), RULES)}
        assert kind in found, seed


def test_a_ledger_that_shrinks_where_nothing_is_networked_is_found() -> None:
    """Where enough stand idle for chance to be excluded; few that leave prove nothing."""
    idle = [MachineDays(f"i{at}", "", FULL, 0) for at in range(15)]
    busy = [MachineDays(f"b{at}", "gw/b", FULL, FULL, networked=True) for at in range(15)]
    firm = EnterpriseDays("U", "2026-10", DAYS, PERCENT, (*idle, *busy))
    (one,) = findings(shrinking(firm), RULES)
    assert (one.kind, one.numbers) == (Kind.SHRUNK, {"count": 14, "all": 30})
    few = {"i0", "i1", "i2"}
    some = changed(firm, lambda m: replace(m, service=FULL >> 5) if m.number in few else m)
    assert findings(some, RULES) == []


def test_counts_that_end_in_0_and_5_are_found_and_others_are_not() -> None:
    alarms = 0
    for seed in range(100):
        chance = random.Random(seed)
        sizes = [int(10 + chance.expovariate(1 / 60)) for _ in range(60)]
        alarms += len(list(heaped("330822", sizes, RULES)))
        rounded = [round(one / 5) * 5 if chance.random() < 0.6 else one for one in sizes]
        (found,) = heaped("330822", rounded, RULES)
        assert found.kind is Kind.HEAPED
        assert list(heaped("330822", rounded[:19], RULES)) == []
    assert alarms == 0


def test_the_binomial_bound_is_exact() -> None:
    assert at_least(0, 5, Fraction(1, 5)) == 1
    assert at_least(5, 5, Fraction(1, 5)) == Fraction(1, 3125)
    assert at_least(2, 3, Fraction(1, 2)) == Fraction(1, 2)


def test_machines_behind_one_device_share_their_times() -> None:
    """One poll reads them all: that is no copy."""
    firm = copied(honest(1))
    copy = firm.machines[-1]
    same = replace(firm, machines=tuple(
        replace(one, place="gw/copy") if one.times == copy.times else one for one in firm.machines
    ))  # fmt: skip
    assert not [one for one in findings(same, RULES) if one.kind is Kind.SAME_TIMES]


def test_days_that_are_excused_are_none_of_those_that_are_asked_for() -> None:
    """Eleven days of rest and stops: of 20 days that count 16 are exactly enough, not 25 of 31."""
    rest = FULL >> 20 << 20
    some = [
        MachineDays(f"j{at}", f"gw/j{at}", FULL, (1 << 16) - 1, excused=rest) for at in range(18)
    ]
    firm = EnterpriseDays("U", "2026-10", DAYS, PERCENT, tuple(some))
    assert [one.kind for one in findings(firm, RULES)] == [Kind.AT_THRESHOLD]
