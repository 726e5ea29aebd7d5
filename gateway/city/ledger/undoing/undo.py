"""What undoing an act would say again, or why it cannot be undone."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.bitemporal.undated import (
    Replaced,
    changed_since,
    undated_of,
)
from gateway.city.ledger.codes import WITHDRAWN
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.ledger.undoing import stops
from gateway.city.ledger.undoing.acts import Act, act_of
from gateway.city.ledger.undoing.reversing import (
    changed_names,
    days_back,
    days_hindered,
    steps_back,
    steps_hindered,
)
from gateway.city.ledger.undoing.tellings import (
    ENTERPRISES,
    MACHINES,
    ROSTERS,
    STATUSES,
    VERIFICATIONS,
    Key,
    Telling,
    Values,
    tellings,
)

_UNDOABLE = frozenset(
    {Kind.IMPORT, Kind.CORRECTION, Kind.WITHDRAWAL, Kind.STOPS, Kind.STOP_END, Kind.UNDO}
)
_NEVER = "cannot be undone as such; do the contrary by a new one"
_PAPER = "cannot be undone as such; on the page of its entry, end what was wrong and enter it anew"
_CONTRARY: Mapping[Kind, str] = {
    Kind.AGREEMENTS: _PAPER,
    Kind.AGREEMENT_END: "cannot be undone: data since then were not kept; enter a new agreement",
    Kind.SCHEDULES: _PAPER,
    Kind.SCHEDULE_END: "cannot be undone as such; enter the schedule again",
    Kind.RENAMING: "cannot be undone as such; give the machine its former number and site by "
    "'qulink ledger rename'",
    Kind.ERASURE: "cannot be undone: what was erased is nowhere any more",
}
"""What to do instead, of acts that speak of what ingest or a contract has gone by meanwhile."""
_PLACES = frozenset({"uscc", "site_no"})
"""What a renaming moves a machine to; of its number, which moves too, no history is kept."""
_NAMED = 10

Days = Mapping[date, Values | None]


class UndoError(Exception):
    """An act cannot be undone; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is to be said so that an act never was.

    Attributes:
        act: that is undone.
        machines: attributes by id of the machine.
        enterprises: attributes by USCC.
        statuses: entries by id of the machine; None: the day is to have none.
        rosters: memberships by roster and USCC.
        verifications: by USCC.
        stops: that are to end, by number.
        ends: stops that are to stand again, by number.
        undated: what has no days, by id of the machine or USCC: it goes back to what was there.
        new: machines whose first row the act wrote: they count as entered by mistake.
        stays: enterprises whose first row it wrote; they stay, without these machines.
        held: what was held of each, by what and of whom.
    """

    act: Act
    machines: Mapping[Key, Days]
    enterprises: Mapping[Key, Days]
    statuses: Mapping[Key, Days]
    rosters: Mapping[Key, Days]
    verifications: Mapping[Key, Days]
    stops: tuple[int, ...]
    ends: tuple[int, ...]
    undated: Mapping[int | str, Replaced]
    new: int
    stays: int
    held: Mapping[str, Mapping[Key, Telling]] = field(repr=False)

    @property
    def ids(self) -> Sequence[int]:
        """Machines of which another thing is said."""
        dated = {int(key[0]) for key in (*self.machines, *self.statuses)}
        return sorted(dated | {key for key in self.undated if isinstance(key, int)})

    @property
    def counts(self) -> Mapping[str, int]:
        """Of how many another thing is said, by what."""
        return {
            "machines": len({*self.machines, *self.statuses}),
            "enterprises": len(self.enterprises),
            "rosters": len(self.rosters),
            "verifications": len(self.verifications),
            "stops": len(self.stops) + len(self.ends),
            "undated": len(self.undated),
        }

    @property
    def since(self) -> Mapping[date, int]:
        """How many of them by the first day of which the ledger says another thing."""
        firsts: dict[tuple[str, Key], date] = {}
        parts = (
            ("machine", self.machines),
            ("machine", {key: _begun(days) for key, days in self.statuses.items()}),
            ("enterprise", self.enterprises),
            ("roster", self.rosters),
            ("verification", self.verifications),
        )
        for what, part in parts:
            for key, days in part.items():
                firsts[what, key] = min(*days, firsts.get((what, key), date.max))
        return Counter(firsts.values())


def _begun(statuses: Days) -> Days:
    """Entries of statuses without the one by which a machine never was, on no day of its own."""
    return {day: one for day, one in statuses.items() if day > SINCE_EVER} or statuses


def undoing(connection: Connection, number: int) -> Undoing:
    """What undoing an act would say.

    Raises:
        UndoError: it cannot be undone.
    """
    act = act_of(connection, number)
    if act is None:
        raise UndoError(f"there is no act {number}")
    if act.kind == Kind.MIGRATION:
        raise UndoError(f"act {number} is the beginning of the history; there is nothing before it")
    if act.kind not in _UNDOABLE:
        raise UndoError(f"act {number} {_CONTRARY.get(Kind(act.kind), _NEVER)}")
    held = {
        "machines": tellings(connection, MACHINES, act),
        "enterprises": tellings(connection, ENTERPRISES, act),
        "statuses": tellings(connection, STATUSES, act),
        "rosters": tellings(connection, ROSTERS, act),
        "verifications": tellings(connection, VERIFICATIONS, act),
    }
    if any(changed_names(one) & _PLACES for one in held["machines"].values()):
        raise UndoError(
            f"act {number} gave machines other numbers or sites; give them their former ones by "
            "'qulink ledger rename'"
        )
    ending, undated = stops.of_act(connection, number), undated_of(connection, number)
    also = changed_since(connection, act.change, undated)
    later = sorted({*_later(held), *ending.later, *also})
    if later:
        raise UndoError(
            f"act {number} cannot be undone, since later acts changed the same: "
            f"{_listed(later)}; undo these first, or correct the rows"
        )
    found = _undoing(act, held, ending, undated)
    if not any(found.counts.values()):
        raise UndoError(f"act {number} changed nothing that the history keeps; correct the rows")
    return found


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return ", ".join(map(str, numbers[:_NAMED])) + more


def _later(held: Mapping[str, Mapping[Key, Telling]]) -> Iterator[int]:
    """Acts that changed since what the act changed."""
    for what, of in held.items():
        for one in of.values():
            if _is_hindered(what, one):
                yield from one.later


def _is_hindered(what: str, one: Telling) -> bool:
    if what == "machines" and not one.before:
        return bool(one.later)  # a machine that never was is none of which more can be said
    if what in {"machines", "enterprises"}:
        return steps_hindered(one)
    if what == "verifications":
        return days_hindered(one)
    return bool(one.later)  # entries of one status, or membership, hold until the next one


def _undoing(
    act: Act,
    held: Mapping[str, Mapping[Key, Telling]],
    ending: stops.Ending,
    undated: Mapping[int | str, Replaced],
) -> Undoing:
    machines = {key: steps_back(one) for key, one in held["machines"].items()}
    enterprises = {key: steps_back(one) for key, one in held["enterprises"].items()}
    statuses = {key: _statuses_back(one) for key, one in held["statuses"].items()}
    return Undoing(
        act,
        {key: days for key, days in machines.items() if days},
        {key: days for key, days in enterprises.items() if days},
        {key: days for key, days in statuses.items() if days},
        {key: days_back(one) for key, one in held["rosters"].items()},
        {key: days_back(one) for key, one in held["verifications"].items()},
        ending.stops,
        ending.ends,
        undated,
        sum(not one.before for one in held["statuses"].values()),
        sum(not one.before for one in held["enterprises"].values()),
        held,
    )


def _statuses_back(one: Telling) -> Days:
    """Entries to be said; a machine that was new is one that never was."""
    if one.before:
        return days_back(one)
    gone: dict[date, Values | None] = dict.fromkeys(one.now)
    return gone | {SINCE_EVER: {"status": WITHDRAWN, "dated": True}}
