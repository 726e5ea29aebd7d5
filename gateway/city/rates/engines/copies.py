"""Copies of months: sent whole and checked, and told from what the city says now."""

# ruff: noqa: S608 - statements hold names of the layout and whole numbers

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select

from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.schema.months import month_number
from gateway.city.ledger.changes import latest_change
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.engines.engine import EngineError
from gateway.city.rates.engines.gathering import Columns, evidence_sum, gather
from gateway.city.rates.engines.layout import COPY, MACHINE
from gateway.city.rates.engines.store import Store
from gateway.city.rates.inquiry import Inquiry
from gateway.core.days import DAY_MS

_PART = 100_000
"""Rows that are sent at a time."""


class Copy(NamedTuple):
    """What a copy is of: the columns of ``month_copy``.

    Attributes:
        copy: its number: UTC milliseconds of the time that it is of.
        city: its region, a number of six digits.
        month: YYYYMM, for whose figures it is.
        since: first day of the earliest month that it holds, as an ordinal.
        as_of: the day that the month is judged on, as an ordinal.
        demonstration: 1: synthetic evidence is in it.
        change: number of the ledger's newest change.
        known: UTC milliseconds of the newest act upon it; a ledger that was restored and changed
            otherwise has the same numbers again.
        evidence: sum of the evidence that counts.
        rest: digest of the days of rest; 0: it leaves out none.
        machines: how many there are.
    """

    copy: int
    city: int
    month: int
    since: int
    as_of: int
    demonstration: int
    change: int
    known: int
    evidence: int
    rest: int
    machines: int = 0

    @property
    def at(self) -> datetime:
        """The time that it is of."""
        return datetime.fromtimestamp(self.copy / 1000, UTC)

    def is_otherwise_than(self, now: "Copy") -> str | None:
        """What the city says otherwise by now; None: nothing."""
        changed = {
            "figures of an earlier month are asked for than it holds": self.since > now.since,
            "another day is asked for": self.as_of != now.as_of,
            "days of rest are asked for, of which it knows none": self.rest == 0 != now.rest,
            "days of rest are said to be other ones": now.rest not in (0, self.rest),
            "the ledger has changed": (self.change, self.known) != (now.change, now.known),
            "evidence has come": self.evidence != now.evidence,
        }
        return next((words for words, is_so in changed.items() if is_so), None)


