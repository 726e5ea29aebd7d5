"""What an import changed, or would change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.city.ledger.importing.write import Changes
from gateway.city.ledger.sheet.problems import Problem


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import changed, or would change.

    Attributes:
        enterprises: rows added, updated, unchanged.
        equipment: rows added, updated, unchanged.
        status_entries: entries added to the dated history.
        roster_entries: memberships begun, ended or corrected.
        updates_queued: machines whose registered identifier will be updated.
        notes: what the person who filled the files should know, by file, row and column.
        since: rows by the day from which the ledger says another thing by them.
        basis: of a dry run :func:`~gateway.city.ledger.importing.terms.digest` of what was held.
    """

    enterprises: Changes
    equipment: Changes
    status_entries: int
    roster_entries: int
    updates_queued: int
    notes: tuple[Problem, ...]
    since: Mapping[date, int] = field(default_factory=dict)
    basis: str = field(default="", compare=False)

    @property
    def changes(self) -> int:
        """Of how many rows, statuses and memberships another thing is said."""
        rows = (self.enterprises, self.equipment)
        written = sum(one.added + one.updated for one in rows)
        return written + self.status_entries + self.roster_entries

    @property
    def counted(self) -> str:
        """How much it changed, in one line."""
        firms, machines = self.enterprises, self.equipment
        return (
            f"enterprises +{firms.added} ~{firms.updated}, "
            f"equipment +{machines.added} ~{machines.updated}, status {self.status_entries}, "
            f"roster {self.roster_entries}"
        )
