"""Memberships of a roster: spans of days, none of which overlap. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Membership:
    """One stay of an enterprise on a roster.

    Attributes:
        start: first day on it.
        end: first day outside; None: it runs.
        approved_by: who approved it; may be empty.
    """

    start: date
    end: date | None
    approved_by: str = ""

    def overlaps(self, other: "Membership") -> bool:
        """Whether some day belongs to both."""
        return (other.end is None or self.start < other.end) and (
            self.end is None or other.start < self.end
        )


class RosterError(ValueError):
    """What a row says of a roster cannot be; ``column`` is the key of the cell that is why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def restated(
    held: Sequence[Membership],
    start: date | None,
    end: date | None,
    approved_by: str | None,
    roster: str,
) -> tuple[Membership | None, Membership]:
    """The membership that a row speaks of: as it is held (None: it is new), and as it shall be.

    A row names it by its first day, or by none if it runs; a first day within a membership that
    runs says nothing new, an earlier one corrects it. An empty cell changes nothing.

    Raises:
        RosterError: it has no first day, ends before it begins, or overlaps another.
    """
    old = _meant(held, start, end)
    begun = [day for day in (start, old.start if old else None) if day is not None]
    if not begun:
        raise RosterError("roster_from", f"is empty; say since when it is on roster {roster}")
    new = Membership(
        min(begun),
        end or (old.end if old else None),
        approved_by or (old.approved_by if old else ""),
    )
    if new.end is not None and new.end <= new.start:
        raise RosterError("roster_to", f"{new.end} is not after {new.start}")
    for other in held:
        if other != old and new.overlaps(other):
            raise RosterError(
                "roster_from",
                f"{_stay(roster, other)}; from {new.start} overlaps",
            )
    return old, new


def _stay(roster: str, of: Membership) -> str:
    if of.end is None:
        return f"it is on roster {roster} since {of.start}"
    return f"it was on roster {roster} from {of.start} to {of.end}"


def _meant(held: Sequence[Membership], start: date | None, end: date | None) -> Membership | None:
    # A last day alone names a membership that has ended already, or ends the one that runs.
    if start is None and end is not None:
        named = (one for one in held if one.end == end)
    else:
        named = (one for one in held if one.start == start)
    running = (one for one in held if one.end is None)
    return next(named, None) or next(running, None)
