"""What the node has of a prefix, noted in the file of issued identifiers before any is issued.

Where the city's database and that file are both lost, only the node knows which machine has which
identifier. A number of another day collides with none, so nobody would notice a second one.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence

from gateway.city.identifiers.contents import describes_nobody, owner_of
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.registering.reading import read_all
from gateway.city.ledger.names import NOBODY
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.record import Record
from gateway.identifier.registering.registry import Outcome, Registry, Result

_log = logging.getLogger(__name__)

_MOST_PAGES = 100_000
_TOLD_EVERY = 20
"""Pages between two lines of progress in the log."""
_GONE = Outcome.NOT_FOUND


async def recover(registry: Registry, issued: IssuedFile, prefix: str, now_ms: int) -> Result:
    """Note whose the identifiers of a prefix are that the node has and the file has not.

    Args:
        registry: the node; it can list.
        issued: the file; it counts as asked afterwards.
        prefix: as ``88.999.1``.
        now_ms: UTC milliseconds.

    Returns:
        OK, or why not all could be listed and read; what was read is noted then as well, and is
        not read again. INVALID: the node says that it cannot list.
    """
    further, noted = "", 0
    before: tuple[str, ...] = ()
    for page in range(_MOST_PAGES):
        listing = await registry.listed(prefix, further)
        if listing.outcome is not Outcome.OK:
            outcome = _lasting(listing.outcome) if further else listing.outcome
            return Result(prefix, outcome, f"listing {prefix}: {listing.message}")
        if listing.handles and listing.handles == before:
            return Result(prefix, Outcome.UNKNOWN, f"listing {prefix}: a page comes twice")
        before = listing.handles
        lacking = await asyncio.to_thread(_lacking, issued, listing.handles)
        readings = await read_all(registry, lacking)
        records = [one.record for one in readings if one.record is not None]
        await asyncio.to_thread(_note, issued, records, now_ms)
        for handle, one in zip(lacking, readings, strict=True):
            if one.record is None and one.outcome is not _GONE:
                return Result(prefix, _lasting(one.outcome), f"reading {handle}: {one.message}")
        noted, further = noted + len(records), listing.further
        if not further:
            await asyncio.to_thread(issued.note_asked, prefix)
            if noted:
                _log.warning(_FOUND, prefix, registry.name, noted, issued.path)
            return Result(prefix, Outcome.OK)
        if page % _TOLD_EVERY == _TOLD_EVERY - 1:
            _log.info("reading what %s has of %s: %d so far", registry.name, prefix, noted)
    return Result(prefix, Outcome.UNKNOWN, f"listing {prefix}: it does not end")


_FOUND = (
    "of %s %s has %d identifiers that %s lacked; it has them now, and machines get back what they "
    "had (the file is new: was it lost, with the database?)"
)


def _lasting(outcome: Outcome) -> Outcome:
    """Of a node that has listed something: that it cannot list is not what it says."""
    return Outcome.UNKNOWN if outcome is Outcome.INVALID else outcome


def _lacking(issued: IssuedFile, handles: Sequence[str]) -> list[str]:
    return [str(one) for one in _readable(handles) if not issued.holds(one)]


def _readable(handles: Sequence[str]) -> Iterator[Handle]:
    """Identifiers, without those that are none by our rules: no machine was given such a one."""
    for text in handles:
        try:
            yield Handle.parse(text)
        except HandleError:
            continue


def _note(issued: IssuedFile, records: Sequence[Record], now_ms: int) -> None:
    for record in records:
        handle = Handle.parse(record.handle)
        owner = NOBODY if describes_nobody(record) else owner_of(record)
        if owner == NOBODY:
            issued.add([Issue(handle, NOBODY)], now_ms)
            continue
        held = [
            one.handle
            for _, one in issued.issues_to([owner])
            if one.handle.prefix.upper() == handle.prefix.upper()
        ]
        first = min([handle, *held], key=lambda one: one.key)
        # Of two that one machine has, the later one is nobody's; its number stays taken.
        later = [one for one in {handle, *held} if one != first]
        if later:
            _log.warning(
                "the node has %s and %s for one machine, %s; it keeps %s, and the other is to be "
                "withdrawn at the node",
                first,
                ", ".join(map(str, later)),
                "/".join(owner),
                first,
            )
        issued.add([Issue(first, owner), *(Issue(one, NOBODY) for one in later)], now_ms)
