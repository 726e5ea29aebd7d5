"""One poll of a plan, and what refused addresses teach it. Pure: requests out, answers in.

A device refuses a whole request when one of its addresses is illegal. The request is then split
until the culprits stand alone; the other tags are read as if nothing had been. Culprits rest
and are asked again once in :data:`REST_POLLS` polls, on their own. What was learnt lives as long
as the plan.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.core.batch import Reading, Status
from gateway.core.status import bad
from gateway.drivers.api import Point
from gateway.drivers.modbus.codec import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    reason_for,
)
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.decode import Decoder
from gateway.drivers.modbus.mbap import UNIT_GONE, Answer, Frame
from gateway.drivers.modbus.plan import Block, Planner, Wall, place

REST_POLLS = 60
"""A refused tag is asked again after so many polls."""

PROBES = 16
"""Most requests of one poll that search for culprits, and most that ask resting tags again."""

SPLIT = frozenset({ILLEGAL_ADDRESS, ILLEGAL_VALUE})
LASTING = SPLIT | {ILLEGAL_FUNCTION}

Steps = Generator[Sequence[Frame], list[Answer], Reading]
Probe = Generator[Sequence[Frame], list[Answer], None]


@dataclass(slots=True)
class _Outcome:
    """What a poll with refusals has found so far."""

    image: bytearray
    status: Status
    probes: int = PROBES
    refused: list[tuple[Block, int]] = field(default_factory=list)

    def take(self, block: Block, answer: Answer) -> bool:
        if isinstance(answer, int):
            self.refused.append((block, answer))
            return False
        place(self.image, block, answer)
        return True

    def fail(self, block: Block, code: int) -> None:
        self.status[list(block.members)] = bad(reason_for(code))


@dataclass(frozen=True, slots=True)
class _Rest:
    """A request that the device refuses for good, as far as we know."""

    block: Block
    code: int
    until: int

    @property
    def walls(self) -> tuple[Wall, Wall]:
        """The places that keep it apart from its neighbours."""
        return (self.block.table, self.block.start), (self.block.table, self.block.last + 1)


class ReadPlan:
    """The prepared reading of some points over one connection's rules.

    Args:
        connection: limits and unit.
        points: what to read; the order of all results.
    """

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        self._points = tuple(points)
        self._planner = Planner(connection, self._points)
        self._cuts: set[Wall] = set()
        self._resting: dict[tuple[str, int, int], _Rest] = {}
        self._polls = 0
        self._arrange()

    def _arrange(self) -> None:
        walls = self._cuts.union(*(rest.walls for rest in self._resting.values()))
        self.blocks = self._planner.blocks(walls)
        self._frames = [block.frame for block in self.blocks]
        self._size = sum(block.size for block in self.blocks)
        keys = {block.key for block in self.blocks}
        self._resting = {key: rest for key, rest in self._resting.items() if key in keys}
        self._decoder = Decoder(self._points, self.blocks)

    def poll(self) -> Steps:
        """Read once: yields requests to send together, is sent their answers, returns a reading."""
        self._polls += 1
        if self._resting:
            return (yield from self._careful(self._due()))
        answers = yield self._frames
        data = [answer for answer in answers if type(answer) is bytes]
        if len(data) != len(answers):
            return (yield from self._careful(self.blocks, answers))
        status = np.zeros(len(self._points), np.uint8)
        return Reading(self._decoder.columns(b"".join(data), status), status)

    def _due(self) -> list[Block]:
        """All requests but those that rest, and some whose rest is over."""
        due, again = [], PROBES
        for block in self.blocks:
            rest = self._resting.get(block.key)
            if rest is None:
                due.append(block)
            elif rest.until <= self._polls and again:
                due.append(block)
                again -= 1
        return due

    def _careful(self, due: Sequence[Block], answers: list[Answer] | None = None) -> Steps:
        outcome = _Outcome(bytearray(self._size), np.zeros(len(self._points), np.uint8))
        if answers is None:
            answers = yield [block.frame for block in due]  # none: only that the link is there
        gone = next((a for a in answers if isinstance(a, int) and a in UNIT_GONE), None)
        if gone is not None:
            outcome.status[:] = bad(reason_for(gone))
            return Reading(self._decoder.columns(outcome.image, outcome.status), outcome.status)
        known = self._known()
        self._sort_out(outcome, due, answers)
        while outcome.refused:
            yield from self._search(outcome)
        self._mark_resting(outcome)
        reading = Reading(self._decoder.columns(outcome.image, outcome.status), outcome.status)
        if known != self._known():
            self._arrange()
        return reading

    def _known(self) -> tuple[frozenset[Wall], frozenset[tuple[str, int, int]]]:
        return frozenset(self._cuts), frozenset(self._resting)

    def _sort_out(self, outcome: _Outcome, due: Iterable[Block], answers: Iterable[Answer]) -> None:
        for block, answer in zip(due, answers, strict=True):
            outcome.take(block, answer)
            self._resting.pop(block.key, None)  # found out anew

    def _search(self, outcome: _Outcome) -> Probe:
        """Look closer at one refused request; it may leave smaller refused ones behind."""
        block, code = outcome.refused.pop()
        halves = self._planner.halves(block) if code in SPLIT else None
        if halves is None:
            outcome.fail(block, code)
            if code in LASTING:
                self._resting[block.key] = _Rest(block, code, self._polls + REST_POLLS)
            return
        cut = (block.table, halves[1].start)
        if outcome.probes < len(halves):
            outcome.fail(block, code)
            self._cuts.add(cut)  # the next poll goes on from here
            return
        outcome.probes -= len(halves)
        answers = yield [half.frame for half in halves]
        taken = [outcome.take(*pair) for pair in zip(halves, answers, strict=True)]
        if all(taken):
            self._cuts.add(cut)  # each for itself is legal: what lies between is not

    def _mark_resting(self, outcome: _Outcome) -> None:
        for rest in self._resting.values():
            outcome.fail(rest.block, rest.code)
