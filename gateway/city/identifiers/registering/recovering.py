"""What the node has of a prefix, noted in the file of issued identifiers before any is issued.

Where the city's database and that file are both lost, only the node knows which machine has which
identifier. A number of another day collides with none, so nobody would notice a second one.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.city.identifiers.contents import owner_of
from gateway.city.identifiers.issued import Issue, IssuedFile
from gateway.city.identifiers.registering.reading import read_all
from gateway.city.ledger.names import NOBODY, MachineName
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.record import Record
from gateway.identifier.registering.marking import is_marked
from gateway.identifier.registering.registry import Listing, Outcome, Registry, Result

_log = logging.getLogger(__name__)

_MOST_PAGES = 100_000
_TOLD_EVERY = 20
"""Pages between two lines of progress in the log."""
_GONE = Outcome.NOT_FOUND


async def recover(registry: Registry, issued: IssuedFile, prefix: str, now_ms: int) -> Result:
    """Note whose the identifiers of a prefix are that the node has and the file has not.

    Withdrawn ones, too, as far as the node tells whose they were: their machines get no others.

    Args:
        registry: the node; it can list.
        issued: the file; it counts as asked afterwards.
        prefix: as ``88.999.1``.
        now_ms: UTC milliseconds.

    Returns:
        OK, or why not all could be listed and read; what was read is noted then as well, and is
        not read again. INVALID: the node says that it cannot list.
    """
    recovery = _Recovery(registry, issued, prefix, now_ms)
    before = Listing(Outcome.OK)
    for number in range(1, _MOST_PAGES + 1):
        page = await registry.listed(prefix, before.further)
        if fault := _fault(prefix, page, before) or await recovery.take(page):
            return fault
        if not page.further:
            return await recovery.end()
        if number % _TOLD_EVERY == 0:
            recovery.tell()
        before = page
    return Result(prefix, Outcome.UNKNOWN, f"listing {prefix}: it does not end")


def _fault(prefix: str, page: Listing, before: Listing) -> Result | None:
    """Why a listing does not go on behind a page; None: it does."""
    if page.outcome is not Outcome.OK:
        outcome = _lasting(page.outcome) if before.further else page.outcome
        return Result(prefix, outcome, f"listing {prefix}: {page.message}")
    if page.handles and page.handles == before.handles:
        return Result(prefix, Outcome.UNKNOWN, f"listing {prefix}: a page comes twice")
    return None


@dataclass(slots=True)
class _Recovery:
    """What was listed, on its way into the file."""

    registry: Registry
    issued: IssuedFile
    prefix: str
    now_ms: int
    noted: int = 0

    async def take(self, page: Listing) -> Result | None:
        """Note a page; why not all of it, if so."""
        lacking = await asyncio.to_thread(_lacking, self.issued, page.handles)
        readings = await read_all(self.registry, lacking)
        records = [one.record for one in readings if one.record is not None]
        gone = await asyncio.to_thread(_lacking_records, self.issued, page.withdrawn)
        await asyncio.to_thread(_note, self.issued, records, gone, self.now_ms)
        self.noted += len(records) + len(gone)
        for handle, one in zip(lacking, readings, strict=True):
            if one.record is None and one.outcome is not _GONE:
                said = f"reading {handle}: {one.message}"
                return Result(self.prefix, _lasting(one.outcome), said)
        return None

    async def end(self) -> Result:
        """Note that all of it is there."""
        await asyncio.to_thread(self.issued.note_asked, self.prefix)
        if self.noted:
            _log.warning(_FOUND, self.prefix, self.registry.name, self.noted, self.issued.path)
        return Result(self.prefix, Outcome.OK)

    def tell(self) -> None:
        """Say how far it is."""
        said = "reading what %s has of %s: %d so far"
        _log.info(said, self.registry.name, self.prefix, self.noted)


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


def _lacking_records(issued: IssuedFile, records: Sequence[Record]) -> list[Record]:
    lacking = set(_lacking(issued, [one.handle for one in records]))
    return [one for one in records if one.handle in lacking]


def _note(
    issued: IssuedFile, records: Sequence[Record], gone: Sequence[Record], now_ms: int
) -> None:
    """Note records, and those of identifiers that the node has taken back for ever."""
    marked = [one for one in records if is_marked(one)]
    issued.note_withdrawn(Handle.parse(one.handle) for one in (*marked, *gone))
    for record in (*records, *gone):
        handle, owner = Handle.parse(record.handle), owner_of(record)
        if owner == NOBODY:
            issued.add([Issue(handle, NOBODY)], now_ms)
        else:
            issued.add(_shared_out(issued, handle, owner), now_ms)


def _shared_out(issued: IssuedFile, handle: Handle, owner: MachineName) -> list[Issue]:
    """A machine's identifiers: the oldest that lives, else the oldest, is its own."""
    held = [
        one.handle
        for _, one in issued.issues_to([owner])
        if one.handle.prefix.upper() == handle.prefix.upper()
    ]
    ordered = sorted({handle, *held}, key=lambda one: (issued.was_withdrawn(one), one.key))
    first, later = ordered[0], ordered[1:]
    living = [str(one) for one in later if not issued.was_withdrawn(one)]
    if living:
        _log.warning(_SEVERAL, first, ", ".join(living), "/".join(owner), first)
    # The later ones are nobody's; their numbers stay taken.
    return [Issue(first, owner), *(Issue(one, NOBODY) for one in later)]


_SEVERAL = (
    "the node has %s and %s for one machine, %s; it keeps %s, and the other is to be withdrawn at "
    "the node"
)
