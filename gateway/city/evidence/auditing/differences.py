"""What evidence claims and the store lacks, and the reverse, each with its likely cause. Pure.

Evidence may rightly claim more than the store holds: what an edge held back and only counted, what
came on its day with a doubted clock, what retention has deleted since. Such a difference is told as
*explained*; any other one wants somebody to look.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from gateway.city.evidence.rows import MASKS

Key = tuple[int, str, bool]
"""Id of a machine, source, and whether that is synthetic."""


class Side(StrEnum):
    """Who says more: evidence ``claims`` hours, or the store ``holds`` them.

    ``MONTH``: the row of the month, which rates read, is not what evidence says of the day.
    """

    CLAIMS = "claims"
    HOLDS = "holds"
    MONTH = "month"


class Cause(StrEnum):
    """What a difference most likely comes from."""

    SEEDED = "seeded"
    COUNTED = "counted"
    DOUBTED = "doubted"
    RETENTION = "retention"
    PENDING = "pending"
    QUARANTINE = "quarantine"
    NOTHING_STORED = "nothing_stored"
    NOT_STORED = "not_stored"
    LATE = "late"
    NOT_WRITTEN = "not_written"
    OTHER_MONTH = "other_month"

    @property
    def is_explained(self) -> bool:
        """Nobody has to do anything about it."""
        return self in _EXPLAINED


_EXPLAINED = frozenset({Cause.SEEDED, Cause.COUNTED, Cause.DOUBTED, Cause.RETENTION, Cause.PENDING})

ADVICE: Mapping[Cause, str] = {
    Cause.SEEDED: "the demonstration wrote it; nothing was ever stored",
    Cause.COUNTED: "its edge counted valid values there and held them back; no value is stored",
    Cause.DOUBTED: "the store holds values of a doubted clock, which came on the day they name",
    Cause.RETENTION: "the day is older than what is kept",
    Cause.PENDING: "values of its gateway are stored and not counted yet; audit again in a minute",
    Cause.QUARANTINE: "values of its gateway went to quarantine that day; look at data quality",
    Cause.NOTHING_STORED: "the store holds nothing of its gateway that day: was data deleted, "
    "or is it another store? compare with a backup",
    Cause.NOT_STORED: "the store holds other hours of its gateway: was evidence or data changed by "
    "hand? compare with a backup",
    Cause.LATE: "it came, or was lost from evidence, after the month was published: "
    "run `qulink evidence rebuild`, then `qulink rates correct`",
    Cause.NOT_WRITTEN: "evidence lacks it, as after a database was restored: run "
    "`qulink evidence rebuild`",
    Cause.OTHER_MONTH: "what rates read of the month says otherwise than evidence: a day too few "
    "is mended by `qulink evidence rebuild`; a day too many was written by hand, compare with a "
    "backup",
}
"""What each cause means, and what to do; a test holds it complete."""


class Claimed(NamedTuple):
    """What evidence says of a machine, day and source.

    Attributes:
        hours: masks in the order of :data:`MASKS`.
        gateway: the last one that sent it.
        seeded: written by the demonstration.
    """

    hours: tuple[int, ...]
    gateway: str
    seeded: bool


class Held(NamedTuple):
    """What the store holds of the same.

    Attributes:
        hours: masks in the order of :data:`MASKS`.
        doubted: hours with values in clock doubt.
        gateways: that sent it.
    """

    hours: tuple[int, ...]
    doubted: int
    gateways: frozenset[str]


NONE = Held((0,) * len(MASKS), 0, frozenset())


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a day beside evidence and store.

    Attributes:
        counted: hours between the first and the last valid value that edges counted, by machine.
        storing: gateways of which the store holds anything that day.
        pending: gateways with stored values that are not counted yet.
        quarantined: gateways of which messages went to quarantine that day.
        expired: the day is older than what is kept.
        published: rates of its month are stored.
        over: hours that are over, as bits; others are not compared, since values still come.
    """

    counted: Mapping[int, int]
    storing: frozenset[str]
    pending: frozenset[str]
    quarantined: frozenset[str]
    expired: bool
    published: bool
    over: int = (1 << 24) - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """Hours of a machine's day that only one of both has.

    Attributes:
        machine: its id.
        day: Asia/Shanghai day.
        source: ``controller`` or ``sensor``.
        synthetic: simulated.
        side: who has them.
        gateway: that sent them, one of several.
        hours: masks by name, those that are not 0; bit h is the hour that begins at h. Of a month
            that differs: those that evidence has of the day, perhaps none.
        cause: what it most likely comes from.
    """

    machine: int
    day: date
    source: str
    synthetic: bool
    side: Side
    gateway: str
    hours: Mapping[str, int]
    cause: Cause


