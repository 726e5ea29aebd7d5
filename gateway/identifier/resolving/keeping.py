"""Answers that are kept: the newest in memory, records on disk too, past their time as well."""

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from gateway.durable import write_ahead
from gateway.identifier.resolving.answer import Answer, Outcome, kept_s
from gateway.private import keep_private
from gateway.retry import Retry

logger = logging.getLogger(__name__)

VERSION = 1
"""Version of the file's layout (``PRAGMA user_version``)."""
_TABLES = """
CREATE TABLE answer (
    key TEXT PRIMARY KEY, body BLOB NOT NULL, until_s INTEGER NOT NULL, got_s INTEGER NOT NULL
) STRICT;
CREATE INDEX answer_got ON answer (got_s);
"""


class Memory:
    """The answers that were used last.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[str, tuple[float, Answer]] = OrderedDict()

    def fresh(self, key: str, now_s: float) -> Answer | None:
        """An answer whose time is not over."""
        held = self._answers.get(key)
        if held is None or held[0] <= now_s:
            return None
        self._answers.move_to_end(key)
        return held[1]

    def keep(self, key: str, answer: Answer, until_s: float) -> None:
        """Keep an answer; the one that was not used longest goes."""
        self._answers[key] = until_s, answer
        self._answers.move_to_end(key)
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)


class Disk:
    """Records that were found, in one SQLite file; losing it costs questions only.

    Synchronous and quick. A failure never takes a record's place, nor does an absence: a record
    stays until another takes its place, a server that answers for it says that it is gone, or the
    file holds too many. While the file cannot be read or written, as on a full disk, codes are
    asked for without it; the log says so once.

    Args:
        path: of the file; made if it is not there, made anew if it is of another layout.
        most: records that are kept.

    Raises:
        OSError: the file cannot be made.
        sqlite3.Error: nor opened.
    """

    def __init__(self, path: Path, most: int) -> None:
        keep_private(path)
        self._most = most
        self._retry = Retry(
            logger,
            f"codes are resolved without {path}, which may be deleted",
            f"what is resolved is kept in {path} again",
        )
        self._db = sqlite3.connect(path, isolation_level=None)
        write_ahead(self._db)
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != VERSION:  # what is in it can be asked for again
            self._db.executescript(
                f"BEGIN IMMEDIATE; DROP TABLE IF EXISTS answer;{_TABLES}"
                f"PRAGMA user_version={VERSION};COMMIT;"
            )

    def held(self, key: str) -> tuple[Answer, int] | None:
        """A record, whatever its age, and when its time is over."""
        with self._without():
            query = "SELECT body, until_s FROM answer WHERE key = ?"
            row = self._db.execute(query, (key,)).fetchone()
            return (msgspec.msgpack.decode(row[0], type=Answer), row[1]) if row else None
        return None

    def keep(self, key: str, answer: Answer, now_s: int) -> None:
        """Keep a record; an absence removes it, a failure changes nothing."""
        with self._without():
            self._keep(key, answer, now_s)
            self._retry.succeeded()

    @contextmanager
    def _without(self) -> Iterator[None]:
        """Within, a file that fails is done without."""
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            self._retry.failed(str(error))

    def _keep(self, key: str, answer: Answer, now_s: int) -> None:
        if answer.outcome is Outcome.NOT_FOUND:
            self._db.execute("DELETE FROM answer WHERE key = ?", (key,))
        if answer.outcome is not Outcome.FOUND:
            return
        body = msgspec.msgpack.encode(msgspec.structs.replace(answer, hops=()))
        self._db.execute(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)",
            (key, body, now_s + kept_s(answer), now_s),
        )
        self._db.execute(
            "DELETE FROM answer WHERE key IN "
            "(SELECT key FROM answer ORDER BY got_s DESC LIMIT -1 OFFSET ?)",
            (self._most,),
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()
