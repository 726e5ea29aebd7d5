"""What readings have taught of a device's addresses, and what is due to be asked. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.core.status import Reason
from gateway.drivers.extras import Resting
from gateway.drivers.toolkit.layout import Layout
from gateway.drivers.toolkit.merge import Block, Key, Wall

LONGEST_PAUSE = 64
"""Readings after which what is always refused is tried again."""

SILENT_PAUSE = 16
"""Readings before requests that were cut because of silence are joined again for a trial."""

PROBES = 16
"""Most requests of one reading that search for culprits, and most that ask resting points again;
of the latter twice as many after a reading in which every such answer was good, due or not."""


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes of a protocol mean that stand in place of data.

    Attributes:
        reason: for people.
        illegal: an address among those asked for is wrong; apart, the others are answered.
        doubtful: the same, if another request to the same table is answered.
        lasting: nothing that is likely to be over at the next reading.
        no_response: the device said nothing; asking on would cost a time-out each.
        not_sent: the request was not sent, because one before it had no response.
    """

    reason: Callable[[int], Reason]
    illegal: frozenset[int]
    doubtful: frozenset[int]
    lasting: frozenset[int]
    no_response: frozenset[int]
    not_sent: int


@dataclass(frozen=True, slots=True)
class Pause:
    """How long something is left alone, and the number of the reading that tries it again."""

    length: int
    until: int


@dataclass(frozen=True, slots=True)
class Rest:
    """A request that the device refuses or does not answer, as far as we know."""

    block: Block
    code: int
    pause: Pause


class Knowledge(msgspec.Struct, frozen=True, array_like=True):
    """What outlives a restart, as it is written to a file.

    Attributes:
        cuts: table, address and length of the pause of places where requests are cut.
        resting: table, first address, how many, last start, code and length of the pause of
            requests that rest.
    """

    cuts: list[tuple[Any, int, int]]
    resting: list[tuple[Any, int, int, int, int, int]]


