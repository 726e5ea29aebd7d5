"""Frames that were dropped after they may have been sent: does the city hold them or not?

They count as dropped until its word comes. None is forgotten before that: it would be counted both
stored and dropped for ever. They cannot become many, because nothing more is sent before the city
has said what it has (``gateway/edge/northbound/acks/question.py``).
"""

import sqlite3
from collections.abc import Iterable
from datetime import date

import msgspec

from gateway.core.books import Counts
from gateway.core.status import Reason
from gateway.edge.buffer.storage.history import note_acknowledged

_shares = msgspec.msgpack.Decoder(list[tuple[str, date, int]])


def remember(connection: sqlite3.Connection, flag: int, upto: int) -> None:
    """Keep what has to be known of frames that are dropped now.

    Args:
        connection: in a transaction, in which the frames are still there.
        flag: the city's.
        upto: frames up to this one that wait for it.
    """
    connection.execute(
        "INSERT INTO doubt SELECT seq, chain, shares FROM frame WHERE seq <= ? AND waiting & ?",
        (upto, flag),
    )


def undo_drops(
    connection: sqlite3.Connection, flag: int, spans: Iterable[tuple[int, int]]
) -> dict[tuple[str, date], Counts]:
    """Dropped frames that the city turns out to hold: their drops, as counts below zero.

    A frame was sent and stored, its acknowledgement was lost, and the quota dropped it: it would
    be both stored and dropped. Part of the caller's transaction.

    Args:
        connection: in a transaction.
        flag: the city's.
        spans: inclusive ranges of frames that it acknowledges.
    """
    counts: dict[tuple[str, date], Counts] = {}
    newest = (0, 0)
    for span in spans:
        for seq, chain, shares in connection.execute(
            "DELETE FROM doubt WHERE seq BETWEEN ? AND ? RETURNING seq, chain, shares", span
        ).fetchall():
            count_dropped(counts, shares, Reason.QUOTA, -1)
            newest = max(newest, (seq, chain))
    if newest[0]:
        note_acknowledged(connection, flag, newest)
    return counts


def forget(connection: sqlite3.Connection, closed: int) -> None:
    """Drops below this number stand: the city has said that it will not store these frames."""
    connection.execute("DELETE FROM doubt WHERE seq < ?", (closed,))


def oldest(connection: sqlite3.Connection) -> int | None:
    """The oldest dropped frame that the city may hold: its acknowledgement still matters."""
    (seq,) = connection.execute("SELECT min(seq) FROM doubt").fetchone()
    return None if seq is None else int(seq)


def count_dropped(
    counts: dict[tuple[str, date], Counts], shares: bytes, cause: Reason, sign: int = 1
) -> None:
    """Count the values of a frame as dropped (or, below zero, as not dropped after all)."""
    for device, day, values in _shares.decode(shares):
        dropped = counts.setdefault((device, day), Counts()).dropped
        dropped[cause.code] = dropped.get(cause.code, 0) + sign * values