class Copies:
    """The copies of one city's months that an engine holds.

    Args:
        store: the engine.
        city: GB/T 2260 code of the city; others may have copies in the same tables.
    """

    def __init__(self, store: Store, city: str) -> None:
        self.store, self._city = store, int(city)

    def find(
        self, connection: Connection, inquiries: Sequence[Inquiry]
    ) -> tuple[Copy | None, str | None]:
        """The copy that some inquiries about one month may be answered by.

        Args:
            connection: the city's database, on one snapshot.
            inquiries: at least one.

        Returns:
            The newest complete copy of the month, if there is one, and why it may not be used;
            None: it says what the city says.
        """
        now = self._wanted(connection, inquiries)
        found = next((one for one in self.all() if _replaces(now, one)), None)
        if found is None:
            return None, "there is no copy"
        if found.since < now.since:
            now = self._wanted(connection, inquiries, date.fromordinal(found.since))
        return found, found.is_otherwise_than(now)

    def _wanted(
        self, connection: Connection, inquiries: Sequence[Inquiry], since: date = date.max
    ) -> Copy:
        """The copy that inquiries need, as the city is now; from a day on, or earlier."""
        inquiry, needed = _widest(inquiries)
        since = min(since, needed)
        calendar, as_of = inquiry.calendar, inquiry.period.as_of
        rest = None if calendar is None else calendar.text(since, as_of)
        return Copy(
            inquiry.now_ms,
            self._city,
            month_number(inquiry.period.first),
            since.toordinal(),
            as_of.toordinal(),
            int(inquiry.demonstration),
            latest_change(connection),
            connection.scalar(select(func.max(ledger_act.c.known_ms))) or 0,
            evidence_sum(connection, inquiry, since),
            0 if rest is None else int(hashlib.sha256(rest.encode()).hexdigest()[:15], 16),
        )

    def all(self) -> list[Copy]:
        """All complete copies, the newest month first."""
        query = (
            f"SELECT {', '.join(COPY)} FROM month_copy WHERE city = {self._city:d} "
            "ORDER BY month DESC, copy DESC"
        )
        return [Copy(*map(int, row)) for row in self.store.ask(query)]

    def forget(self, uscc: str) -> None:
        """Take away this city's copies, complete or not, that hold an enterprise.

        Args:
            uscc: of it.

        Raises:
            EngineError: the engine is away, or holds one of them still.
        """
        self.store.prepare()
        for number in self._holding(uscc):
            self.store.drop(number)
        if left := self._holding(uscc):
            raise EngineError(
                f"{self.store.where} holds copies {sorted(left)} after their deletion"
            )

    def _holding(self, uscc: str) -> set[int]:
        # Engines take no parameters here; a USCC is letters and digits.
        wanted = "".join(filter(str.isalnum, uscc))
        found = self.store.ask(f"SELECT DISTINCT copy FROM machine_firm WHERE uscc = '{wanted}'")
        others = f"SELECT copy FROM month_copy WHERE city <> {self._city:d}"
        return {int(row[0]) for row in found} - {int(row[0]) for row in self.store.ask(others)}

    def send(
        self,
        connection: Connection,
        inquiries: Sequence[Inquiry],
        progress: Progress = unreported,
    ) -> Copy:
        """Copy a month, compare what arrived with what was sent, and only then call it complete.

        Copies of the month that were there before are taken away, and what transfers that were
        interrupted left a day ago.

        Args:
            connection: the city's database, on one snapshot.
            inquiries: about one month; the copy holds what each of them needs.
            progress: is told how far it is.

        Raises:
            EngineError: the engine cannot be written to, or holds something else than was sent.
        """
        self.store.prepare()
        taken = self._numbers("machine_firm") | self._numbers("month_copy")
        copy = self._wanted(connection, inquiries)
        copy = copy._replace(copy=max([copy.copy, *(one + 1 for one in taken)]))
        try:
            copy = copy._replace(machines=self._send_rows(connection, copy, inquiries, progress))
        except EngineError:
            with suppress(EngineError):  # it may be away; a later transfer tidies up
                self.store.drop(copy.copy)
            raise
        marks = {name: np.array([one]) for name, one in copy._asdict().items()}
        self.store.append("month_copy", marks)
        self._tidy(copy)
        return copy

    def _tidy(self, new: Copy) -> None:
        left = self._numbers("machine_month") - self._numbers("month_copy")
        forgotten = [one for one in left if one < new.copy - DAY_MS]
        old = [one.copy for one in self.all() if one.copy < new.copy and _replaces(new, one)]
        for number in [*old, *forgotten]:
            self.store.drop(number)

    def _numbers(self, table: str) -> set[int]:
        """The copies, of whatever city, of which a table has rows."""
        return {int(row[0]) for row in self.store.ask(f"SELECT DISTINCT copy FROM {table}")}

    def _send_rows(
        self,
        connection: Connection,
        copy: Copy,
        inquiries: Sequence[Inquiry],
        progress: Progress,
    ) -> int:
        """Send all rows and compare; how many machines there are."""
        inquiry, since = _widest(inquiries)
        found, sent = gather(connection, inquiry, since, progress), Counter[str]()
        numbers = np.fromiter(found.firms, np.int32)
        usccs = np.array([one.encode() for one in found.firms.values()], "S18")
        self._append("machine_firm", copy, {"firm": numbers, "uscc": usccs})
        for month in found.months:
            for first in range(0, found.machines, _PART):
                rows = {name: one[first : first + _PART] for name, one in month.items()}
                sent.update({name: int(one.sum(dtype=np.int64)) for name, one in rows.items()})
                self._append("machine_month", copy, rows)
        self._compare(copy, sent)
        return found.machines

    def _append(self, table: str, copy: Copy, rows: Columns) -> None:
        length = len(next(iter(rows.values())))
        if length:
            self.store.append(table, {"copy": np.full(length, copy.copy, np.int64), **rows})

    def _compare(self, copy: Copy, sent: Mapping[str, int]) -> None:
        """Sums of all columns, of what was sent and of what is there."""
        names = [name for name in MACHINE if name != "copy"]
        sums = ", ".join(f"sum({name})" for name in names)
        query = f"SELECT {sums} FROM machine_month WHERE copy = {copy.copy:d}"
        (arrived,) = self.store.ask(query)
        for name, one in zip(names, arrived, strict=True):
            if int(one or 0) != sent[name]:
                raise EngineError(
                    f"{self.store.where} holds something else than was sent ({name}: {one}, not "
                    f"{sent[name]}); the copy was taken away: send it again"
                )


def _widest(inquiries: Sequence[Inquiry]) -> tuple[Inquiry, date]:
    """One that leaves out days of rest, if any does, and the first day of the earliest month."""
    since = min(inquiry.window.first for inquiry in inquiries).replace(day=1)
    return next((one for one in inquiries if one.calendar is not None), inquiries[0]), since


def _replaces(new: Copy, old: Copy) -> bool:
    return (new.month, new.demonstration) == (old.month, old.demonstration)