class Learnt:
    """The requests of one device, and what is known of its addresses.

    Args:
        layout: the requests while nothing is known.
        codes: of the protocol.

    Attributes:
        missed: requests without values in the last reading that was not all good, with codes.
    """

    def __init__(self, layout: Layout, codes: Codes) -> None:
        self._codes = codes
        self._cuts: dict[Wall, Pause] = {}
        self._resting: dict[Key, Rest] = {}
        self._suspects: set[Key] = set()  # not answered once; asked first in the next reading
        self.missed: list[tuple[Block, int]] = []
        self._again = PROBES
        self._readings = 0
        self._answers = False  # whether the device did, at the last attempt
        self._hope = 0  # which request to try first while it does not
        self._looks = 0  # which part of a refused request to look at next
        self._walls: frozenset[Wall] = frozenset()
        self._whole = self._layout = layout

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The requests as they are arranged now."""
        return self._layout.blocks

    @property
    def is_sound(self) -> bool:
        """Whether the next answer is expected: if none comes, others may be to blame."""
        return self._answers and not self._suspects

    @property
    def likely(self) -> Block | None:
        """The first request that is expected to be answered."""
        doubtful = self._resting.keys() | self._suspects
        return next((block for block in self.blocks if block.key not in doubtful), None)

    # -- over a restart -------------------------------------------------------------------

    @property
    def knowledge(self) -> Any:
        """What is known of the device's addresses, of lists, texts and numbers; None: nothing.

        How much of a pause is over is not in it: it would change with each reading.
        """
        if not self._cuts and not self._resting:
            return None
        cuts = [(*wall, pause.length) for wall, pause in self._cuts.items()]
        resting = [
            (*rest.block.key, rest.block.last, rest.code, rest.pause.length)
            for rest in self._resting.values()
        ]
        return msgspec.to_builtins(Knowledge(cuts, resting))

    def recall(self, knowledge: Any) -> None:
        """Go on with what was known before, all pauses beginning anew.

        Args:
            knowledge: of a plan of the same points and rules, before its first reading.

        Raises:
            ValueError: it is none; nothing is recalled.
        """
        known = msgspec.convert(knowledge, Knowledge)
        cuts = {(table, place): self._begun(length) for table, place, length in known.cuts}
        walls = {(table, first) for table, first, *_ in known.resting}
        walls |= {(table, last + 1) for table, _, _, last, *_ in known.resting}
        blocks = {block.key: block for block in self._whole.apart(walls | cuts.keys()).blocks}
        self._cuts = cuts
        for table, start, length, _, code, pause in known.resting:
            block = blocks.get(Key(table, start, length))
            if block is not None:
                self._resting[block.key] = Rest(block, code, self._begun(pause))
        self._arrange()

    def _begun(self, length: int) -> Pause:
        length = max(1, min(length, LONGEST_PAUSE))
        return Pause(length, self._readings + length)

    def resting(self) -> list[Resting]:
        """What is left alone for now, for people; see ``gateway.drivers.extras.RestingPlan``."""
        return [
            Resting(
                str(rest.block),
                self._codes.reason(rest.code),
                max(rest.pause.until - self._readings, 0),
            )
            for rest in self._resting.values()
        ]

    # -- what is due ----------------------------------------------------------------------

    def _due(self) -> list[Block]:
        """All requests but those that rest, and some whose rest is over; one if all rest.

        A suspect comes first: what was not answered may only have come too soon after another.
        What rested comes late. While the device does not answer, another request comes first
        each time.
        """
        asked = self._rested()
        due = [one for one in self.blocks if one.key not in self._resting or one.key in asked]
        if not due:
            due = [min(self.blocks, key=lambda block: self._resting[block.key].pause.until)]
        if self._answers:
            return self._ranked(due)
        first = self._hope % len(due)
        return [*due[first:], *due[:first]]

    def _rested(self) -> set[Key]:
        """What has rested and is asked again: of the silent one only, as each may cost a time-out.

        Those that rest for the longest come first, so that none is passed over for ever.
        """
        is_recovering = self._again > PROBES
        over = [
            (key, rest.code in self._codes.no_response)
            for key, rest in self._resting.items()
            if is_recovering or self._is_over(rest.pause)
        ]
        silent = [key for key, is_silent in over if is_silent][:1]
        refused = [key for key, is_silent in over if not is_silent]
        return {*silent, *refused[: self._again - len(silent)]}

    def _let_rest(self, block: Block, code: int, before: Rest | None) -> None:
        """Leave a request alone for twice as long as before."""
        pause = self._pause(before.pause if before else None)
        self._resting[block.key] = Rest(block, code, pause)

    def _ranked(self, due: Sequence[Block]) -> list[Block]:
        suspects = [block for block in due if block.key in self._suspects]
        others = [block for block in due if block.key not in self._suspects]
        others.sort(key=lambda block: block.key in self._resting)
        return [*suspects[:1], *others, *suspects[1:]]  # two silent ones must not be the first

    def _piece(self, block: Block, turn: int) -> Block:
        """Part of a request, another one at each turn; the whole at turn 0."""
        while turn and (halves := self._layout.planner.halves(block)):
            block = halves[turn & 1]
            turn >>= 1
        return block

    def _next_piece(self, block: Block) -> Block:
        """Another part at each call, the whole at first."""
        self._looks += 1
        return self._piece(block, self._looks - 1)

    def _due_cut(self) -> Wall | None:
        if not self._cuts:  # nearly always, and asked at each reading
            return None
        return next((cut for cut, pause in self._cuts.items() if self._is_over(pause)), None)

    def _is_over(self, pause: Pause) -> bool:
        return pause.until <= self._readings

    def _pause(self, before: Pause | None, first: int = 1) -> Pause:
        """The next pause: twice the one before."""
        length = min(2 * before.length, LONGEST_PAUSE) if before else first
        return Pause(length, self._readings + length)

    def _keep_apart(self, block: Block, pause: Pause) -> None:
        """Keep a piece apart, so that the next reading need not split its way there again."""
        if block not in self.blocks:
            for wall in block.walls:
                self._cuts.setdefault(wall, pause)

    def _needed_walls(self) -> frozenset[Wall]:
        """Where requests must not be joined, by what is known now."""
        return frozenset(self._cuts).union(*(rest.block.walls for rest in self._resting.values()))

    def _arrange(self) -> None:
        walls = self._needed_walls()
        if walls == self._walls:
            return
        self._walls = walls
        self._layout = self._whole.apart(walls) if walls else self._whole
        keys = {block.key for block in self.blocks}
        self._resting = {key: rest for key, rest in self._resting.items() if key in keys}
        self._suspects &= keys
