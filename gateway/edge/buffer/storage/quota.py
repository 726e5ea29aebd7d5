"""What the buffer gives up when it holds too much: oldest frames first, counted and dated."""

import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date

from gateway.core.batch import JOIN_MS, NEVER, Gap
from gateway.core.books import Counts
from gateway.core.status import Reason
from gateway.edge.buffer.outgoing import EMPTY, Pending
from gateway.edge.buffer.storage import doubt
from gateway.edge.buffer.storage.consumers import QuotaRule, release
from gateway.wire.body import read_gaps
from gateway.wire.columns import FrameError

_log = logging.getLogger(__name__)


LEAP_MS = 60_000
PATIENCE_S = 3_600.0
"""After a step ahead by more than the one, frames do not go for their age for the other."""

MOST = 10_000
"""Frames that one commit drops at most; far more than it can bring."""

_RELIEF = 0.99
"""Part of the quota that is kept when it is exceeded, so that not every commit drops."""

_COLUMNS = "seq, count, bytes, first_ms, last_ms, gaps, shares"
_Row = tuple[int, int, int, int, int, int, bytes]
_LAST_MS = 4


class Ageing:
    """The time by which frames are old: none for a while after the clock has leapt ahead.

    A clock that is set wrong makes everything old at once, and is mostly set right soon.
    """

    def __init__(self) -> None:
        self._offset_ms: float | None = None
        self._patient_until_s = 0.0

    def time_ms(self, now_ms: int | None, monotonic_s: float) -> int:
        """The clock's time, or 0 if nothing is to be called old.

        Args:
            now_ms: UTC milliseconds; None while nobody knows, which is no leap when it ends.
            monotonic_s: a clock that never steps, seconds.
        """
        if now_ms is None:
            return 0
        before, self._offset_ms = self._offset_ms, now_ms - monotonic_s * 1000
        if before is not None and self._offset_ms - before > LEAP_MS:
            self._patient_until_s = monotonic_s + PATIENCE_S
        return 0 if monotonic_s < self._patient_until_s else now_ms


@dataclass(slots=True)
class Trimmed:
    """What goes.

    Attributes:
        flag: whose frames.
        first: number of the first.
        newest: number of the newest.
        size: how much it is.
        counts: the values as ``dropped`` by device and day.
        gaps: the gap of this loss, and gap records of the dropped frames that must not be lost.
        span_ms: oldest and newest time in the frames, UTC milliseconds; None if none went.
    """

    flag: int
    first: int = 0
    newest: int = 0
    size: Pending = EMPTY
    counts: dict[tuple[str, date], Counts] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    span_ms: tuple[int, int] | None = None
    _lost: tuple[int, int] | None = None
    _with_gaps: list[int] = field(default_factory=list)

    def add(self, row: _Row) -> None:
        """Choose one more frame to go."""
        seq, values, size, first_ms, last_ms, gaps, shares = row
        self.first, self.newest = self.first or seq, seq
        self.size = self.size.minus(Pending(-1, -values, -size))
        doubt.count_dropped(self.counts, shares, Reason.QUOTA)
        self.span_ms = widened(self.span_ms, first_ms, last_ms)
        if values:
            self._lost = widened(self._lost, first_ms, last_ms)
        if gaps:
            self._with_gaps.append(seq)

    def add_all(self, rows: list[_Row]) -> None:
        """Choose these to go, and empty the list."""
        for row in rows:
            self.add(row)
        rows.clear()

    def drop(self, connection: sqlite3.Connection, handed_out: int) -> None:
        """Drop what was chosen from what waits for the city, and note what has to be told of it.

        Args:
            connection: in a transaction.
            handed_out: frames up to this one may have been sent, so the city may hold them.
        """
        # The loss last: it can be a rescued gap that has become longer.
        rescued = [gap for seq in self._with_gaps for gap in gaps_to_send(connection, seq)]
        self.gaps = (*rescued, *_loss(connection, self._lost))
        doubt.remember(connection, self.flag, min(self.newest, handed_out))
        self.let_go(connection)
        remember(connection, self.gaps)

    def let_go(self, connection: sqlite3.Connection) -> None:
        """The consumer does not wait for them any more."""
        release(connection, self.flag, (self.first, self.newest))


class Lost:
    """Whose values the quota takes, until it is kept again; see ``Appended.lost``."""

    def __init__(self) -> None:
        self._newest_ms: dict[str, int] = {}

    def by(self, trimmed: Trimmed) -> Mapping[str, int]:
        """Devices, and the newest time of what they have lost, once nothing goes any more.

        To be called when the commit stands: what is returned is forgotten.
        """
        if trimmed.span_ms is None:
            lost, self._newest_ms = self._newest_ms, {}
            return lost
        for device, _ in trimmed.counts:
            self._newest_ms[device] = max(trimmed.span_ms[1], self._newest_ms.get(device, NEVER))
        return {}


def widened(span: tuple[int, int] | None, first_ms: int, last_ms: int) -> tuple[int, int]:
    """A span of times with another one."""
    return (first_ms, last_ms) if span is None else (min(span[0], first_ms), max(span[1], last_ms))


