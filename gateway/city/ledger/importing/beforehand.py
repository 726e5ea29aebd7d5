"""What the last transaction of an import finds done, or a dry run has counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from gateway.city.identifiers.outbox import listed
from gateway.city.ledger.importing.held import HeldMachines
from gateway.city.ledger.importing.parts import Begun
from gateway.city.ledger.importing.plan import Plan, of_new
from gateway.city.ledger.importing.write import NO_CHANGES, Changes
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What the last transaction of an import finds done, or a dry run has counted.

    Attributes:
        begun: what was written; None: nothing was.
        rest: the other rows of equipment, which it writes itself.
        machines: rows added, updated, unchanged.
        status_entries: machines that get an entry of their history.
        updates: machines whose registered identifier will be updated.
        notes: what is to be told of the rows.
        since: machines by the day from which another thing is held of them.
    """

    begun: Begun | None
    rest: Sequence[Record]
    machines: Changes = NO_CHANGES
    status_entries: int = 0
    updates: int = 0
    notes: Sequence[Problem] = ()
    since: Counter[date] = field(default_factory=Counter)


def nothing(plan: Plan) -> Beforehand:
    """The last transaction writes all that changes."""
    rest = [*plan.changing, *plan.unnamed, *plan.renamed]
    return Beforehand(None, rest, Changes(0, 0, plan.unchanged), notes=plan.same)


def written(connection: Connection, begun: Begun, plan: Plan) -> Beforehand:
    """What a plan says has been written, but for renamings."""
    return Beforehand(
        begun,
        # those without an id are given what another machine was called before
        [*plan.renamed, *plan.unnamed],
        plan.changes,
        plan.status_entries,
        listed(connection, plan.changed),
        [*plan.notes, *plan.same],
        plan.since,
    )


def only_counted(connection: Connection, plan: Plan, held: HeldMachines, day: date) -> Beforehand:
    """For a dry run: each machine without an id would be a row and a status."""
    new = len(plan.unnamed)
    return Beforehand(
        None,
        plan.renamed,
        plan.changes + Changes(new, 0, 0),
        plan.status_entries + new,
        listed(connection, plan.changed),
        [*plan.notes, *plan.same],
        plan.since + of_new(plan.unnamed, held, day),
    )
