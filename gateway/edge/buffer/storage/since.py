"""What was counted since the buffer was opened: a new epoch's books begin with it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.edge.buffer.incoming import MachineKey


class SinceOpening:
    """Increments of the books since the file was opened.

    Kept until the city has confirmed that the file is no older copy. The first commit that counts
    ticks of a device, which may come long after the start, also counts what was missed before it.
    If the file turns out to be an older copy, that is the time of a life which has told it to the
    city itself, so it is left out.

    Attributes:
        counts: by device and day.
        machines: by device, machine and day.
        is_closed: whether it is known whose numbers the file's are.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, date], Counts] = {}
        self.machines: dict[MachineKey, MachineCounts] = {}
        self._begun: set[str] = set()
        self.is_closed = False

    def add(
        self,
        counts: Mapping[tuple[str, date], Counts],
        machines: Mapping[MachineKey, MachineCounts],
    ) -> None:
        """Add what one commit counts."""
        if self.is_closed:
            return
        for key, more in counts.items():
            own = more if key[0] in self._begun else _without_missed(more)
            self.counts.setdefault(key, Counts()).add(own)
        for machine, given in machines.items():
            is_begun = machine[0] in self._begun
            of_machine = given if is_begun else replace(given, expected=given.valid)
            self.machines.setdefault(machine, MachineCounts()).add(of_machine)
        self._begun.update(device for (device, _), more in counts.items() if more.due)

    def reported(
        self, days: Iterable[tuple[str, date]], machine_days: Iterable[MachineKey]
    ) -> None:
        """Frames report these books; a new epoch, under which they leave, has to correct that."""
        if self.is_closed:
            return
        for key in days:
            self.counts.setdefault(key, Counts())
        for machine in machine_days:
            self.machines.setdefault(machine, MachineCounts())

    def less_drops(
        self, undone: Mapping[tuple[str, date], Counts]
    ) -> dict[tuple[str, date], Counts]:
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


def _without_missed(counts: Counts) -> Counts:
    return replace(counts, due=counts.due - counts.skipped, skipped=0)
