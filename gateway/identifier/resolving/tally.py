"""How many codes were resolved, by system. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from gateway.identifier.codes.classify import classify
from gateway.identifier.resolving.answer import Answer, Outcome

NO_SYSTEM = "none"


class Tally:
    """Outcomes of many questions."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
        self._stale: Counter[str] = Counter()

    def count(self, text: str, answer: Answer) -> None:
        """Note what became of a text; it counts for the system that it is likeliest of."""
        readings = classify(text)
        system = str(readings[0].system) if readings else NO_SYSTEM
        self._counts[system][answer.outcome] += 1
        self._stale[system] += answer.is_stale

    def by_system(self) -> Iterator[tuple[str, Counter[Outcome]]]:
        """Outcomes of each system, by its name."""
        yield from sorted(self._counts.items())

    def stale(self, system: str) -> int:
        """How many of those that were found are from before."""
        return self._stale[system]

    def rate(self, system: str) -> str:
        """Share of valid codes that are known, or known not to be; empty where none is valid."""
        counts = self._counts[system]
        valid = counts.total() - counts[Outcome.INVALID]
        told = counts[Outcome.FOUND] + counts[Outcome.NOT_FOUND]
        return f"{told / valid:.1%}" if valid else ""

    @property
    def is_whole(self) -> bool:
        """Whether every code was found."""
        return all(counts.keys() <= {Outcome.FOUND} for counts in self._counts.values())
