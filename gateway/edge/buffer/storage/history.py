"""What tells a buffer from an older copy of itself, and what becomes of one that is a copy.

A file that was restored, or whose last commits a power cut took, goes on with numbers that it gave
to other frames before. Each frame has a checksum over itself and all before it: where the city's
newest differs from ours, our numbers have been used, and a new epoch has to begin.
"""

import sqlite3
from zlib import crc32

from gateway.edge.buffer.outgoing import Span


def chained(before: int, body: bytes) -> int:
    """The checksum over a frame's body and all frames before it, from that of the one before."""
    return crc32(body, before)


def chain_of(connection: sqlite3.Connection) -> int:
    """The checksum over all frames so far."""
    (chain,) = connection.execute("SELECT value FROM meta WHERE key = 'chain'").fetchone()
    return int(chain)


def is_ours(connection: sqlite3.Connection, flag: int, newest: int, chain: int) -> bool:
    """Whether the newest frame that a consumer has seen is one that this buffer made.

    Args:
        connection: of the buffer.
        flag: whose word it is.
        newest: number of that frame; 0: it has seen none.
        chain: its checksum, as the consumer was told it.
    """
    acked, acked_chain = connection.execute(
        "SELECT acked, acked_chain FROM consumer WHERE flag = ?", (flag,)
    ).fetchone()
    # One that has less than it has acknowledged was itself set back: no number is in doubt by it.
    if newest < acked or newest == 0:
        return True
    if newest == acked:
        return bool(chain == acked_chain)
    held = connection.execute(
        "SELECT chain FROM frame WHERE seq = ?1 UNION ALL SELECT chain FROM doubt WHERE seq = ?1",
        (newest,),
    ).fetchone()
    # Neither held nor acknowledged: not shown to be ours. A new epoch too many does no harm.
    return held is not None and held[0] == chain


def newest_in(connection: sqlite3.Connection, flag: int, span: Span) -> tuple[int, int]:
    """Number and checksum of the newest frame of a span that a consumer waits for; (0, 0): none."""
    row = connection.execute(
        "SELECT seq, chain FROM frame WHERE seq BETWEEN ? AND ? AND waiting & ? "
        "ORDER BY seq DESC LIMIT 1",
        (*span, flag),
    ).fetchone()
    return row or (0, 0)


def note_acknowledged(connection: sqlite3.Connection, flag: int, newest: tuple[int, int]) -> None:
    """Keep number and checksum of a frame that a consumer has, if it is the newest such."""
    connection.execute(
        "UPDATE consumer SET acked = ?, acked_chain = ? WHERE flag = ? AND acked < ?",
        (*newest, flag, newest[0]),
    )


def handed_out(connection: sqlite3.Connection, flag: int) -> int:
    """Frames of a consumer above this one have not been handed out, by no process."""
    row = connection.execute("SELECT handed_out FROM consumer WHERE flag = ?", (flag,)).fetchone()
    return int(row[0])


def let_hand_out(connection: sqlite3.Connection, flag: int, upto: int) -> None:
    """Note that frames of a consumer up to this one may be handed out."""
    connection.execute("UPDATE consumer SET handed_out = ? WHERE flag = ?", (upto, flag))


def begin_life(connection: sqlite3.Connection) -> None:
    """Note what the file holds when it is opened, unless that is noted since an earlier opening.

    Who starts several times before the city answers has made, in all these lives, frames that may
    have numbers of a lost one.
    """
    connection.execute(
        "INSERT OR IGNORE INTO meta SELECT 'opened_at', value FROM meta WHERE key = 'last_seq'"
    )


def end_lives(connection: sqlite3.Connection) -> None:
    """The city has said whose numbers they are: the next opening begins anew."""
    connection.execute("DELETE FROM meta WHERE key = 'opened_at'")
    connection.execute("DELETE FROM since")
    connection.execute("DELETE FROM since_machine")
    connection.execute("DELETE FROM since_device")


def begin_epoch(connection: sqlite3.Connection, epoch: int) -> None:
    """Name the buffer anew; nobody has acknowledged anything of the new epoch, or may doubt it."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (f"{epoch:016x}",))
    connection.execute("UPDATE consumer SET acked = 0, acked_chain = 0, handed_out = 0")
    connection.execute("DELETE FROM doubt")
    end_lives(connection)
