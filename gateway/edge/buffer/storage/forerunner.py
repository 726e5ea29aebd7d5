"""A new file in the place of one that is gone: what that one held is in no gap.

Damaged and set aside, deleted, left on another disk: the new file cannot tell. It asks the city
anyway before it sends, and the answer says up to when the gateway is known there. The city may be
away for days, so it is kept in the file that nobody has answered yet.
"""

import sqlite3

from gateway.core.batch import Gap
from gateway.core.status import Reason

KEY = "unheard"
"""In ``meta`` of a file of which no city has spoken; when its readings began, 0: they have not."""

UNHEARD = "INSERT INTO meta VALUES ('unheard', '0');"
"""Notes that a file is new, in the transaction that makes its tables."""


class Forerunner:
    """Dates what the file before this one may have held, once the city has answered.

    Args:
        unheard: what the file says under ``KEY``; None: a city has answered before.
    """

    def __init__(self, unheard: str | None) -> None:
        self._is_open = unheard is not None
        self._is_ended = False
        self._begin_ms = int(unheard or 0)
        self._known_ms: int | None = None

    def hear(self, known_ms: int) -> None:
        """The city has answered; only what it says first is without this file's own frames.

        Args:
            known_ms: up to when it knows the gateway, UTC milliseconds; 0: it does not.
        """
        if self._known_ms is None:
            self._known_ms = known_ms

    def begin(self, attempted_ms: int) -> None:
        """Readings begin; of several lives, and by a clock that was set, the earliest time holds.

        Args:
            attempted_ms: no value is older, UTC milliseconds; 0: no device has been tried yet.
        """
        if self._is_open and attempted_ms:
            self._begin_ms = min(self._begin_ms or attempted_ms, attempted_ms)

    def end(self, *, is_time_known: bool) -> Gap | None:
        """The gap, once and when all is known that it takes; the next commit has to hold it.

        Args:
            is_time_known: whether the clock is confirmed: by another one the gap could lie over
                times of which values will come.
        """
        known_ms, begin_ms = self._known_ms, self._begin_ms
        if not self._is_open or known_ms is None:
            return None
        if known_ms and not (begin_ms and is_time_known):
            return None
        self._is_open, self._is_ended = False, True
        if not 0 < known_ms < begin_ms - 1:
            return None
        return Gap("", "", (), Reason.GATEWAY_DOWN, known_ms + 1, begin_ms)

    def write(self, connection: sqlite3.Connection) -> None:
        """Keep it in the file, in the transaction that holds the gap."""
        if self._is_ended:
            connection.execute("DELETE FROM meta WHERE key = ?", (KEY,))
        elif self._is_open:
            connection.execute(
                "UPDATE meta SET value = ?1 WHERE key = ?2 AND value <> ?1",
                (str(self._begin_ms), KEY),
            )
