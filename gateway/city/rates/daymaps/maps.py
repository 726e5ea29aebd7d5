"""Day maps: on which days of a month the machines of an enterprise had data. Pure.

The bytes of a map are canonical, so that its digest says whether anything was changed since.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROW = np.dtype(
    [
        ("machine", "<i8"),
        ("controller", "<u4"),
        ("sensor", "<u4"),
        ("controller_uncertain", "<u4"),
        ("sensor_uncertain", "<u4"),
    ]
)
"""A machine's month, 24 bytes: its id, and what came of it; bit d − 1 is day d."""
KINDS = ROW.names[1:] if ROW.names else ()
"""What came: GOOD or UNCERTAIN values of its own controller, or of an added sensor."""

Rows = NDArray[np.void]
Body = bytes
_FORMAT = b"qulink day map 1\n"
BEGINNING = "0" * 64
"""What the first link of an enterprise's chain follows."""


class Difference(NamedTuple):
    """Days of one machine that one map has and another has not.

    Attributes:
        machine: its id.
        gained: days on which something came that the older map does not have; bit d − 1 is day d.
        lost: days of the older map that are gone.
    """

    machine: int
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Link:
    """A map of an enterprise in its chain.

    Attributes:
        uscc: of the enterprise.
        body: canonical bytes of its map.
        previous: digest of the link before, 64 hex digits.
        digest: of this one.
    """

    uscc: str
    body: Body
    previous: str
    digest: str


def bodies(firms: NDArray[np.int64], names: Mapping[int, str], rows: Rows) -> dict[str, Body]:
    """The maps of enterprises, from the months of all machines.

    Args:
        firms: code of the enterprise of each row.
        names: USCCs by code.
        rows: of machines, each at most once; those without any day are left out.
    """
    came = np.any([rows[kind] != 0 for kind in KINDS], axis=0)
    firms, rows = firms[came], rows[came]
    order = np.lexsort((rows["machine"], firms))
    firms, rows = firms[order], rows[order]
    starts = np.flatnonzero(np.r_[True, firms[1:] != firms[:-1]]) if len(firms) else ()
    return {
        names[int(firms[begin])]: rows[begin:end].tobytes()
        for begin, end in pairwise([*map(int, starts), len(firms)])
    }


def link(month: str, uscc: str, body: Body, previous: str) -> Link:
    """The next link of an enterprise's chain.

    Its digest is SHA-256 over the format's name, month, USCC, the digest before and the body,
    each followed by a line feed but for the body.
    """
    head = "".join(f"{one}\n" for one in (month, uscc, previous)).encode()
    digest = hashlib.sha256(_FORMAT + head + body).hexdigest()
    return Link(uscc, body, previous, digest)


def root(digests: Mapping[str, str]) -> str:
    """The digest of a month: SHA-256 over ``USCC digest`` of all enterprises, a line each."""
    lines = "".join(f"{uscc} {digests[uscc]}\n" for uscc in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def machines_in(body: Body) -> int:
    """How many machines a map has."""
    return len(body) // ROW.itemsize


def differences(old: Body, new: Body) -> Iterator[Difference]:
    """What the machines of two maps differ in; a map of several enterprises will do, too."""
    if old == new:
        return
    before, after = _days(old), _days(new)
    for machine in sorted(before.keys() | after.keys()):
        had, has = before.get(machine, _NONE), after.get(machine, _NONE)
        gained = _union(new & ~old for old, new in zip(had, has, strict=True))
        lost = _union(old & ~new for old, new in zip(had, has, strict=True))
        if gained or lost:
            yield Difference(machine, gained, lost)


_NONE = (0,) * len(KINDS)


def _days(body: Body) -> dict[int, tuple[int, ...]]:
    return {machine: tuple(days) for machine, *days in np.frombuffer(body, ROW).tolist()}


def _union(masks: Iterable[int]) -> int:
    found = 0
    for mask in masks:
        found |= mask
    return found
