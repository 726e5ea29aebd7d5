"""What a data agreement lets the city keep. Pure.

What is allowed is decided for a schema and a day, never for a value.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

import numpy as np

from gateway.core.batch import Mask
from gateway.core.days import day_start_ms
from gateway.core.schema import Schema

_PATTERN = re.compile(r"[A-Za-z0-9_*?]{1,63}(/[A-Za-z0-9_*?]{1,63})?")
_BETWEEN = re.compile(r"[\s,，;；、]+")
MOST_PATTERNS = 500


@dataclass(frozen=True, slots=True)
class Agreement:
    """A data agreement as it is said.

    Attributes:
        uscc: of the enterprise.
        number: the agreement's id, as it is written on it.
        document: by which it was made.
        purposes: what the data are for.
        first_day: Asia/Shanghai day from which it holds.
        last_day: the last one; None: until another entry ends it.
        points: what may be collected, as patterns ``profile/tag``.
        said_by: who says so.
    """

    uscc: str
    number: str
    document: str
    purposes: str
    first_day: date
    last_day: date | None
    points: tuple[str, ...]
    said_by: str

    def holds(self, day: date) -> bool:
        """Whether it holds on a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def allows(self, profile: str, tag: str) -> bool:
        """Whether a point may be collected while it holds."""
        return any(fnmatchcase(f"{profile}/{tag}", pattern) for pattern in self.points)


def read_points(text: str) -> tuple[str, ...]:
    """Patterns of points out of a cell: ``grinder/*``, ``*/state``, or a tag of any profile.

    Args:
        text: patterns, parted by blanks, commas or semicolons; ``*`` alone is every point.

    Raises:
        ValueError: says which pattern is none.
    """
    patterns = [one for one in _BETWEEN.split(text) if one]
    for one in patterns:
        if not _PATTERN.fullmatch(one):
            raise ValueError(
                f"{one!r} is no pattern of points: write profile/tag, as grinder/speed, where * "
                "stands for any characters and ? for one"
            )
    if not patterns or len(patterns) > MOST_PATTERNS:
        raise ValueError(f"has {len(patterns)} patterns of points; 1 to {MOST_PATTERNS} are kept")
    whole = (one if "/" in one else f"*/{one}" for one in patterns)
    return tuple(dict.fromkeys(whole))


@dataclass(frozen=True, slots=True)
class Terms:
    """All that is agreed with one enterprise; without any agreement nothing is allowed.

    Attributes:
        agreements: of the enterprise.
        erased_ms: when its data were erased, UTC milliseconds; what is older is not kept again.
    """

    agreements: tuple[Agreement, ...] = ()
    erased_ms: int = 0

    def hold(self, day: date) -> bool:
        """Whether there is an agreement on a day."""
        return any(one.holds(day) for one in self.agreements)

    @property
    def since_ms(self) -> int:
        """When the first of them begins, UTC milliseconds; what was measured before is not kept."""
        days: Sequence[date] = [one.first_day for one in self.agreements]
        return max(self.erased_ms, day_start_ms(min(days)) if days else 0)

    def mask(self, schema: Schema, day: date) -> Mask:
        """Which tags of a schema may be kept: bool[n] in column order.

        Args:
            schema: names the profile and its tags.
            day: on which values come, by the city's clock.
        """
        holding = [one for one in self.agreements if one.holds(day)]
        allowed = (
            any(one.allows(schema.profile, tag.name) for one in holding) for tag in schema.tags
        )
        return np.fromiter(allowed, np.bool_, len(schema.tags))
