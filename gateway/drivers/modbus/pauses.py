"""What is found out about the other side of a link, its waits above all. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec

HASTY_S = 0.1
"""Some converters ignore what is sent sooner after their last answer (Carlo Gavazzi EM330: 50 ms).
If no request sent so soon was ever answered, but one was when repeated, all wait that long."""

PATIENCE = 4
"""So many time-outs a unit that has answered before is waited for, while a gateway may still be
at work on the request to another that was given up: its queue is not the unit's fault."""

TURNAROUND_S = 0.05
"""Quiet on a serial line between a request that was given up and one to another unit."""

DOUBT_S = 0.3
"""So long an answer in doubt waits whether another follows: a serial line that was held up sends
what it has kept without a pause, and so does whoever repeats answers."""

LONGEST_DOUBT_S = 2.0
"""Then it counts though the line is never quiet."""

CUT_OFF_S = 0.3
"""A request that was cancelled sooner was not waited for: its silence teaches nothing."""

LATE_CONNECTIONS = 2
"""Some dongles answer nothing in the first seconds of a connection (Huawei SDongle: 1.5 s). If the
first request was answered only when repeated, over so many connections in a row, it waits."""

LONGEST_WARM_UP_S = 10.0
"""What is answered later than this after connecting was silent for another reason."""

ONE_EACH = "it ends each connection after one answer, so each request has its own"
COMES_TWICE = (
    "a unit behind it answers twice: two devices may have one unit number, or something repeats "
    "what they say; its answers are awaited longer"
)

_STEP_S = 0.1

Asked = tuple[int, bytes]
"""A request: the unit, and what it was asked."""


_Wait = Annotated[int, msgspec.Meta(ge=0, le=round(1_000 * LONGEST_WARM_UP_S))]
"""Milliseconds; a damaged file keeps no link waiting for longer."""


class Found(msgspec.Struct, frozen=True):
    """What was found out about the waits of a link, as it is kept over restarts.

    Attributes:
        between_ms: needed between an answer and the next request; 0: none is known to be.
        after_connect_ms: needed before the first request of a connection; 0: the same.
        late: connections in a row whose first request was answered only when repeated.
        warm_ms: how old, at most, each of these was when it was.
        may_warm_up: False where waiting was seen not to help.
    """

    between_ms: _Wait = 0
    after_connect_ms: _Wait = 0
    late: Annotated[int, msgspec.Meta(ge=0)] = 0
    warm_ms: _Wait = 0
    may_warm_up: bool = True


NOTHING_FOUND = Found()


class Known(msgspec.Struct, frozen=True):
    """What is kept of a link over restarts.

    Attributes:
        settings: under which it was found out.
        pauses: waits that the other side needs.
        is_rtu: it answers in RTU framing, which was not written.
        is_one_answer_each: it ends each connection after one answer.
        window: requests under way at once that were seen to go well.
        refusals: how often several at once were not.
    """

    settings: tuple[str | int | None, ...]
    pauses: Found = NOTHING_FOUND
    is_rtu: bool = False
    is_one_answer_each: bool = False
    window: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    refusals: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0


def _nobody(_words: str) -> None:
    """Where nobody is told."""


