"""The month of a machine as a strip of days, and what its verdicts rest on."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.city.rates.model import Definition
from gateway.city.rates.proving.days import Mark, ProofDay, deciding
from gateway.city.rates.proving.proof import Proof
from gateway.city.rates.reports.drilldown import MachineVerdict


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the strip.

    Attributes:
        day: Asia/Shanghai day.
        mark: what it is to the definition.
        known: what is known of it; None before the city began and of days to come.
    """

    day: date
    mark: Mark
    known: ProofDay | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one definition says of the machine.

    Attributes:
        definition: which one.
        verdict: whether it counts, and why.
        decided: the days that made it so, as ranges of days of the month: ``1–3, 7``; empty: no
            day of the month did.
    """

    definition: Definition
    verdict: MachineVerdict
    decided: str


@dataclass(frozen=True, slots=True)
class Strip:
    """What the page of a machine shows of its month.

    Attributes:
        proof: what all of it is made of.
        cells: every day of the month.
        counts: how many days are what.
        rulings: of the definitions that count networked machines.
    """

    proof: Proof
    cells: Sequence[Cell]
    counts: Mapping[Mark, int]
    rulings: Sequence[Ruling]


def strip_of(proof: Proof, shown: str, definitions: Mapping[str, Definition]) -> Strip:
    """The strip of a month.

    Args:
        proof: of the machine and month.
        shown: id of the definition by which days are what they are.
        definitions: by id.
    """
    cells = list(_cells(proof, proof.marks[shown]))
    rulings = [
        Ruling(definitions[name], one, ranges(deciding(one.reason, marks, one.last_valid)))
        for name, one in proof.verdicts.items()
        for marks in (proof.marks[name],)
    ]
    return Strip(proof, cells, Counter(one.mark for one in cells), rulings)


def _cells(proof: Proof, marks: Mapping[date, Mark]) -> Iterator[Cell]:
    known = {one.day: one for one in proof.days}
    first = proof.days[0].day.replace(day=1)
    for offset in range(monthrange(first.year, first.month)[1]):
        day = first + timedelta(days=offset)
        other = Mark.BEFORE if day < proof.days[0].day else Mark.PENDING
        yield Cell(day, marks.get(day, other), known.get(day))


def ranges(days: Sequence[date]) -> str:
    """Days of one month in order, those that follow one another as one: ``1–3, 7``."""
    spans: list[list[int]] = []
    for one in days:
        if spans and one.day == spans[-1][-1] + 1:
            spans[-1][1:] = [one.day]
        else:
            spans.append([one.day])
    return ", ".join("–".join(map(str, span)) for span in spans)
