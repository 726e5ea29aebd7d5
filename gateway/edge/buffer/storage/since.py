"""What was counted since the file was opened: a new epoch's books begin with it.

It is kept in the file, as the city may be away for several lives of a gateway before it can say
whether the file is an older copy.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

import msgspec

from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.edge.buffer.incoming import Commit, MachineKey
from gateway.edge.buffer.storage.history import end_lives
from gateway.edge.buffer.storage.tables import sum_counts

BookKey = tuple[str, date]
"""Device and Asia/Shanghai day."""

_counts = msgspec.msgpack.Decoder(Counts)
_machine_counts = msgspec.msgpack.Decoder(MachineCounts)


@dataclass(frozen=True, slots=True)
class Added:
    """What one commit makes of the counters that it touches.

    Attributes:
        counts: by device and day.
        machines: by device, machine and day.
        devices: those that were counted for the first time.
        ends: whether it took all of this out of the file.
    """

    counts: dict[BookKey, Counts] = field(default_factory=dict)
    machines: dict[MachineKey, MachineCounts] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    ends: bool = False


class SinceOpening:
    """Increments of the books since the file was opened first since the city spoke last.

    Kept until the city has confirmed that the file is no older copy. The first commit that counts
    ticks of a device, which may come long after the start, also counts what was missed before it.
    If the file turns out to be an older copy, that is the time of a life which has told it to the
    city itself, so it is left out; what is missed between two lives of the copy counts.

    Attributes:
        counts: by device and day.
        machines: by device, machine and day.
        is_closed: whether it is known whose numbers the file's are.
    """

    def __init__(self) -> None:
        self.counts: dict[BookKey, Counts] = {}
        self.machines: dict[MachineKey, MachineCounts] = {}
        self._begun: set[str] = set()
        self._is_in_file = True  # perhaps, of an earlier life
        self.is_closed = False

    @classmethod
    def load(cls, connection: sqlite3.Connection) -> Self:
        """Go on with what earlier lives have counted that no city has spoken to."""
        since = cls()
        for device, day, body in connection.execute("SELECT device, day, body FROM since"):
            since.counts[device, date.fromisoformat(day)] = _counts.decode(body)
        for *machine, day, body in connection.execute("SELECT * FROM since_machine"):
            key = (*machine, date.fromisoformat(day))
            since.machines[key] = _machine_counts.decode(body)
        since._begun = {device for (device,) in connection.execute("SELECT * FROM since_device")}
        return since

    def write(
        self,
        connection: sqlite3.Connection,
        changes: Mapping[BookKey, Counts],
        commit: Commit,
    ) -> Added:
        """Write what a commit counts and reports, in its transaction.

        Args:
            connection: of the buffer.
            changes: increments of the books.
            commit: what its frames report leaves under a new epoch, if one begins, and has to be
                corrected by the books of that.

        Returns:
            What is to be added, once the transaction stands.
        """
        if self.is_closed:
            if self._is_in_file:
                end_lives(connection)
            return Added(ends=True)
        added = self._sum(changes, commit)
        _write(connection, added)
        return added

    def _sum(self, changes: Mapping[BookKey, Counts], commit: Commit) -> Added:
        added = Added(
            {key: self.counts.get(key, Counts()) for key in commit.reported},
            {key: self.machines.get(key, MachineCounts()) for key in commit.reported_machines},
            {device for (device, _), more in changes.items() if more.due} - self._begun,
        )
        for key, more in changes.items():
            own = more if key[0] in self._begun else _without_missed(more)
            added.counts[key] = sum_counts((self.counts.get(key, Counts()), own))
        for machine, given in commit.machines.items():
            valid_only = replace(given, expected=given.valid)
            added.machines[machine] = total = MachineCounts()
            total.add(self.machines.get(machine, MachineCounts()))
            total.add(given if machine[0] in self._begun else valid_only)
        return added

    def add(self, added: Added) -> None:
        """The transaction stands."""
        self._is_in_file = self._is_in_file and not added.ends
        self.counts |= added.counts
        self.machines |= added.machines
        self._begun |= added.devices

    def less_drops(self, undone: Mapping[BookKey, Counts]) -> dict[BookKey, Counts]:
        """The counts without drops that turned out to be none.

        Nothing is changed here: the disk may refuse what is made of it, and it is tried again.

        Args:
            undone: drops as counts below zero. What was dropped before the file was opened is in
                the old epoch's books, and stays there.
        """
        less = dict(self.counts)
        for key in undone.keys() & less.keys():
            gone = undone[key].dropped
            left = {code: n + gone.get(code, 0) for code, n in less[key].dropped.items()}
            dropped = {code: n for code, n in left.items() if n > 0}
            less[key] = replace(less[key], dropped=dropped)
        return less

    def close(self) -> None:
        """It is not needed any more: the file is no copy, or has become an epoch of its own."""
        self.is_closed = True
        self.counts, self.machines = {}, {}


def _write(connection: sqlite3.Connection, added: Added) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO since VALUES (?, ?, ?)",
        [
            (device, day.isoformat(), msgspec.msgpack.encode(counts))
            for (device, day), counts in added.counts.items()
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO since_machine VALUES (?, ?, ?, ?, ?)",
        [
            (*machine, day.isoformat(), msgspec.msgpack.encode(counts))
            for (*machine, day), counts in added.machines.items()
        ],
    )
    connection.executemany("INSERT INTO since_device VALUES (?)", [(one,) for one in added.devices])


def _without_missed(counts: Counts) -> Counts:
    return replace(counts, due=counts.due - counts.skipped, skipped=0)
