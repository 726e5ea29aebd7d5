"""What an alert is about, and when it begins and ends. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    GATEWAY = "gateway-silent"
    CUT_OFF = "gateway-cut-off"  # it is heard, and reaches none of its devices
    MACHINE = "machine-silent"  # of machines that somebody watches
    FALL = "rate-fall"
    TARGET = "target-at-risk"
    LEDGER = "ledger-unverified"
    FINDING = "evidence-finding"  # of what somebody watches; enterprises do not see it


STEADY = frozenset({Kind.GATEWAY, Kind.CUT_OFF, Kind.MACHINE})
"""Kinds that must be well for a while before they count as over. The others go by whole months or
days, and cannot flap."""


class Level(StrEnum):
    """What can be watched, and what an alert can be about."""

    CITY = "city"
    COUNTY = "county"
    AREA = "area"  # a functional area; it lies across counties
    INDUSTRY = "industry"
    ENTERPRISE = "enterprise"
    MACHINE = "machine"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about, or what somebody watches.

    Attributes:
        level: what it is.
        key: ``city``, a GB/T 2260 or GB/T 4754 code, a USCC, an id of a machine or gateway.
        uscc: the enterprise that it is, or belongs to; empty for a city, county or industry.
    """

    level: Level
    key: str
    uscc: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not as it should be.

    Attributes:
        kind: what.
        subject: of what.
        since_ms: since when, UTC milliseconds.
        holds: whether it has lasted, or is bad, enough for an alert to begin. One that is going on
            goes on as long as there is a condition at all.
        detail: what the sentences are made of; fractions as ``p/q``.
    """

    kind: Kind
    subject: Subject
    since_ms: int
    holds: bool
    detail: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same thing that is wrong with the same subject."""
        return f"{self.kind} {self.subject.level} {self.subject.key}"


@dataclass(frozen=True, slots=True)
class GoingOn:
    """An alert that has begun and not ended.

    Attributes:
        id: its number.
        kind: what is wrong.
        key: as of its condition.
        clear_ms: since when there is no condition any more, UTC milliseconds; None: there is.
    """

    id: int
    kind: Kind
    key: str
    clear_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of alerts.

    Attributes:
        begin: conditions for which one begins.
        back: going on, whose condition has come back before they could end.
        clear: going on, which have lost their condition just now.
        end: going on, which end.
    """

    begin: Sequence[Condition]
    back: Sequence[GoingOn]
    clear: Sequence[GoingOn]
    end: Sequence[GoingOn]

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return any((self.begin, self.back, self.clear, self.end))


def changes(
    going_on: Iterable[GoingOn],
    conditions: Iterable[Condition],
    judged: AbstractSet[Kind],
    now_ms: int,
    steady_ms: int,
) -> Changes:
    """What the facts of a moment make of the alerts there are: each begins once and ends once.

    Args:
        going_on: the alerts; at most one of a key.
        conditions: the facts; at most one of a key.
        judged: kinds of which the facts are known; alerts of others are left alone.
        now_ms: UTC milliseconds.
        steady_ms: how long one of :data:`STEADY` must be without its condition before it ends.
    """
    found = {one.key: one for one in conditions}
    ours = [one for one in going_on if one.kind in judged]
    lost = [one for one in ours if one.key not in found]
    since = {one.id: now_ms if one.clear_ms is None else one.clear_ms for one in lost}
    end = [one for one in lost if one.kind not in STEADY or now_ms - since[one.id] >= steady_ms]
    ended = {one.id for one in end}
    known = {one.key for one in ours}
    return Changes(
        begin=[one for key, one in found.items() if one.holds and key not in known],
        back=[one for one in ours if one.key in found and one.clear_ms is not None],
        clear=[one for one in lost if one.clear_ms is None and one.id not in ended],
        end=end,
    )
