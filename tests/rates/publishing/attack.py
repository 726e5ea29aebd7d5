"""A reader who works out withheld cells from everything that is published: a linear program.

What the reader knows: every published K, N and n; that rows and columns add up; that nobody has
fewer than no machines, and that a withheld cell has an enterprise, and each enterprise a machine.
Of an earlier month the reader takes as still right what a later one shows of cells that did not
change. An enterprise may read too: it knows its own part of each of its cells.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np

from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.publishing.grid import TOTAL, Key

QUANTITIES = ("networked", "silent", "enterprises")


class Truth(NamedTuple):
    """What is true of a cell; the reader looks for it."""

    networked: int
    silent: int
    enterprises: int


@dataclass(frozen=True)
class Seen:
    """A month as the reader sees it: None where a cell is withheld."""

    cells: Mapping[Key, Truth | None]


class Interval(NamedTuple):
    least: float
    most: float


def truth_of(table: Sequence[Tally]) -> dict[Key, Truth]:
    """Every cell that has machines, added up in plain Python."""
    found: dict[Key, list[int]] = {}
    for one in table:
        if one.equipment:
            for county in (one.county, TOTAL):
                for industry in (one.industry, TOTAL):
                    cell = found.setdefault((county, industry), [0, 0, 0])
                    cell[0] += one.networked
                    cell[1] += one.equipment - one.networked
                    cell[2] += 1
    return {key: Truth(*cell) for key, cell in found.items()}


class Attack:
    """One linear program of one month; asked for many cells."""

    def __init__(self, seen: Seen, own: Sequence[Tally] = ()) -> None:
        self.unknown = [key for key, cell in seen.cells.items() if cell is None]
        self.at = {key: 3 * place for place, key in enumerate(self.unknown)}
        self.solver = highspy.Highs()
        self.solver.silent()
        for _ in range(3 * len(self.unknown)):
            self.solver.addVar(0, highspy.kHighsInf)
        self._enterprises_have_machines()
        self._sums(seen)
        for one in own:
            self._known_part(one)

    def _row(self, low: float, high: float, terms: Mapping[int, float]) -> None:
        places = np.array(list(terms), np.int32)
        self.solver.addRow(low, high, len(terms), places, np.array(list(terms.values()), float))

    def _enterprises_have_machines(self) -> None:
        for at in self.at.values():
            self.solver.changeColBounds(at + 2, 1, highspy.kHighsInf)
            self._row(0, highspy.kHighsInf, {at: 1, at + 1: 1, at + 2: -1})

    def _sums(self, seen: Seen) -> None:
        counties = {county for county, _ in seen.cells}
        industries = {industry for _, industry in seen.cells}
        lines = [[(c, i) for i in industries if (c, i) in seen.cells] for c in counties]
        lines += [[(c, i) for c in counties if (c, i) in seen.cells] for i in industries]
        totals = [(c, TOTAL) for c in counties] + [(TOTAL, i) for i in industries]
        for line, total in zip(lines, totals, strict=True):
            for quantity in range(3):
                self._sum(seen, line, total, quantity)

    def _sum(self, seen: Seen, line: Collection[Key], total: Key, quantity: int) -> None:
        terms, known = {}, 0
        for key in line:
            sign, cell = (-1 if key == total else 1), seen.cells[key]
            if cell is None:
                terms[self.at[key] + quantity] = float(sign)
            else:
                known += sign * cell[quantity]
        if terms:
            self._row(-known, -known, terms)
        else:
            assert known == 0, (line, total)

    def _known_part(self, one: Tally) -> None:
        for county in (one.county, TOTAL):
            for industry in (one.industry, TOTAL):
                at = self.at.get((county, industry))
                if at is not None:
                    self.solver.changeColBounds(at, one.networked, highspy.kHighsInf)
                    silent = one.equipment - one.networked
                    self.solver.changeColBounds(at + 1, silent, highspy.kHighsInf)
                    self._row(one.equipment - 1, highspy.kHighsInf, {at: 1, at + 1: 1, at + 2: -1})

    def fix(self, key: Key, cell: Truth) -> None:
        """Take a value of another month for this one's."""
        for quantity, value in enumerate(cell):
            self.solver.changeColBounds(self.at[key] + quantity, value, value)

    def interval(self, terms: Mapping[int, float]) -> Interval:
        """The least and the most that a sum of unknowns can be."""
        size = 3 * len(self.unknown)
        costs = np.zeros(size)
        for at, factor in terms.items():
            costs[at] = factor
        self.solver.changeColsCost(size, np.arange(size, dtype=np.int32), costs)
        return Interval(self._extreme(least=True), self._extreme(least=False))

    def _extreme(self, *, least: bool) -> float:
        sense = highspy.ObjSense.kMinimize if least else highspy.ObjSense.kMaximize
        self.solver.changeObjectiveSense(sense)
        self.solver.run()
        status = self.solver.getModelStatus()
        if status in {
            highspy.HighsModelStatus.kUnbounded,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
        }:
            return float("-inf") if least else float("inf")
        assert status == highspy.HighsModelStatus.kOptimal, status
        return float(self.solver.getInfo().objective_function_value)


@dataclass(frozen=True)
class Found:
    """A value that the reader knows too well."""

    key: Key
    quantity: str
    interval: Interval
    truth: int


def too_well_known(
    attack: Attack, key: Key, truth: Truth, city: Truth, percent: int
) -> Iterator[Found]:
    """What the reader can say of a sensitive cell more exactly than the rule allows."""
    at = attack.at[key]
    asked = {
        "equipment": ({at: 1.0, at + 1: 1.0}, truth.networked + truth.silent, 1, True),
        "networked": ({at: 1.0}, truth.networked, 0, city.networked > 0),
        "silent": ({at + 1: 1.0}, truth.silent, 0, city.silent > 0),
    }
    for name, (terms, value, least, secret) in asked.items():
        doubt = max(1, -(-value * percent // 100))
        low, high = value - min(doubt, value - least), value + doubt
        found = attack.interval(terms) if secret else Interval(low, high)
        if found.least > low + 1e-6 or found.most < high - 1e-6:
            yield Found(key, name, found, value)
    found = attack.interval({at + 2: 1.0})
    if found.most < max(3, truth.enterprises + 1) - 1e-6:
        yield Found(key, "enterprises", found, truth.enterprises)


def rate_interval(attack: Attack, key: Key, precision: float = 1e-4) -> Interval:
    """The least and the most that the rate of a cell can be, 0…1, by bisection."""
    at = attack.at[key]

    def can(rate: float, *, below: bool) -> bool:
        # K <= rate * N is possible if the least of K - rate * N is not above 0.
        ends = attack.interval({at: 1 - rate, at + 1: -rate})
        return ends.least <= 1e-7 if below else ends.most >= -1e-7

    return Interval(
        _bisect(lambda rate: can(rate, below=True), 0.0, 1.0, precision),
        _bisect(lambda rate: can(rate, below=False), 1.0, 0.0, precision),
    )


def _bisect(holds, wrong: float, right: float, precision: float) -> float:
    if holds(wrong):
        return wrong
    while abs(right - wrong) > precision:
        middle = (right + wrong) / 2
        if holds(middle):
            right = middle
        else:
            wrong = middle
    return right
