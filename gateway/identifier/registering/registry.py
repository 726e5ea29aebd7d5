"""What registering comes to, and who does it; the same words whatever the dialect. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.identifier.record import Record
from gateway.identifier.template import Item


class Outcome(StrEnum):
    """What became of a request, or of one identifier of many.

    The first five are the node's word on the identifier; of the others DENIED and LOGIN need a
    person, BUSY, UNREACHABLE and QUOTA time, and UNKNOWN a look at what the node holds.
    """

    OK = "ok"
    EXISTS = "exists"
    NOT_FOUND = "not found"
    INVALID = "invalid"
    DENIED = "denied"
    LOGIN = "login refused"
    BUSY = "busy"
    QUOTA = "quota used up"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"

    @property
    def pauses(self) -> bool:
        """Whether it says nothing of the identifier, and the next one would fare no better."""
        return self in _PAUSING


_PAUSING = frozenset({Outcome.LOGIN, Outcome.BUSY, Outcome.QUOTA, Outcome.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one identifier.

    Attributes:
        handle: as it was sent.
        outcome: OK: the node confirms it. UNKNOWN: it may have happened. Of BUSY, QUOTA, LOGIN and
            UNREACHABLE it is sure that nothing has happened.
        message: the node's own words, or why there are none.
    """

    handle: str
    outcome: Outcome
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node holds of an identifier.

    Attributes:
        outcome: OK with a record, NOT_FOUND, or why it could not be read.
        record: what is held.
        message: the node's own words.
    """

    outcome: Outcome
    record: Record | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the identifiers of a prefix.

    Attributes:
        outcome: OK, or why there is none; INVALID: the node cannot list.
        handles: living ones of this page, all of the prefix.
        withdrawn: those that were withdrawn, as they were; empty where the node does not tell.
        further: what the next page is asked for with; empty: this is the last one.
        message: the node's own words.
    """

    outcome: Outcome
    handles: tuple[str, ...] = ()
    further: str = ""
    message: str = ""
    withdrawn: tuple[Record, ...] = ()


NO_LISTING = Listing(Outcome.INVALID, message="the node cannot list identifiers")


def page_of(prefix: str, handles: object, further: str, asked_with: str) -> Listing:
    """A page as a node has told it; INVALID where it is none, UNKNOWN of another prefix or endless.

    Args:
        prefix: that was asked for.
        handles: what the node says; withdrawn ones as records.
        further: what the next page would be asked for with.
        asked_with: what this page was asked for with.
    """
    start = f"{prefix}/".upper()
    if not isinstance(handles, list) or len(handles) > MOST_LISTED:
        return Listing(Outcome.INVALID, message=f"listing {prefix}: the answer is no page")
    names = [one.handle if isinstance(one, Record) else one for one in handles]
    if any(not isinstance(one, str) or not one.upper().startswith(start) for one in names):
        return Listing(Outcome.UNKNOWN, message=f"listing {prefix}: other identifiers are told")
    if further and further == asked_with:
        return Listing(Outcome.UNKNOWN, message=f"listing {prefix}: a page comes twice")
    withdrawn = tuple(one for one in handles if isinstance(one, Record))
    living = tuple(one for one in handles if isinstance(one, str))
    return Listing(Outcome.OK, living, further, withdrawn=withdrawn)


MOST_LISTED = 10_000
"""Identifiers of one page; more are not believed."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a node can do.

    Attributes:
        batch: most identifiers of one call; 1: it takes one at a time.
        has_templates: whether values follow a template that must be there first.
        can_list: whether it tells which identifiers a prefix has.
    """

    batch: int
    has_templates: bool
    can_list: bool = False


class Registry(Protocol):
    """A node where identifiers are registered.

    No method raises for what the node or the network does: that is an outcome. Of many each has
    its own result, in the order in which they were given.
    """

    name: str
    abilities: Abilities

    async def login(self) -> Result:
        """Show who asks; the handle of the result is empty. Other methods do so when needed."""
        ...

    async def read(self, handle: str) -> Reading:
        """What the node holds, from itself and not from a cache."""
        ...

    async def listed(self, prefix: str, further: str = "") -> Listing:
        """A page of the identifiers of a prefix, without those below it.

        Args:
            prefix: as ``88.999.1``.
            further: of the page before; empty: the first page.
        """
        ...

    async def create(self, records: Sequence[Record]) -> list[Result]:
        """Register identifiers; one that is there is EXISTS and stays as it is."""
        ...

    async def update(self, records: Sequence[Record]) -> list[Result]:
        """Replace the metadata of identifiers; one that is not there is NOT_FOUND."""
        ...

    async def withdraw(self, records: Sequence[Record], reason: str) -> list[Result]:
        """Take back identifiers that were given by mistake; they are never another machine's.

        Args:
            records: as they were registered.
            reason: in words; kept at the node where it can keep one.
        """
        ...

    async def ensure_template(self, prefix: str, version: str, items: Sequence[Item]) -> Result:
        """Have a template at the node hold these items; it is made, or what it lacks is added."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
