"""What asking for a code comes to, whoever was asked. Pure."""

from enum import StrEnum
from typing import Protocol

import msgspec

from gateway.identifier.codes.code import Code

MAX_KEPT_S = 2 * 86_400
"""Longest time that a record is taken for fresh, whatever its source says."""
NOT_FOUND_KEPT_S = 60
FAILURE_KEPT_S = 5


class Outcome(StrEnum):
    """What became of a question; the same words whatever the protocol."""

    FOUND = "found"
    NOT_FOUND = "not found"
    INVALID = "invalid"
    DENIED = "denied"
    BUSY = "busy"
    NOT_RESPONSIBLE = "not responsible"
    UNREACHABLE = "unreachable"
    BROKEN = "broken answer"


class Item(msgspec.Struct, frozen=True):
    """One thing that is known of a code.

    Attributes:
        type: as the source names it.
        text: what it is.
        index: its number, of a handle's value; else 0.
    """

    type: str
    text: str
    index: int = 0


class Hop(msgspec.Struct, frozen=True):
    """Somebody who was asked.

    Attributes:
        source: name of the source.
        place: address, and the protocol.
        asked: for what.
        outcome: in words.
        took_s: how long it took.
    """

    source: str
    place: str
    asked: str
    outcome: str
    took_s: float


class Answer(msgspec.Struct, frozen=True):
    """What is known of a code.

    Attributes:
        code: canonical.
        outcome: whether anything is.
        items: what.
        source: who said so.
        why: in words, where nothing was found.
        ttl_s: how long the source wants it kept.
        hops: who was asked.
        is_stale: nobody could be asked; it is from before.
        is_own: it is from our own ledger.
    """

    code: str
    outcome: Outcome
    items: tuple[Item, ...] = ()
    source: str = ""
    why: str = ""
    ttl_s: int = 0
    hops: tuple[Hop, ...] = ()
    is_stale: bool = False
    is_own: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether somebody who knows has said so."""
        return self.outcome in (Outcome.FOUND, Outcome.NOT_FOUND)


def kept_s(answer: Answer) -> int:
    """How long an answer is given again without asking: failures shortest, so that they end."""
    if answer.outcome is Outcome.FOUND:
        return max(0, min(answer.ttl_s, MAX_KEPT_S))
    return NOT_FOUND_KEPT_S if answer.outcome is Outcome.NOT_FOUND else FAILURE_KEPT_S


class Source(Protocol):
    """Somebody who may know of codes."""

    name: str

    def takes(self, code: Code) -> bool:
        """Whether codes of this kind are asked for here."""
        ...

    async def ask(self, code: Code) -> Answer:
        """Ask; whatever happens is an answer."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
