"""Attributes that hold from a day on, until another value begins. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

Values = Mapping[str, Any]
"""Attributes by name; of one subject always the same names."""
Steps = Mapping[date, Values]
"""What holds from each day on; nothing is known of days before the first."""


def at(steps: Steps, day: date) -> Values | None:
    """What holds on a day; None before the first one."""
    begun = [start for start in steps if start <= day]
    return steps[max(begun)] if begun else None


def restated(steps: Steps, start: date, said: Values) -> dict[date, Values]:
    """What is new when it is said that some attributes have these values from a day on.

    Each holds until the day from which another value of that very attribute is held: who says
    today that a machine was an auxiliary one in May does not undo what was said of June.

    Args:
        steps: as they are held; one begins on or before ``start``.
        start: first day of what is said.
        said: values of some attributes.

    Returns:
        The steps that are other than held, by their first day; empty if nothing is new.
    """
    before = at(steps, start)
    if before is None:
        raise ValueError(f"nothing is held of {start}")
    new = {name: value for name, value in said.items() if before[name] != value}
    found: dict[date, Values] = {start: {**before, **new}} if new else {}
    for day in sorted(day for day in steps if day > start):
        new = {name: value for name, value in new.items() if steps[day][name] == before[name]}
        if not new:
            break
        found[day] = {**steps[day], **new}
    return found
