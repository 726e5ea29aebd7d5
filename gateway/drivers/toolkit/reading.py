"""One reading of a layout, and what refused or unanswered addresses teach it. Pure.

A device refuses a whole request when one of its addresses is illegal, and some say nothing at
all. The request is then split until the culprits stand alone; the other points are read as if
nothing had been. Culprits rest, and requests stay cut where joining them was refused. Nothing is
refused for ever, a device may only have been starting: both are tried again after 1 reading,
then 2, 4 … ``LONGEST_PAUSE``. What was learnt lives as long as the plan.

Silence costs a time-out, on a line that others may share. So it is searched in the next readings,
a step in each; and a device that was silent before is asked for one thing before all others.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from gateway.core.batch import Reading, Status
from gateway.core.status import bad
from gateway.drivers.toolkit.learnt import PROBES, SILENT_PAUSE, Codes, Learnt
from gateway.drivers.toolkit.merge import Block, Key, place

CHANCES = 2
"""So many requests of one reading may go unanswered by a device that answered before."""

Answer = bytes | int
"""Data of a right answer, or a code that stands for its absence."""

Steps = Generator[Sequence[Any], list[Answer], Reading]
Probe = Generator[Sequence[Any], list[Answer], None]
Look = Generator[Sequence[Any], list[Answer], bool]


class UnansweredError(Exception):
    """The device answers nothing.

    Attributes:
        block: what was asked for last.
        code: what came instead.
    """

    def __init__(self, block: Block, code: int) -> None:
        super().__init__(f"no answer to {block}")
        self.block = block
        self.code = code


@dataclass(slots=True)
class _Findings:
    """What a reading with refusals has found so far.

    Attributes:
        image: data of the answers.
        status: one byte a point.
        probes: how many requests may still search.
        chances: how many may still go unanswered.
        waiting: requests that are still to be sent.
        tables: those of which something was read.
        is_heard: whether the device said anything.
        has_looked: whether parts were asked for of a request of a table that is refused.
        again: for each request that had rested, whether it was answered well.
        refused: requests to look at more closely, with their codes.
        silent: requests without response, with their codes.
        missed: requests without values in this reading, with their codes.
    """

    image: bytearray
    status: Status
    chances: int
    waiting: list[Block]
    probes: int = PROBES
    tables: set[Any] = field(default_factory=set)
    is_heard: bool = False
    has_looked: bool = False
    again: list[bool] = field(default_factory=list)
    refused: list[tuple[Block, int]] = field(default_factory=list)
    silent: dict[Key, tuple[Block, int]] = field(default_factory=dict)
    missed: list[tuple[Block, int]] = field(default_factory=list)

    def read(self, block: Block, data: bytes) -> None:
        """Keep the data of a block."""
        self.tables.add(block.key.table)
        place(self.image, block, data)

    def miss(self, block: Block, code: int, codes: Codes) -> None:
        """A block has no values in this reading."""
        self.missed.append((block, code))
        self.status[list(block.members)] = bad(codes.reason(code))


class ReadPlan(Learnt):
    """The prepared reading of some points of one device; it learns as it reads."""

    def poll(self) -> Steps:
        """Read once: yields requests to send together, is sent their answers, returns a reading.

        Raises:
            UnansweredError: the device answered nothing.
        """
        self._readings += 1
        layout = self._layout
        if not layout.blocks:
            return self._reading(b"", np.zeros(0, np.uint8))
        if not self._answers or self._resting or self._suspects or self._due_cut():
            return (yield from self._carefully(self._due()))
        answers = yield layout.requests
        try:
            image = b"".join(cast("list[bytes]", answers))
        except TypeError:  # a code among them
            return (yield from self._carefully(layout.blocks, answers))
        return self._reading(image, np.zeros(len(layout.places), np.uint8))

    def _reading(self, image: bytes | bytearray, status: Status) -> Reading:
        return Reading(self._layout.decoder.columns(image, status), status)

    # -- reading with care ----------------------------------------------------------------

    def _carefully(self, due: Sequence[Block], answers: list[Answer] | None = None) -> Steps:
        layout = self._layout
        found = _Findings(
            bytearray(layout.size),
            np.zeros(len(layout.places), np.uint8),
            CHANCES if self._answers else 1,
            list(due),
        )
        yield from self._ask(found, answers)
        while found.refused:
            yield from self._search(found)
        self._suspect(found)
        if not self._suspects:
            yield from self._try_without_a_cut()
        for rest in self._resting.values():
            found.miss(rest.block, rest.code, self._codes)
        self.missed = found.missed
        reading = self._reading(found.image, found.status)
        self._arrange()
        return reading

    def _ask(self, found: _Findings, answers: list[Answer] | None) -> Probe:
        """Ask what waits; go on after one without response while there is hope."""
        if not self._answers:
            yield from self._knock(found)
        while found.waiting and found.chances > 0:
            batch = found.waiting
            if answers is None:
                # A device that was silent must answer one request before it is asked for more.
                is_sure = self._answers or found.is_heard
                batch = batch if is_sure else batch[:1]
                answers = yield [block.request for block in batch]
            self._sort(found, batch, answers)
            answers = None
            if not found.waiting and not found.is_heard:
                found.waiting = [block for block, _ in found.silent.values()]  # once more, then
        self._conclude(found)

    def _conclude(self, found: _Findings) -> None:
        """See whether the device is there, and how soon what rests is to be asked again."""
        if not found.is_heard:
            self._gone(found)
        for block in found.waiting:
            found.miss(block, self._codes.not_sent, self._codes)
        self._answers = True
        are_good = bool(found.again) and all(found.again)
        self._again = 2 * self._again if are_good else PROBES

    def _knock(self, found: _Findings) -> Probe:
        """Ask a silent device for part of a request: its whole may hold what is never answered."""
        block = found.waiting[0]
        piece = self._piece(block, self._hope // len(found.waiting))
        if piece is block:
            return
        (answer,) = yield [piece.request]
        if isinstance(answer, int) and answer in self._codes.no_response:
            found.silent[piece.key] = piece, answer
            self._gone(found)
        found.is_heard = True
        found.chances = CHANCES

    def _gone(self, found: _Findings) -> None:
        self._answers = False
        self._hope += 1
        block, code = list(found.silent.values())[-1]
        raise UnansweredError(block, code)

    def _sort(self, found: _Findings, asked: Sequence[Block], answers: Sequence[Answer]) -> None:
        """Note each answer; what was not sent waits before the rest."""
        pairs = list(zip(asked, answers, strict=True))
        not_sent = [block for block, answer in pairs if answer == self._codes.not_sent]
        found.waiting = [*not_sent, *found.waiting[len(asked) :]]
        for block, answer in pairs:
            if answer == self._codes.not_sent:
                continue
            if block.key in self._resting:
                found.again.append(isinstance(answer, bytes))
            if isinstance(answer, int) and answer in self._codes.no_response:
                found.chances -= 1
                found.silent[block.key] = block, answer
            else:
                self._heard(found, block, answer)

    def _heard(self, found: _Findings, block: Block, answer: Answer) -> None:
        found.is_heard = True
        found.silent.pop(block.key, None)
        self._suspects.discard(block.key)
        self._note(found, block, answer)

    def _note(self, found: _Findings, block: Block, answer: Answer) -> None:
        if isinstance(answer, int):
            found.refused.append((block, answer))
            return
        self._resting.pop(block.key, None)
        found.read(block, answer)

    # -- refusals -------------------------------------------------------------------------

    def _search(self, found: _Findings) -> Probe:
        """Look closer at one refused request; it may leave smaller refused ones behind."""
        block, code = found.refused.pop()
        before = self._resting.pop(block.key, None)
        is_beside_good = yield from self._is_beside_good(found, block, code)
        is_illegal = code in self._codes.illegal or is_beside_good
        halves = self._layout.planner.halves(block) if is_illegal else None
        if halves is None or found.probes < len(halves):
            found.miss(block, code, self._codes)
            if halves is not None:
                self._keep_apart(block, self._pause(None))
            elif code in self._codes.lasting or is_beside_good:
                self._let_rest(block, code, before)
            return
        found.probes -= len(halves)
        answers = yield [half.request for half in halves]
        if all(isinstance(answer, bytes) for answer in answers):
            # Each for itself is legal: what lies between is not.
            self._cuts[block.key.table, halves[1].key.start] = self._pause(None)
        for half, answer in zip(halves, answers, strict=True):
            self._probed(found, half, answer, code)

    def _is_beside_good(self, found: _Findings, block: Block, code: int) -> Look:
        """Whether it may be one address that is refused, as others of its table are read.

        Where nothing else is, parts of one request a reading are asked for: a device with one
        request in all would else lose every tag by one address.
        """
        if code not in self._codes.doubtful:
            return False
        table, halves = block.key.table, None
        if table not in found.tables and not found.has_looked:
            halves = self._layout.planner.halves(self._next_piece(block))
        if halves is not None:
            found.has_looked = True
            answers = yield [half.request for half in halves]
            if any(isinstance(answer, bytes) for answer in answers):
                found.tables.add(table)
        return table in found.tables

    def _probed(self, found: _Findings, half: Block, answer: Answer, code: int) -> None:
        if isinstance(answer, int) and answer in self._codes.no_response:
            found.silent[half.key] = half, answer
            found.probes = 0
        elif answer == self._codes.not_sent:
            found.miss(half, code, self._codes)
        else:
            self._note(found, half, answer)

    # -- silence --------------------------------------------------------------------------

    def _suspect(self, found: _Findings) -> None:
        """Look closer, from the next reading on, at what was not answered twice in a row."""
        for block, code in found.silent.values():
            found.miss(block, code, self._codes)
            rest = self._resting.pop(block.key, None)
            if rest is None and block.key not in self._suspects:
                self._suspects.add(block.key)
                self._keep_apart(block, self._pause(None, SILENT_PAUSE))
                continue
            self._suspects.discard(block.key)
            halves = None if rest else self._layout.planner.halves(block)
            if halves is None:
                self._let_rest(block, code, rest)
                continue
            for half in halves:
                self._suspects.add(half.key)
                for wall in half.walls:
                    self._cuts.setdefault(wall, self._pause(None, SILENT_PAUSE))

    # -- cuts -----------------------------------------------------------------------------

    def _try_without_a_cut(self) -> Probe:
        """Ask over one cut, beside the reading, whether it is still needed."""
        cut = self._due_cut()
        if cut is None:
            return
        joined = self._layout.planner.joined(cut, self._needed_walls() - {cut})
        if joined is not None:
            (answer,) = yield [joined.request]
            if isinstance(answer, int):
                self._cuts[cut] = self._pause(self._cuts[cut])
                return
        del self._cuts[cut]
