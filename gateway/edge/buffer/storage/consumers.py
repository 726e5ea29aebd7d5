"""Who gets the frames of a buffer, and which frames each of them still waits for.

A frame carries one flag for each consumer that waits for it (``frame.waiting``), in the row itself:
whatever a kill interrupts, a frame and the word who lacks it are never apart. Flags are 2 to 64
(``MOST_NORTHBOUNDS``): every ``waiting`` is one byte then, and rows are changed in place.

One consumer is the city: what its policy lets go is what the books call dropped.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edge_config.models.gateway import CITY, GatewayConfig
from gateway.core.days import HOUR_MS
from gateway.edge.buffer.outgoing import Pending, Span

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class QuotaRule:
    """How much a buffer holds for a consumer.

    Attributes:
        quota_bytes: size of the frames' bodies.
        max_age_ms: age of a frame's newest value.
    """

    quota_bytes: int
    max_age_ms: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """One who gets the frames.

    Attributes:
        name: under which the buffer knows it.
        quota: what is held for it; above that the oldest frames are let go.
        begin: where one that is new begins: with the ``oldest`` frame held, or ``now``.
    """

    name: str
    quota: QuotaRule
    begin: Literal["oldest", "now"] = "oldest"


def consumers_of(config: GatewayConfig) -> list[Consumer]:
    """Who gets the frames of the buffer; the city, even if no northbound leads to it yet."""
    buffer = config.buffer

    def rule(quota_mib: float | None, max_age_hours: float | None) -> QuotaRule:
        return QuotaRule(
            int((quota_mib or buffer.quota_mib) * _MIB),
            int((max_age_hours or buffer.max_age_hours) * HOUR_MS),
        )

    consumers = [
        Consumer(one.name, rule(one.quota_mib, one.max_age_hours), one.begin)
        for one in config.northbound
    ]
    return consumers or [Consumer(CITY, rule(None, None))]


def enlist(connection: sqlite3.Connection, consumers: Sequence[Consumer]) -> dict[str, int]:
    """Make the buffer's consumers these; their flags by name. A transaction of its own.

    New ones come before old ones go, so that they can take over what was held for those.
    """
    connection.execute("BEGIN IMMEDIATE")
    known: dict[str, int] = dict(connection.execute("SELECT name, flag FROM consumer"))
    for one in consumers:
        if one.name not in known:
            known[one.name] = _add(connection, one, known.values())
    names = {one.name for one in consumers}
    for name in known.keys() - names:
        _remove(connection, name, known.pop(name))
    connection.execute("COMMIT")
    return known


def _add(connection: sqlite3.Connection, consumer: Consumer, taken: Iterable[int]) -> int:
    flag = next(1 << at for at in range(1, 63) if 1 << at not in set(taken))
    connection.execute("INSERT INTO consumer VALUES (?, ?, 0, 0, 0, 0)", (consumer.name, flag))
    if consumer.begin == "oldest":
        connection.execute("UPDATE frame SET waiting = waiting | ?", (flag,))
    return flag


def _remove(connection: sqlite3.Connection, name: str, flag: int) -> None:
    connection.execute("DELETE FROM consumer WHERE name = ?", (name,))
    connection.execute("DELETE FROM frame WHERE waiting = ?", (flag,))
    connection.execute("UPDATE frame SET waiting = waiting & ~? WHERE waiting & ?", (flag, flag))


def waiting_for(connection: sqlite3.Connection, flag: int, span: Span) -> Pending:
    """What a consumer waits for within a span of frames."""
    frames, values, size = connection.execute(
        "SELECT count(*), total(count), total(bytes) FROM frame "
        "WHERE seq BETWEEN ? AND ? AND waiting & ?",
        (*span, flag),
    ).fetchone()
    return Pending(frames, int(values), int(size))


def release(connection: sqlite3.Connection, flag: int, span: Span) -> None:
    """A consumer has, or gives up, a span of frames; what nobody waits for any more is freed."""
    # First: cleared of the flag they would stay, as rows that nobody waits for.
    connection.execute("DELETE FROM frame WHERE seq BETWEEN ? AND ? AND waiting = ?", (*span, flag))
    connection.execute(
        "UPDATE frame SET waiting = waiting & ~? WHERE seq BETWEEN ? AND ? AND waiting & ?",
        (flag, *span, flag),
    )


def oldest_for(connection: sqlite3.Connection, flag: int, from_seq: int) -> int | None:
    """Number of the oldest frame from ``from_seq`` on that a consumer waits for."""
    row = connection.execute(
        "SELECT seq FROM frame WHERE seq >= ? AND waiting & ? ORDER BY seq LIMIT 1",
        (from_seq, flag),
    ).fetchone()
    return None if row is None else int(row[0])


def count_lost(connection: sqlite3.Connection, flag: int, values: int) -> None:
    """Another consumer than the city has lost values to its quota."""
    connection.execute("UPDATE consumer SET lost = lost + ? WHERE flag = ?", (values, flag))