def choose(
    connection: sqlite3.Connection,
    rule: QuotaRule,
    held_bytes: int,
    now_ms: int,
    waiting: tuple[int, int],
    begins: Sequence[int] = (),
) -> Trimmed:
    """Choose the oldest frames that have to go for the rule to be kept.

    Whole segments go, so that what stays begins with the values of all tags: of those that are too
    old only what is so to its end, of those that are too much all that was begun.

    Of very many – after a year in a drawer – :data:`MOST` go now and the others with the next
    commits, so that none of them takes long.

    Args:
        connection: in a transaction.
        rule: byte and age quota.
        held_bytes: size of all frames that wait.
        now_ms: UTC milliseconds.
        waiting: number of the oldest frame that waits, and the consumer's flag.
        begins: numbers of frames with which segments begin, ascending.
    """
    trimmed = Trimmed(waiting[1])
    excess = held_bytes - rule.quota_bytes
    goal = held_bytes - int(rule.quota_bytes * _RELIEF) if excess > 0 else 0
    oldest_ms = now_ms - rule.max_age_ms
    last_begin, begun = max(begins, default=0), list[_Row]()
    with closing(_oldest(connection, waiting)) as rows:
        for row in rows:
            if is_begin := row[0] in begins:
                trimmed.add_all(begun)
            # The first that is neither too much nor too old ends it: those behind it are younger.
            is_enough = trimmed.size.bytes + sum(one[2] for one in begun) >= goal
            is_cut = is_begin or not goal or not begun or row[0] > last_begin
            if is_enough and row[_LAST_MS] >= oldest_ms and is_cut:
                break
            begun.append(row)
        else:
            # All that waits is too old. Where a segment begins behind it, it is so to its end.
            if begun and last_begin > begun[-1][0]:
                trimmed.add_all(begun)
    if goal or (not trimmed.size.frames and not last_begin > waiting[0]):
        trimmed.add_all(begun)
    return trimmed


def _oldest(connection: sqlite3.Connection, waiting: tuple[int, int]) -> sqlite3.Cursor:
    return connection.execute(
        f"SELECT {_COLUMNS} FROM frame "  # noqa: S608 - names of ours
        "WHERE seq >= ? AND waiting & ? ORDER BY seq LIMIT ?",
        (*waiting, MOST),
    )


def _loss(connection: sqlite3.Connection, times_ms: tuple[int, int] | None) -> Iterable[Gap]:
    """The gap of this loss; joined to the last one if that is near."""
    if times_ms is None:
        return ()
    gap = Gap("", "", (), Reason.QUOTA, times_ms[0], times_ms[1] + 1)
    return (joined_gap(connection, gap),)


def joined_gap(connection: sqlite3.Connection, gap: Gap) -> Gap:
    """An ended gap, joined to the last one of its device, group and cause if that is near.

    A loss that goes on comes with each commit, and is one gap all the same.
    """
    key = f"last gap {gap.cause.code} {gap.device} {gap.group}"
    first, last = gap.from_ms, gap.to_ms or gap.from_ms
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    if row:
        before_first, before_last = map(int, row[0].split())
        if before_first <= first <= before_last + JOIN_MS:
            first, last = before_first, max(last, before_last)
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, f"{first} {last}"))
    return replace(gap, from_ms=first, to_ms=last)


def gaps_to_send(connection: sqlite3.Connection, seq: int) -> list[Gap]:
    """Gap records of a frame that goes: ended ones, and open ones that are still open.

    An open one that has ended since is left out: its end travels in a later frame, and would be
    undone by announcing the beginning after it.
    """
    (body,) = connection.execute("SELECT body FROM frame WHERE seq = ?", (seq,)).fetchone()
    try:
        return [gap for gap in read_gaps(body) if _is_to_be_sent(connection, gap)]
    except FrameError as error:
        _log.error("frame %d: its gap records cannot be read: %s", seq, error)
        return []


GAP_IS = "device = ? AND grp = ? AND tags = ? AND cause = ? AND from_ms = ?"
"""Condition for a row of the table ``gap``, see :func:`gap_key`."""


def gap_key(gap: Gap) -> tuple[str, str, str, int, int]:
    """The key of a gap as columns of the table ``gap``."""
    return gap.device, gap.group, " ".join(gap.tags), int(gap.cause), gap.from_ms


def _is_to_be_sent(connection: sqlite3.Connection, gap: Gap) -> bool:
    if gap.to_ms is not None:
        return True
    row = connection.execute(
        f"SELECT 1 FROM gap WHERE {GAP_IS} AND to_ms IS NULL",  # noqa: S608 - names of ours
        gap_key(gap),
    ).fetchone()
    return row is not None


def remember(connection: sqlite3.Connection, gaps: Iterable[Gap]) -> None:
    """Keep gaps that are still to be told, opened or ended."""
    connection.executemany(
        "INSERT OR REPLACE INTO gap (device, grp, tags, cause, from_ms, to_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(*gap_key(gap), gap.to_ms) for gap in gaps],
    )
