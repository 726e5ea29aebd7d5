"""What an upload is and what becomes of it, as files of its folder and for pages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.importing.write import Changes
from gateway.city.ledger.papers.entering import Entered
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.rates.frozen.touched import FrozenMonth

MOST_PROBLEMS = 5_000
"""So many are kept; a wrong column of a large file has a hundred thousand."""


LEDGER = "ledger"
"""Tables of enterprises and machines."""


class Upload(msgspec.Struct, frozen=True):
    """Files that somebody sent.

    Attributes:
        who: name of the user; nobody else sees it.
        made_ms: when they came, UTC milliseconds.
        names: of the files.
        digest: of the files.
        hidden: what becomes of hidden rows, a value of ``Hidden``.
        effective: day from which holds what rows change that name none; empty: that of import.
        language: of the comments in a marked copy.
        is_agreed: who sent them has agreed to what the preview says.
        table: what they hold: :data:`LEDGER`, or a sort of papers.
    """

    who: str
    made_ms: int
    names: tuple[str, ...]
    digest: str
    hidden: str = "refuse"
    effective: str = ""
    language: Literal["zh", "en"] = "zh"
    is_agreed: bool = False
    table: str = LEDGER


class Told(msgspec.Struct, frozen=True):
    """A mistake or a note; as :class:`~gateway.city.ledger.sheet.problems.Problem`."""

    file: str
    row: int
    column: str
    message: str


class Counts(msgspec.Struct, frozen=True):
    """Rows added, updated, left as they are."""

    added: int
    updated: int
    unchanged: int


class Outcome(msgspec.Struct, frozen=True):
    """What was found, or done.

    Attributes:
        of: ``check`` or ``apply``.
        count: mistakes.
        problems: the first of them.
        is_outdated: somebody changed a row meanwhile.
        fault: what kept the work from its end; empty: nothing.
        enterprises: rows.
        equipment: rows.
        statuses: entries of statuses.
        rosters: memberships.
        papers: of a sort of papers, none of the others.
        late: papers that begin before the day of entry.
        reach: machines of the ledger that papers are of.
        updates: identifiers that the node is told of.
        notes: what is to be told of the rows.
        since: first days of what changes, with numbers of rows.
        frozen: months that are frozen from the first of these days on, and whether finally.
        basis: of what the ledger held.
        is_marked: there is a copy with what is wrong in it.
    """

    of: Literal["check", "apply"]
    count: int = 0
    problems: tuple[Told, ...] = ()
    is_outdated: bool = False
    fault: str = ""
    enterprises: Counts = Counts(0, 0, 0)
    equipment: Counts = Counts(0, 0, 0)
    statuses: int = 0
    rosters: int = 0
    papers: Counts = Counts(0, 0, 0)
    late: int = 0
    reach: int = 0
    updates: int = 0
    notes: tuple[Told, ...] = ()
    since: tuple[tuple[str, int], ...] = ()
    frozen: tuple[tuple[str, bool], ...] = ()
    basis: str = ""
    is_marked: bool = False

    @property
    def changes(self) -> int:
        """How much would be another thing."""
        rows = (self.enterprises, self.equipment, self.papers)
        return sum(one.added + one.updated for one in rows) + self.statuses + self.rosters


def told_of(problems: Iterable[Problem]) -> tuple[Told, ...]:
    """The first of them."""
    found = [Told(one.file, one.row, one.column, one.message) for one in problems]
    return tuple(found[:MOST_PROBLEMS])


def outcome_of(
    of: Literal["check", "apply"], report: ImportReport, frozen: Sequence[FrozenMonth]
) -> Outcome:
    """What a report says."""
    return Outcome(
        of,
        enterprises=_counts(report.enterprises),
        equipment=_counts(report.equipment),
        statuses=report.status_entries,
        rosters=report.roster_entries,
        updates=report.updates_queued,
        notes=told_of(report.notes),
        since=_days(report.since),
        frozen=tuple(frozen),
        basis=report.basis,
    )


def outcome_of_papers(
    of: Literal["check", "apply"], made: Entered, frozen: Sequence[FrozenMonth]
) -> Outcome:
    """What entering papers did."""
    return Outcome(
        of,
        papers=Counts(made.added, made.changed, made.unchanged),
        late=made.late,
        reach=made.machines,
        since=_days(made.since),
        frozen=tuple(frozen),
        basis=made.basis,
    )


def _days(since: Mapping[date, int]) -> tuple[tuple[str, int], ...]:
    return tuple((day.isoformat(), rows) for day, rows in sorted(since.items()))


def _counts(changes: Changes) -> Counts:
    return Counts(changes.added, changes.updated, changes.unchanged)
