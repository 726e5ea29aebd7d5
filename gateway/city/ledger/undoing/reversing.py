"""What must be said so that an act never was, and which later acts stand in the way. Pure."""

from collections.abc import Mapping
from datetime import date

from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.undoing.tellings import Days, Telling, Values


def steps_back(one: Telling) -> dict[date, Values]:
    """Steps that give each attribute, on each day, what it had before the act.

    Other attributes stay as they are now, so that what was said later of them holds. Of one whose
    first row the act wrote there is nothing to go back to.
    """
    found: dict[date, Values] = {}
    for day in sorted(one.now) if one.before else ():
        was, then = at(one.before, day) or {}, at(one.after, day) or {}
        undone = {name: value for name, value in was.items() if then.get(name) != value}
        said = {**one.now[day], **undone}
        if said != one.now[day]:
            found[day] = said
    return found


def changed_names(one: Telling) -> set[str]:
    """Attributes that the act changed on some day."""
    days = {*one.before, *one.after} if one.before else ()
    return {
        name
        for day in days
        for name, value in (at(one.after, day) or {}).items()
        if (at(one.before, day) or {}).get(name) != value
    }


def steps_hindered(one: Telling) -> bool:
    """Whether an attribute that the act changed was changed since."""
    return any(
        (at(one.now, day) or {}).get(name) != (at(one.after, day) or {}).get(name)
        for name in changed_names(one)
        for day in one.now
    )


def days_back(one: Telling) -> Mapping[date, Values | None]:
    """Entries of days that are to be said again; None: the day is to have none."""
    return {
        day: one.before.get(day)
        for day in sorted({*one.before, *one.after})
        if one.before.get(day) != one.after.get(day)
    }


def days_hindered(one: Telling) -> bool:
    """Whether an entry of a day of which the act spoke was said anew since."""
    return any(one.now.get(day) != one.after.get(day) for day in days_back(one))


def held_after(one: Telling, said: Mapping[date, Values | None]) -> Days:
    """What is held once something is said of some days."""
    found = {**one.now, **said}
    return {day: values for day, values in found.items() if values is not None}
