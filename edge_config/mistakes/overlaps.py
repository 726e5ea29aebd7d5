"""Tags of one profile that are the same value, or write what another one writes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edge_config.loading.specs import DriverModels, Extent
from edge_config.mistakes.doubts import Doubts
from edge_config.mistakes.problems import Place
from edge_config.models.tag import TagConfig


class Read(NamedTuple):
    """A tag, or a value of an array.

    Attributes:
        place: of the tag.
        config: None if it has mistakes of its own.
        address: its driver's.
    """

    place: Place
    config: TagConfig | None
    address: Any


@dataclass(slots=True)
class Overlaps:
    """Notes tags of a profile one by one, and what they have in common.

    Args:
        doubts: of the profile.
    """

    doubts: Doubts
    _first: dict[str, str] = field(default_factory=dict)
    _read: list[Read] = field(default_factory=list)

    def note_same(self, place: Place, name: str, what: object) -> None:
        """Two tags of one value are mostly a row that was copied and not changed."""
        first = self._first.setdefault(repr(what), name)
        if first is not name:
            said = f"tag {first!r} has the same address; was a row copied and not changed?"
            self.doubts.note("same", "address", place, said)

    def note(self, read: Read) -> None:
        """One more of the tags of a device."""
        self._read.append(read)

    def judge(self, spec: DriverModels) -> None:
        """All tags of a device are known."""
        for at, sentence in spec.doubtful([one.address for one in self._read]):
            self.doubts.note("over", "address", self._read[at].place, sentence)
        for one, other in _written_over(self._read, spec):
            said = f"{_shown(one)} and {_shown(other)}{_BOTH_WRITTEN}"
            self.doubts.note("written over", "access", one.place, said)
        self._read.clear()


_BOTH_WRITTEN = (
    " may both be written and share registers or bits: what is written to one changes the other"
)


def _shown(read: Read) -> str:
    return f"{read.config.name!r} ({read.address})" if read.config else str(read.address)


def _written_over(reads: list[Read], spec: DriverModels) -> Iterator[tuple[Read, Read]]:
    """Each tag that may write what an earlier one of its device may, with that one."""
    placed = [
        (*found, at)
        for at, one in enumerate(reads)
        if one.config is not None
        and one.config.access == "read-write"
        and not spec.read_only(one.address)
        and (found := spec.extent(one.address)) is not None
    ]
    over: dict[int, int] = {}
    last = Extent("", 0, 0)
    owner = 0
    for space, start, stop, at in sorted(placed):
        if last.space == space and start < last.stop:
            over.setdefault(max(at, owner), min(at, owner))
        if last.space != space or stop > last.stop:
            last, owner = Extent(space, start, stop), at
    yield from ((reads[later], reads[over[later]]) for later in sorted(over))