def differences(
    day: date,
    claimed: Mapping[Key, Claimed],
    held: Mapping[Key, Held],
    known: Circumstances,
) -> Iterator[Difference]:
    """Compare a day of some machines, both ways, in order of the machines."""
    for key in sorted(claimed.keys() | held.keys()):
        says, has = claimed.get(key), held.get(key, NONE)
        if says is not None:
            yield from _claims(day, key, says, has, known)
        yield from _holds(day, key, says, has, known)


def other_months(
    day: date, claimed: Mapping[Key, Claimed], months: Mapping[Key, tuple[bool, ...]]
) -> Iterator[Difference]:
    """Machines of which the month's row says otherwise of a day than evidence.

    Args:
        day: Asia/Shanghai day.
        claimed: what evidence says.
        months: what the rows say: GOOD, UNCERTAIN, anything came.
    """
    for key in sorted(claimed.keys() | months.keys()):
        says = claimed.get(key)
        hours = says.hours if says is not None else NONE.hours
        told = (bool(hours[0]), bool(hours[1]), says is not None)
        if told != months.get(key, (False, False, False)):
            some = {name: mask for name, mask in zip(MASKS, hours, strict=True) if mask}
            gateway = says.gateway if says is not None else ""
            yield Difference(key[0], day, *key[1:], Side.MONTH, gateway, some, Cause.OTHER_MONTH)


def _claims(
    day: date, key: Key, says: Claimed, has: Held, known: Circumstances
) -> Iterator[Difference]:
    left = _more(says.hours, has.hours, known)
    for cause, explained in (
        (Cause.SEEDED, ~0 if says.seeded else 0),
        (Cause.DOUBTED, has.doubted),
        (Cause.COUNTED, known.counted.get(key[0], 0)),
    ):
        # held back, or doubted and believed: such values are GOOD ones
        names = MASKS if cause is Cause.SEEDED else MASKS[:1]
        part = {name: left[name] & explained for name in names}
        yield from _difference(day, key, Side.CLAIMS, says.gateway, part, cause)
        left |= {name: left[name] & ~explained for name in names}
    cause = _cause_of_claims(says, known)
    yield from _difference(day, key, Side.CLAIMS, says.gateway, left, cause)


def _cause_of_claims(says: Claimed, known: Circumstances) -> Cause:
    if known.expired:
        return Cause.RETENTION
    if says.gateway in known.quarantined:
        return Cause.QUARANTINE
    if says.gateway not in known.storing:
        return Cause.NOTHING_STORED
    return Cause.NOT_STORED


def _holds(
    day: date, key: Key, says: Claimed | None, has: Held, known: Circumstances
) -> Iterator[Difference]:
    told = says.hours if says is not None else NONE.hours
    left = _more(has.hours, told, known)
    cause = Cause.LATE if known.published else Cause.NOT_WRITTEN
    if has.gateways & known.pending:
        cause = Cause.PENDING
    gateway = min(has.gateways, default="")
    yield from _difference(day, key, Side.HOLDS, gateway, left, cause)


def _more(hours: Iterable[int], other: Iterable[int], known: Circumstances) -> dict[str, int]:
    """The hours that are in one and not in the other, by mask."""
    masks = zip(MASKS, hours, other, strict=True)
    return {name: one & ~less & known.over for name, one, less in masks}


def _difference(
    day: date, key: Key, side: Side, gateway: str, hours: Mapping[str, int], cause: Cause
) -> Iterator[Difference]:
    some = {name: mask for name, mask in hours.items() if mask}
    if some:
        machine, source, synthetic = key
        yield Difference(machine, day, source, synthetic, side, gateway, some, cause)