@dataclass(slots=True)
class Pauses:
    """Waits that a link needs, seconds; shared by its connections.

    Attributes:
        after_connect_s: between opening a connection and the first request.
        between_s: between an answer and the next request.
        may_need: whether a pause between requests may still turn out to be needed.
        found: what was found out.
        tell: told in a sentence what is found out.
        written_after_connect_s: what of ``after_connect_s`` is written.
    """

    after_connect_s: float = 0.0
    between_s: float = 0.0
    may_need: bool = True
    found: Found = NOTHING_FOUND
    tell: Callable[[str], None] = _nobody
    written_after_connect_s: float = 0.0

    def set(self, after_connect_ms: int | None, between_ms: int | None) -> None:
        """Follow what is written; what is not may be found out anew."""
        self.written_after_connect_s = self.after_connect_s = (after_connect_ms or 0) / 1000
        self.between_s = (between_ms or 0) / 1000
        self.may_need, self.found = True, NOTHING_FOUND

    def recall(self, found: Found) -> None:
        """Go on with what was found out before a restart, unless more is known by now."""
        if self.found != NOTHING_FOUND:
            return
        self.found = found
        self.may_need = self.may_need and not found.between_ms
        self.between_s = max(self.between_s, found.between_ms / 1000)
        self.after_connect_s = max(self.after_connect_s, found.after_connect_ms / 1000)

    def words(self) -> dict[str, str]:
        """What stands of it, for people, by what it is about."""
        found, words = self.found, {}
        if found.between_ms:
            words["pause"] = (
                f"it answers no request sent within {found.between_ms} ms after an answer, so each "
                "waits; pause_between_requests_ms sets it, unit_pause_ms that of one unit alone"
            )
        if found.after_connect_ms:
            words["warm-up"] = (
                f"it answers no request in the first {found.after_connect_ms:,} ms of a "
                "connection, so the first one waits; pause_after_connect_ms sets it"
            )
        return words

    # -- finding out ----------------------------------------------------------------------

    def need_between(self) -> None:
        """A request was answered that, sent in haste, was not."""
        self.may_need = False
        if self.between_s < HASTY_S:
            self.between_s = HASTY_S
            self._find(between_ms=round(HASTY_S * 1000))
            self.tell(self.words()["pause"])

    def first_was_answered(self) -> None:
        """The first request of a connection was answered at once."""
        if self.found.late:
            self._find(late=0, warm_ms=0)

    def first_was_late(self, age_s: float) -> None:
        """The first request was answered only when repeated over a connection of this age."""
        if not self.found.may_warm_up or age_s > LONGEST_WARM_UP_S:
            return
        age_ms = round(math.ceil(age_s / _STEP_S) * _STEP_S * 1000)
        warm_ms = min(self.found.warm_ms or age_ms, age_ms)
        self._find(late=self.found.late + 1, warm_ms=warm_ms)
        if self.found.late >= LATE_CONNECTIONS:
            self._warm_up()

    def _warm_up(self) -> None:
        found = self.found
        if found.after_connect_ms:  # it had waited as long as it took before, and that was no help
            self.after_connect_s = self.written_after_connect_s
            self._find(after_connect_ms=0, late=0, warm_ms=0, may_warm_up=False)
            return
        self._find(after_connect_ms=found.warm_ms, late=0, warm_ms=0)
        self.after_connect_s = max(self.after_connect_s, found.warm_ms / 1000)
        self.tell(self.words()["warm-up"])

    def _find(self, **changes: int | bool) -> None:
        self.found = msgspec.structs.replace(self.found, **changes)


class Lessons:
    """What the requests over one connection teach about the waits of its link.

    Args:
        pauses: those of the link.

    Attributes:
        is_new: whether the first request has not been answered yet.
    """

    __slots__ = ("_first", "_hasty", "_pauses", "is_new")

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        self._first: Asked | None = None  # the first request, if it was not answered
        self._hasty: Asked | None = None  # sent in haste and not answered
        self.is_new = True

    @property
    def is_open(self) -> bool:
        """Whether an answer may still teach something."""
        return self.is_new or self._pauses.may_need

    def unanswered(self, asked: Asked, *, is_hasty: bool) -> None:
        """A request was given up; ``is_hasty`` says that it followed an answer at once."""
        if self.is_new and self._first is None:
            self._first = asked
        if is_hasty:
            self._hasty = asked

    def answered(self, asked: Asked, age_s: float, since_s: float | None) -> None:
        """A request was answered.

        Args:
            asked: the request.
            age_s: of the connection when it was sent.
            since_s: what had passed since the answer before; None: it is the first.
        """
        if self.is_new:
            self._see_first(asked, age_s)
        if self._pauses.may_need and since_s is not None:
            self._see_haste(asked, since_s)

    def _see_first(self, asked: Asked, age_s: float) -> None:
        if self._first is None:
            self._pauses.first_was_answered()
        elif asked == self._first:
            self._pauses.first_was_late(age_s)
        else:
            return  # another unit, or another address: the first one may be dead
        self.is_new = False

    def _see_haste(self, asked: Asked, since_s: float) -> None:
        if since_s < HASTY_S:
            self._pauses.may_need = False
        elif asked == self._hasty:
            self._pauses.need_between()
        self._hasty = None
