"""What a point table changes of the tags that are there. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from edge_config.loading.resolved import ResolvedTag
from edge_config.mistakes.shape import declared
from edge_config.models.ledger_number import key_of
from edge_config.models.tag import TagConfig
from edge_config.points.texts import text_of

OnConflict = Literal["refuse", "replace", "keep"]
"""Of a tag that is there and otherwise in the table: change nothing at all, take the table's, or
leave it."""

_COMPARED = tuple(name for name in declared(TagConfig) if name != "address")
_compared = attrgetter(*_COMPARED)

Key = tuple[str, str]
"""Machine and name of a tag: what makes it the same one."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One tag that is otherwise in the table.

    Attributes:
        old: as it is.
        new: as the table has it.
    """

    old: ResolvedTag
    new: ResolvedTag

    def __str__(self) -> str:
        return f"{self.old.config.name}: {', '.join(_differences(self.old, self.new))}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of the tags of one group.

    Attributes:
        group: its name.
        created: only in the table.
        conflicts: otherwise in the table.
        left: the same in both.
        missing: not in the table.
    """

    group: str
    created: Sequence[ResolvedTag]
    conflicts: Sequence[Conflict]
    left: Sequence[ResolvedTag]
    missing: Sequence[ResolvedTag]

    def result(
        self, old: Sequence[ResolvedTag], on_conflict: OnConflict, delete_missing: bool
    ) -> list[ResolvedTag]:
        """The tags afterwards: in their order, new ones behind them.

        Args:
            old: the tags of the group.
            on_conflict: whose form a tag gets; what is refused is the caller's to refuse.
            delete_missing: whether tags go that the table lacks.
        """
        newer: Mapping[Key, ResolvedTag] = {}
        if on_conflict == "replace":
            newer = {key_of_tag(one.new): one.new for one in self.conflicts}
        gone = {key_of_tag(tag) for tag in self.missing} if delete_missing else set()
        kept = [tag for tag in old if key_of_tag(tag) not in gone]
        return [*(newer.get(key_of_tag(tag), tag) for tag in kept), *self.created]

    def is_idle(self, on_conflict: OnConflict, delete_missing: bool) -> bool:
        """Whether nothing is to be written."""
        is_changed = bool(self.conflicts) and on_conflict != "keep"
        return not (self.created or is_changed or (delete_missing and self.missing))


def key_of_tag(tag: ResolvedTag) -> Key:
    """Machine and name."""
    return key_of(tag.config.asset_no or ""), tag.config.name


def compare(group: str, old: Sequence[ResolvedTag], new: Sequence[ResolvedTag]) -> Changes:
    """The difference between the tags of a group and those of a table."""
    known = {key_of_tag(tag): tag for tag in old}
    named = {key_of_tag(tag): tag for tag in new}
    shared = [(was, named[key]) for key, was in known.items() if key in named]
    return Changes(
        group,
        created=[tag for key, tag in named.items() if key not in known],
        conflicts=[Conflict(was, tag) for was, tag in shared if not is_same(was, tag)],
        left=[was for was, tag in shared if is_same(was, tag)],
        missing=[tag for key, tag in known.items() if key not in named],
    )


def is_same(one: ResolvedTag, other: ResolvedTag) -> bool:
    """Whether two tags mean the same, however their addresses are written."""
    if one.address != other.address:
        return False
    mine, others = _compared(one.config), _compared(other.config)
    return mine == others or all(map(_is_equal, mine, others))


def _is_equal(one: object, other: object) -> bool:
    """NaN, which a tag may name as what stands for no value, is no other than itself here."""
    return one == other or (one is not None and other is not None and repr(one) == repr(other))


def _differences(old: ResolvedTag, new: ResolvedTag) -> Iterator[str]:
    if old.address != new.address:
        yield f"address {old.address} → {new.address}"
    for name in _COMPARED:
        was, now = getattr(old.config, name), getattr(new.config, name)
        if not _is_equal(was, now):
            yield f"{name} {_shown(was)} → {_shown(now)}"


def _shown(value: object) -> str:
    return "(none)" if value in (None, "") else text_of(value)
