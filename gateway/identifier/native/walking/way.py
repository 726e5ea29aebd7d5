"""The way of one question: who was asked, and that it neither goes round nor on for ever."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.identifier.irp.codes import Rc

MAX_HOPS = 40
"""Referrals, aliases and services of one walk."""
ABSENT = frozenset({Rc.HANDLE_NOT_FOUND, Rc.VALUES_NOT_FOUND})


@dataclass(frozen=True, slots=True)
class Hop:
    """One question to one server.

    Attributes:
        handle: that was asked for.
        place: ``host:port`` and the protocol.
        outcome: the answer's code, or why there was none, in words.
        took_s: how long it took.
    """

    handle: str
    place: str
    outcome: str
    took_s: float


class WalkError(Exception):
    """A handle was not found; ``hops`` says where it was looked for.

    Attributes:
        rc: what the last server answered; ``Rc.REQUEST`` where none did.
        is_certain: a server that answers for it says that there is none.
        hops: the way.
    """

    def __init__(
        self, why: str, hops: Sequence[Hop], rc: int = Rc.REQUEST, *, is_certain: bool = False
    ) -> None:
        super().__init__(why)
        self.hops = tuple(hops)
        self.rc = rc
        self.is_certain = is_certain


@dataclass(slots=True)
class Way:
    """A walk under way: where it was."""

    hops: list[Hop] = field(default_factory=list)
    steps: int = 0
    been: set[object] = field(default_factory=set)

    def step(self, handle: str, where: object) -> None:
        """Go on to somewhere.

        Raises:
            WalkError: the way was there already, or is too long.
        """
        if (handle, where) in self.been:
            raise WalkError(f"{handle}: servers refer to each other in a circle", self.hops)
        if self.steps >= MAX_HOPS:
            raise WalkError(f"{handle}: not found after {MAX_HOPS} referrals", self.hops)
        self.steps += 1
        self.been.add((handle, where))

    def begin_anew(self) -> None:
        """What was known before led nowhere; the same places may be come to again."""
        self.been.clear()


def words(rc: int) -> str:
    """What a code of an answer means."""
    try:
        return Rc(rc).name.lower().replace("_", " ")
    except ValueError:
        return f"code {rc}"
