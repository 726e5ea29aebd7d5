"""Compares what the devices answered with what the city holds. Pure; shares no code with either.

What must hold, whatever happened:

* every answer is stored, or asked for again at the same tick and that one is, or its time lies in a
  gap that is dated and has a cause: else *lost*;
* at each stored time, the last stored value of every tag is what the device answered then, within
  the tag's deadband: else *stale*;
* every stored value was answered, all of a row in one answer, at about that time: else *off*;
* the books balance, say what the store holds, and owe no more than the time that passed: else
  *books*;
* every nominal tick is stored or lies in a gap, and no gap lasts while values come: else
  *unexplained*.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.chaos.devices import NUMBER, Answer

SEEN_BY_THE_CITY = "gateway_silent"
"""The city's own remark that it hears nothing: it excuses no loss, since nothing need be lost."""


FOLLOWED_MS = 2_000
"""A clock that is set by less than a minute is followed slowly: it draws the ticks so far along
at most, in the half minute of a run."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the store holds of a unit at one time; ``doubted`` are tags that are not GOOD."""

    unit: int
    time_ms: int
    values: Mapping[str, float]
    doubted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Interval:
    """A gap; ``unit`` None: of all units, ``to_ms`` None: it lasts."""

    unit: int | None
    cause: str
    from_ms: int
    to_ms: int | None

    def covers(self, first_ms: float, last_ms: float) -> bool:
        """Whether any moment between two is in it."""
        return self.from_ms <= last_ms and (self.to_ms is None or first_ms < self.to_ms)


@dataclass(slots=True)
class Account:
    """The books of a unit, over all epochs and days."""

    due: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    suppressed: int = 0
    buffered: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the city holds when all is delivered."""

    rows: Sequence[Row]
    gaps: Sequence[Interval]
    books: Mapping[int, Account]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is judged by.

    Attributes:
        interval_ms: between two ticks.
        deadbands: by tag; 0 if it is not named.
        reach_ms: an answer belongs to a tick no older than this.
        began_ms: when the gateway was started first; nothing was due before.
        until_ms: answers from here on may be cut off by the stop at the end.
        one_epoch: the buffer was never rolled back, so the books are whole.
        shifts: how far the gateway's clock was ahead since a true time, (since ms, ahead ms);
            empty: it was right, and every tick can be looked for.
    """

    interval_ms: int
    deadbands: Mapping[str, float]
    reach_ms: int
    began_ms: int
    until_ms: int
    one_epoch: bool = True
    shifts: Sequence[tuple[int, int]] = ()


@dataclass(slots=True)
class Verdict:
    """What does not hold; a line a finding."""

    answers: int = 0
    rows: int = 0
    lost: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    off: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)

    @property
    def faultless(self) -> bool:
        """Whether everything holds."""
        return not (self.lost or self.stale or self.off or self.books or self.unexplained)


def judge(answers: Iterable[Answer], found: Found, terms: Terms) -> Verdict:
    """Compare; see the top of this file."""
    verdict = Verdict()
    by_unit: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_unit[answer.unit].append(answer)
    for unit, given in sorted(by_unit.items()):
        rows = sorted((row for row in found.rows if row.unit == unit), key=lambda row: row.time_ms)
        gaps = [
            gap for gap in found.gaps if gap.unit in {None, unit} and gap.cause != SEEN_BY_THE_CITY
        ]
        verdict.answers += len(given)
        verdict.rows += len(rows)
        _Unit(unit, given, rows, gaps, terms).judge(verdict, found.books.get(unit, Account()))
    return verdict


