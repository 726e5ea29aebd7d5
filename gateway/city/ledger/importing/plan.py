"""What an import makes of its rows of equipment, beside what the ledger holds. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.city.db.tables import equipment_rows
from gateway.city.ledger.bitemporal.entries import Said
from gateway.city.ledger.bitemporal.steps import Steps
from gateway.city.ledger.bitemporal.undated import Replaced, replaced
from gateway.city.ledger.check import formerly, formerly_key, name_of
from gateway.city.ledger.history import StatusChange, status_change, status_notes
from gateway.city.ledger.importing.held import HeldMachines
from gateway.city.ledger.importing.write import Changes, machine_said, said_notes
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem


@dataclass(frozen=True, slots=True)
class Version:
    """What becomes of one machine.

    Attributes:
        row: of ``equipment``, whole; as it was if only the status changes.
        status: the entry that its dated history gets; None: none.
        replaces: whether the machine has a row already.
        updated: whether that says something else.
        steps: what is said anew of its attributes, by first day.
        since: first day of which another thing is held now; None: of none.
        undated: what it replaces that has no days.
    """

    row: Mapping[str, Any]
    status: StatusChange | None
    replaces: bool
    updated: bool
    steps: Steps
    since: date | None = None
    undated: Replaced | None = None

    @property
    def machine(self) -> int:
        """Its id."""
        return int(self.row["id"])


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows of an import by what becomes of them.

    Attributes:
        versions: machines that are new or change.
        changing: the rows of them.
        unchanged: how many stay as they are.
        unnamed: new machines without an id.
        renamed: rows that give a machine another number, or speak of one that is given up.
        notes: what is to be told of the rows of versions.
        same: what is to be told of rows that change nothing.
    """

    versions: Sequence[Version]
    changing: Sequence[Record]
    unchanged: int
    unnamed: Sequence[Record]
    renamed: Sequence[Record]
    notes: Sequence[Problem]
    same: Sequence[Problem]

    @property
    def changes(self) -> Changes:
        """How many rows the versions add, update and leave."""
        added = sum(not one.replaces for one in self.versions)
        updated = sum(one.updated for one in self.versions)
        same = len(self.versions) - added - updated
        return Changes(added, updated, same + self.unchanged)

    @property
    def status_entries(self) -> int:
        """How many machines get an entry of their history."""
        return sum(one.status is not None for one in self.versions)

    @property
    def since(self) -> Counter[date]:
        """How many versions change what is held, by the day from which they do."""
        return Counter(one.since for one in self.versions if one.since)

    @property
    def changed(self) -> list[int]:
        """Ids of the machines that stand in the ledger and change."""
        return [one.machine for one in self.versions if one.replaces]


def planned(records: Sequence[Record], held: HeldMachines, day: date) -> Plan:
    """Compare rows of equipment with what the ledger holds of their machines."""
    versions, changing = list[Version](), list[Record]()
    unnamed, renamed = list[Record](), list[Record]()
    unchanged, notes, same = 0, list[Problem](), list[Problem]()
    given_up = {formerly_key(record) for record in records}
    for record in records:
        name = name_of(record)
        machine = held.ids.get(name)
        if formerly(record) is not None or name.key in given_up:
            renamed.append(record)
        elif machine is None:
            unnamed.append(record)
        else:
            said, history = machine_said(record, machine, held, day), held.statuses.get(machine, {})
            told = (*status_notes(record, history, day), *said_notes(record, said, day))
            version = _version(said, status_change(record, machine, history, day), held, day)
            if version:
                versions.append(version)
                changing.append(record)
            unchanged += version is None
            (notes if version else same).extend(told)
    return Plan(versions, changing, unchanged, unnamed, renamed, notes, same)


def _version(
    said: Said, status: StatusChange | None, held: HeldMachines, day: date
) -> Version | None:
    """What becomes of a machine; None: it stays as it is."""
    old = held.rows.get((said.row["id"],))
    since = first_other(said, status, is_new=old is None, today=day)
    if old is None:
        return Version(said.row, status, False, False, said.steps, since)
    updated = bool(said.steps) or any(old[name] != value for name, value in said.row.items())
    if status is None and not updated:
        return None
    undated = replaced(equipment_rows, old, said.row)
    return Version({**old, **said.row}, status, True, updated, said.steps, since, undated)


def first_other(
    said: Said, status: StatusChange | None, *, is_new: bool, today: date
) -> date | None:
    """The first day of which the ledger says another thing by a row; None: of no day.

    A new machine that begins today changes nothing that was said.
    """
    days = [said.since] if said.since else []
    if status is not None and (not is_new or status.start < today):
        days.append(status.start)
    return min(days, default=None)


def of_new(records: Sequence[Record], held: HeldMachines, day: date) -> Counter[date]:
    """As :attr:`Plan.since`, of rows whose machines have no id yet."""
    nobody = 0
    found = Counter[date]()
    for record in records:
        said, status = (
            machine_said(record, nobody, held, day),
            status_change(record, nobody, {}, day),
        )
        if first := first_other(said, status, is_new=True, today=day):
            found[first] += 1
    return found
