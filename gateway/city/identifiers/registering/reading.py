"""What the node holds, compared with what the ledger says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.city.identifiers.contents import describes_nobody, owner_of, record_of
from gateway.city.identifiers.entries import Difference, Verdict, Work, verdict_of
from gateway.city.ledger.machines import is_named
from gateway.identifier.record import Record
from gateway.identifier.registering.registry import Outcome, Reading, Registry, Result
from gateway.relational.database import Database

_READERS = 8

ANOTHERS = "it describes another machine"


async def read_all(registry: Registry, handles: Sequence[str]) -> list[Reading]:
    """Read identifiers, a few at a time; behind one that pauses nothing more is asked."""
    found: list[Reading] = []
    for start in range(0, len(handles), _READERS):
        part = handles[start : start + _READERS]
        if found and found[-1].outcome.pauses:
            found += [replace(found[-1])] * len(part)
        else:
            found += await asyncio.gather(*(registry.read(handle) for handle in part))
    return found


async def is_ours(database: Database, work: Work, held: Record) -> bool:
    """Whether a record is that of an entry's machine, under any name that it bears or bore."""
    return await database.run(is_named, work.machine, owner_of(held))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What reading back came to.

    Attributes:
        equal: entries whose record at the node is what it should be.
        different: entries whose record is another, or is not there.
        unread: entries that could not be read, for a reason that passes.
    """

    equal: list[Work]
    different: list[Difference]
    unread: list[Verdict]


async def compare(
    database: Database, registry: Registry, template_version: str, works: Sequence[Work]
) -> Comparison:
    """Read identifiers back."""
    readings = await read_all(registry, [one.handle for one in works])
    found = Comparison([], [], [])
    for work, reading in zip(works, readings, strict=True):
        if reading.outcome.pauses or reading.outcome is Outcome.UNKNOWN:
            result = Result(work.handle, reading.outcome, reading.message)
            found.unread.append(verdict_of(work, result))
        elif _is_as_told(work, reading, template_version):
            found.equal.append(work)
        else:
            found.different.append(Difference(work, await _why(database, work, reading)))
    return found


def _is_as_told(work: Work, reading: Reading, template_version: str) -> bool:
    held = reading.record
    if work.operation == "withdraw":
        is_gone = reading.outcome is Outcome.NOT_FOUND
        return is_gone or (held is not None and describes_nobody(held))
    return held is not None and held.agrees_with(
        record_of(work.handle, work.texts, template_version)
    )


async def _why(database: Database, work: Work, reading: Reading) -> str:
    """Why telling the node again would be wrong; empty: it would not."""
    if reading.record is not None:
        return "" if await is_ours(database, work, reading.record) else ANOTHERS
    return "" if reading.outcome is Outcome.NOT_FOUND else f"not read back: {reading.message}"