class _Unit:
    """One unit's answers beside its rows."""

    def __init__(
        self,
        unit: int,
        answers: Sequence[Answer],
        rows: Sequence[Row],
        gaps: Sequence[Interval],
        terms: Terms,
    ) -> None:
        self.unit, self.answers, self.rows, self.terms = unit, answers, rows, terms
        self.gaps = [self._ended(gap) for gap in gaps]
        self.endless = [gap for gap, end in zip(gaps, self.gaps, strict=True) if gap != end]
        self.by_number = {answer.values[NUMBER]: answer for answer in answers}

    def judge(self, verdict: Verdict, books: Account) -> None:
        verdict.lost += self._lost()
        verdict.stale += self._stale()
        verdict.off += self._off()
        verdict.books += self._wrong_books(books)
        verdict.unexplained += [f"unit {self.unit}: {gap} lasts" for gap in self.endless]
        if not self.terms.shifts:
            verdict.unexplained += self._unexplained()

    def _ended(self, gap: Interval) -> Interval:
        """A gap that lasts excuses nothing from the next value on."""
        next_ms = (row.time_ms for row in self.rows if row.time_ms > gap.from_ms)
        return gap if gap.to_ms is not None else replace(gap, to_ms=next(next_ms, None))

    def _lost(self) -> Iterable[str]:
        stored = {row.values.get(NUMBER): row.time_ms for row in self.rows}
        for answer in self.answers:
            number = answer.values[NUMBER]
            if number in stored or answer.time_ms >= self.terms.until_ms:
                continue
            if not any(
                self._excused(first, last) or _is_within(stored.get(number + 1), first, last)
                for first, last in self._spans(answer)
            ):
                yield f"{self._at(answer.time_ms)}: answer {number} is nowhere"

    def _spans(self, answer: Answer) -> Iterable[tuple[int, int]]:
        """Between which times the tick of an answer lies, by each clock that the gateway had."""
        drawn = FOLLOWED_MS if self.terms.shifts else 0
        for ahead in (0, *(ahead for _, ahead in self.terms.shifts)):
            clock_ms = answer.time_ms + ahead
            yield clock_ms - self.terms.reach_ms - drawn, clock_ms + drawn

    def _stale(self) -> Iterable[str]:
        held: dict[str, float] = {}
        for row in self.rows:
            held |= row.values
            answer = self.by_number.get(int(row.values.get(NUMBER, -1)))
            if answer is None:
                continue  # off, and said so there
            for tag, value in answer.values.items():
                allowed = self.terms.deadbands.get(tag, 0)
                if tag not in held or abs(held[tag] - value) > allowed:
                    yield f"{self._at(row.time_ms)}: {tag} is held as {held.get(tag)}, was {value}"

    def _off(self) -> Iterable[str]:
        times: dict[int, int] = {}
        for row in self.rows:
            number = int(row.values.get(NUMBER, -1))
            answer = self.by_number.get(number)
            if answer is None:
                yield f"{self._at(row.time_ms)}: answer {number} was never given"
            elif wrong := {t: v for t, v in row.values.items() if answer.values.get(t) != v}:
                yield f"{self._at(row.time_ms)}: {wrong} are not of answer {number}"
            elif not self._is_near(row, answer):
                yield f"{self._at(row.time_ms)}: answer {number} was given at {answer.time_ms}"
            elif number in times:
                yield f"{self._at(row.time_ms)}: answer {number} stands at {times[number]} too"
            times[number] = row.time_ms

    def _is_near(self, row: Row, answer: Answer) -> bool:
        """Whether a row has the time of its answer by the gateway's clock, or is in doubt."""
        if self.terms.shifts and NUMBER in row.doubted:
            return True
        return any(
            first <= row.time_ms <= last + self.terms.interval_ms
            for first, last in self._spans(answer)
        )

    def _unexplained(self) -> Iterable[str]:
        if not self.rows:
            yield f"unit {self.unit}: nothing is stored"
            return
        step = self.terms.interval_ms
        times = [row.time_ms for row in self.rows]
        ((phase, _),) = Counter(time % step for time in times).most_common(1)
        for tick in range(times[0], times[-1], step):
            nominal = tick - tick % step + phase
            at = bisect_left(times, nominal)
            if times[at] != nominal and not self._excused(nominal, nominal):
                yield f"{self._at(nominal)}: neither stored nor in a gap"

    def _wrong_books(self, books: Account) -> Iterable[str]:
        said = f"unit {self.unit}: {books}"
        stored = sum(len(row.values) for row in self.rows)
        tags = len(self.answers[0].values)
        if books.due != books.ok + books.failed + books.skipped:
            yield f"{said}: due is not ok + failed + skipped"
        if books.ok != books.suppressed + books.buffered:
            yield f"{said}: ok is not suppressed + buffered"
        if self.terms.one_epoch and books.buffered != stored + books.dropped:
            yield f"{said}: buffered is not dropped + {stored} stored"
        passed_ms = self.answers[-1].time_ms - self.answers[0].time_ms
        expected = passed_ms // self.terms.interval_ms * tags
        slack = expected // 50 + 20 * tags
        lived_ms = self.terms.until_ms - self.terms.began_ms
        if books.due > lived_ms // self.terms.interval_ms * tags + slack:
            yield f"{said}: the gateway was there for {lived_ms} ms only"
        if self.terms.one_epoch and books.due < expected - slack:
            yield f"{said}: about {expected} were due in {passed_ms} ms"

    def _excused(self, first_ms: float, last_ms: float) -> bool:
        return any(gap.covers(first_ms, last_ms) for gap in self.gaps)

    def _at(self, time_ms: float) -> str:
        return f"unit {self.unit} at {time_ms:.0f}"


def _is_within(next_ms: int | None, first_ms: int, last_ms: int) -> bool:
    """Whether the next answer is stored at a tick that had begun by then: the tick of both."""
    return next_ms is not None and first_ms <= next_ms <= last_ms
