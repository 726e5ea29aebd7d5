"""One poll of a plan, and what refused addresses teach it. Pure: requests out, answers in.

A device refuses a whole request when one of its addresses is illegal. The request is then split
until the culprits stand alone; the other tags are read as if nothing had been. Culprits rest, and
requests stay cut where joining them was refused. Nothing is refused for ever, a device may only
have been starting: both are tried again after 1 poll, then 2, 4 … :data:`LONGEST_PAUSE`. What was
learnt lives as long as the plan.
"""

from collections.abc import Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet
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
from gateway.drivers.modbus.plan import Block, Key, Planner, Wall, place

LONGEST_PAUSE = 64
"""Polls after which what is always refused is tried again."""

PROBES = 16
"""Most requests of one poll that search for culprits, and most that ask resting tags again; of
the latter twice as many after a poll in which every such answer was good, due or not."""

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
class _Pause:
    """How long something is left alone, and the number of the poll that tries it again."""

    length: int
    until: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """A request that the device refuses, as far as we know."""

    block: Block
    code: int
    pause: _Pause


class ReadPlan:
    """The prepared reading of some points over one connection's rules.

    Args:
        connection: limits and unit.
        points: what to read; the order of all results.
    """

    def __init__(self, connection: Connection, points: Sequence[Point]) -> None:
        self._points = tuple(points)
        self._planner = Planner(connection, self._points)
        self._cuts: dict[Wall, _Pause] = {}
        self._resting: dict[Key, _Rest] = {}
        self._again = PROBES
        self._polls = 0
        self._arrange(frozenset())

    def _walls(self) -> frozenset[Wall]:
        """Where requests must not be joined, by what is known now."""
        return frozenset(self._cuts).union(*(rest.block.walls for rest in self._resting.values()))

    def _arrange(self, walls: AbstractSet[Wall]) -> None:
        self._arranged = walls
        self.blocks = self._planner.blocks(walls)
        self._frames = [block.frame for block in self.blocks]
        self._size = sum(block.size for block in self.blocks)
        keys = {block.key for block in self.blocks}
        self._resting = {key: rest for key, rest in self._resting.items() if key in keys}
        self._decoder = Decoder(self._points, self.blocks)

    def poll(self) -> Steps:
        """Read once: yields requests to send together, is sent their answers, returns a reading."""
        self._polls += 1
        if self._resting or self._due_cut():
            return (yield from self._careful(self._due()))
        answers = yield self._frames
        data = [answer for answer in answers if type(answer) is bytes]
        if len(data) != len(answers):
            return (yield from self._careful(self.blocks, answers))
        status = np.zeros(len(self._points), np.uint8)
        return Reading(self._decoder.columns(b"".join(data), status), status)

    def _due(self) -> list[Block]:
        """All requests but those that rest, and some whose rest is over; one if all rest."""
        is_recovering = self._again > PROBES
        due, again = [], self._again
        for block in self.blocks:
            rest = self._resting.get(block.key)
            if rest is None:
                due.append(block)
            elif again and (is_recovering or self._is_over(rest.pause)):
                due.append(block)
                again -= 1
        return due or [min(self.blocks, key=lambda block: self._resting[block.key].pause.until)]

    def _due_cut(self) -> Wall | None:
        return next((cut for cut, pause in self._cuts.items() if self._is_over(pause)), None)

    def _is_over(self, pause: _Pause) -> bool:
        return pause.until <= self._polls

    def _pause(self, before: _Pause | None) -> _Pause:
        """The next pause: twice the one before."""
        length = min(2 * before.length, LONGEST_PAUSE) if before else 1
        return _Pause(length, self._polls + length)

    def _careful(self, due: Sequence[Block], answers: list[Answer] | None = None) -> Steps:
        outcome = _Outcome(bytearray(self._size), np.zeros(len(self._points), np.uint8))
        if answers is None:
            answers = yield [block.frame for block in due]
        gone = next((a for a in answers if isinstance(a, int) and a in UNIT_GONE), None)
        if gone is not None:
            outcome.status[:] = bad(reason_for(gone))
            return Reading(self._decoder.columns(outcome.image, outcome.status), outcome.status)
        self._sort_out(outcome, due, answers)
        while outcome.refused:
            yield from self._search(outcome)
        yield from self._try_without_a_cut()
        for rest in self._resting.values():
            outcome.fail(rest.block, rest.code)
        reading = Reading(self._decoder.columns(outcome.image, outcome.status), outcome.status)
        if (walls := self._walls()) != self._arranged:
            self._arrange(walls)
        return reading

    def _sort_out(self, outcome: _Outcome, due: Iterable[Block], answers: Iterable[Answer]) -> None:
        again = []
        for block, answer in zip(due, answers, strict=True):
            is_good = outcome.take(block, answer)
            if block.key in self._resting:
                again.append(is_good)
            if answer not in LASTING:
                self._resting.pop(block.key, None)
        self._again = 2 * self._again if again and all(again) else PROBES

    def _search(self, outcome: _Outcome) -> Probe:
        """Look closer at one refused request; it may leave smaller refused ones behind."""
        block, code = outcome.refused.pop()
        before = self._resting.pop(block.key, None)
        halves = self._planner.halves(block) if code in SPLIT else None
        if halves is None or outcome.probes < len(halves):
            outcome.fail(block, code)
            if halves is not None:
                self._go_on_later(block)
            elif code in LASTING:
                pause = self._pause(before.pause if before else None)
                self._resting[block.key] = _Rest(block, code, pause)
            return
        outcome.probes -= len(halves)
        answers = yield [half.frame for half in halves]
        taken = [outcome.take(*pair) for pair in zip(halves, answers, strict=True)]
        if all(taken):  # each for itself is legal: what lies between is not
            self._cuts[block.table, halves[1].start] = self._pause(None)

    def _go_on_later(self, block: Block) -> None:
        """Keep a piece apart, so that the next poll need not split its way there again."""
        if block not in self.blocks:
            for wall in block.walls:
                self._cuts.setdefault(wall, self._pause(None))

    def _try_without_a_cut(self) -> Probe:
        """Ask over one cut, beside the reading, whether it is still needed."""
        cut = self._due_cut()
        if cut is None:
            return
        joined = self._planner.joined(cut, self._walls() - {cut})
        if joined is not None:
            (answer,) = yield [joined.frame]
            if isinstance(answer, int):
                self._cuts[cut] = self._pause(self._cuts[cut])
                return
        del self._cuts[cut]
