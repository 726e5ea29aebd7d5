"""The checks: each takes what evidence and ledger hold of a month, and gives what it found. Pure.

Probabilities are exact integers: a pattern is told if chance alone makes one that is at least as
strange in fewer than one of ``one_in`` cases, by a rule that favours the enterprise.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import comb

from gateway.city.rates.findings.model import (
    EnterpriseDays,
    Finding,
    Kind,
    MachineDays,
    Rules,
    Times,
)
from gateway.core.days import DAY_MS

_WHOLE, _DIGITS, _HEAPS = 100, 10, (0, 5)


def at_least(successes: int, trials: int, chance: Fraction) -> Fraction:
    """Probability of so many successes or more in independent trials (binomial, exact)."""
    return Fraction(
        sum(
            (
                comb(trials, one) * chance**one * (1 - chance) ** (trials - one)
                for one in range(successes, trials + 1)
            ),
            Fraction(0),
        )
    )


def heaped(county: str, counts: Iterable[int], rules: Rules, part: str = "") -> Iterator[Finding]:
    """Counts of machines end in 0 or 5 more often than counted ones do: were they rounded?

    Args:
        county: code of it.
        counts: one an enterprise.
        rules: the thresholds.
        part: which counts these are.
    """
    told = [one for one in counts if one >= rules.least_count]
    round_ones = sum(one % _DIGITS in _HEAPS for one in told)
    chance = Fraction(len(_HEAPS), _DIGITS)
    if len(told) < rules.least_enterprises:
        return
    if at_least(round_ones, len(told), chance) * rules.one_in < 1:
        numbers = {"count": round_ones, "all": len(told)}
        yield Finding(Kind.HEAPED, county, (), numbers, part)


def findings(firm: EnterpriseDays, rules: Rules) -> list[Finding]:
    """Everything that is found of one enterprise."""
    return [
        *_same_times(firm, rules),
        *_fixed_times(firm, rules),
        *_mostly_invalid(firm, rules),
        *_at_threshold(firm, rules),
        *_upto_snapshot(firm, rules),
        *_shrunk(firm, rules),
    ]


def _told_times(machine: MachineDays, rules: Rules) -> dict[int, Times]:
    """Days whose data midnight has not cut at either end."""
    edge = rules.midnight_ms
    return {
        day: one
        for day, one in machine.times.items()
        if one.first > edge and one.last < DAY_MS - edge and one.first < one.last
    }


def _same_times(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """Machines of different devices whose days begin and end at the same millisecond."""
    told = {one.number: _told_times(one, rules) for one in firm.machines}
    places = {one.number: one.place for one in firm.machines}
    shared: Counter[tuple[str, str]] = Counter()
    at: dict[tuple[int, Times], list[str]] = defaultdict(list)
    for number, times in told.items():
        for day, one in times.items():
            at[day, one].append(number)
    for numbers in at.values():
        shared.update(combinations(sorted(numbers), 2))
    for (first, second), days in sorted(shared.items()):
        both = len(told[first].keys() & told[second].keys())
        if days < rules.least_days or days * _WHOLE < both * rules.agreeing_percent:
            continue
        if places[first] and places[first] != places[second]:
            rests = {"days": days, "all": both}
            yield Finding(Kind.SAME_TIMES, firm.uscc, (first, second), rests)


def _fixed_times(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """Machines that begin and end at the same second on all days."""
    for machine in firm.machines:
        told = list(_told_times(machine, rules).values())
        if len(told) < rules.least_days:
            continue
        if all(_spread(ends) <= rules.spread_ms for ends in zip(*told, strict=True)):
            yield Finding(Kind.FIXED_TIMES, firm.uscc, (machine.number,), {"days": len(told)})


def _spread(times: Sequence[int]) -> int:
    return max(times) - min(times)


def _mostly_invalid(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """Machines whose days count by a few values, while most of what was due was not valid."""
    for machine in firm.machines:
        days = sum(
            valid * _WHOLE < due * rules.valid_percent
            for day, (valid, due) in machine.counts.items()
            if machine.valid >> day & 1
        )
        if days >= rules.least_days:
            numbers = {"days": days, "percent": rules.valid_percent}
            yield Finding(Kind.MOSTLY_INVALID, firm.uscc, (machine.number,), numbers)


def _at_threshold(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """More machines have exactly the days that are asked for than have a day more or less."""
    near, met = 0, []
    for machine in firm.machines:
        service, valid = machine.due.bit_count(), machine.valid.bit_count()
        needed = -(-service * firm.percent_of_days // _WHOLE)
        if rules.near_threshold < needed < service and abs(valid - needed) <= rules.near_threshold:
            near += 1
            met += [machine.number] if valid == needed else []
    # each of the days near it would be as likely; half of them may be all there are
    chance = Fraction(1, rules.near_threshold + 1)
    if len(met) >= rules.least_machines and at_least(len(met), near, chance) * rules.one_in < 1:
        yield Finding(Kind.AT_THRESHOLD, firm.uscc, tuple(met), {"count": len(met), "all": near})


def _upto_snapshot(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """Networked machines of which no data came any more once the month was over."""
    judged = [
        one for one in firm.machines if one.networked and one.after.bit_count() >= rules.silent_days
    ]
    silent = tuple(one.number for one in judged if not one.valid_after)
    if len(silent) < rules.least_machines:
        return
    if len(silent) * _WHOLE >= len(judged) * rules.silent_percent:
        numbers = {"count": len(silent), "all": len(judged)}
        yield Finding(Kind.UPTO_SNAPSHOT, firm.uscc, silent, numbers)


def _shrunk(firm: EnterpriseDays, rules: Rules) -> Iterator[Finding]:
    """Machines that leave service in the last days of the month, and none of them networked.

    If m of N leave by chance, none of the networked ones is among them with the probability
    C(u, m) / C(N, m), u being those that are not networked (hypergeometric).
    """
    before = firm.days - 1 - rules.last_days
    if before < 0:  # the month has hardly begun
        return
    held = [one for one in firm.machines if one.service >> before & 1]
    left = [one for one in held if not one.service >> (firm.days - 1) & 1]
    if len(left) < rules.least_machines or any(_sends(one, firm, rules) for one in left):
        return
    idle = sum(not _sends(one, firm, rules) for one in held)
    chance = Fraction(comb(idle, len(left)), comb(len(held), len(left)))
    if chance * rules.one_in < 1:
        numbers = {"count": len(left), "all": len(held)}
        yield Finding(Kind.SHRUNK, firm.uscc, tuple(one.number for one in left), numbers)


def _sends(machine: MachineDays, firm: EnterpriseDays, rules: Rules) -> bool:
    """Whether it had valid data on most days before the last ones."""
    before = (1 << (firm.days - rules.last_days)) - 1
    service, valid = machine.due & before, machine.valid & before
    return valid.bit_count() * 2 > service.bit_count()
