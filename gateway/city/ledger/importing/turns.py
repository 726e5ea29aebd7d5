"""Much is written some at a time, so that a city writes between: SQLite has one writer.

Its writers are not served in turn. Who finds the database taken looks again after 1, 2, 5, 10,
15 … ms (``sqliteDefaultBusyCallback`` of its source), so a lock that is held for some 10 ms and
left alone for as long is met by every waiter at the second or third look.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from gateway.relational.database import alone

T = TypeVar("T")

AIM_S = 0.01
"""So long a part may write; its commit takes what every commit takes."""
FIRST, FEWEST, MOST = 200, 100, 1_000
"""Items of a part: of the first one, and between which bounds the others adapt."""
_PAUSE_S = 0.01
_IMPORT = int.from_bytes(b"import")


def in_turn(
    engine: Engine,
    items: Sequence[T],
    write: Callable[[Connection, Sequence[T]], None],
    tell: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write parts of items, each in a transaction of its own that has the ledger alone.

    ``tell`` is told before each part how many are written, and of how many.
    """
    done, size = 0, min(FIRST, MOST)
    while part := items[done : done + size]:
        tell(done, len(items))
        with engine.begin() as connection:
            alone(connection, "ledger")
            begun = time.monotonic()
            write(connection, part)
            written_s = time.monotonic() - begun
        time.sleep(max(time.monotonic() - begun, _PAUSE_S))
        done += len(part)
        size = next_size(size, written_s)


def next_size(size: int, written_s: float) -> int:
    """How many items the next part has, when one of ``size`` took ``written_s`` to write."""
    fitting = size * AIM_S / max(written_s, AIM_S / MOST)
    # One part that met a busy machine does not say much of the next.
    return round(min(max(fitting, size / 2, FEWEST), size * 1.5, MOST))


@contextmanager
def one_import_at_a_time(engine: Engine) -> Iterator[None]:
    """Wait until no other import writes in parts, of whatever process; who is killed lets go.

    Two at once would each replace what the other has written.
    """
    if engine.dialect.name == "sqlite":
        # The folder: a file of SQLite must not be opened beside it, its locks would go.
        folder = os.open(Path(str(engine.url.database)).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
        return
    with engine.connect() as session:
        session.exec_driver_sql(f"SELECT pg_advisory_lock({_IMPORT})")
        session.commit()  # the lock is the session's; a transaction would hold up vacuum
        try:
            yield
        finally:
            session.exec_driver_sql(f"SELECT pg_advisory_unlock({_IMPORT})")
