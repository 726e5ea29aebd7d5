"""What the disk does not take: why, how much, and from when to when. Pure but for its log."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.buffer.frames import Entry

_log = logging.getLogger(__name__)

PROBE_MS = 5_000
"""A disk that has refused values is offered some again after this time."""


class Refusal:
    """One log line and one gap from the first value given up to the last.

    Attributes:
        cause: why values are given up now, in words; empty while they are not.
    """

    def __init__(self) -> None:
        self.cause = ""
        self._probe_ms = 0
        self._gap: Gap | None = None
        self._newest_ms = 0
        self._values = 0

    def pause(self, now_ms: int) -> None:
        """Offer the disk no values for a while."""
        self._probe_ms = now_ms + PROBE_MS

    def is_pausing(self, now_ms: int) -> bool:
        """Whether the disk is offered no values now."""
        return 0 < self._probe_ms - now_ms <= PROBE_MS

    def give_up(self, entries: Iterable[Entry], cause: str) -> Gap | None:
        """Note what is given up; the gap if it opens now."""
        if not self.cause:
            self.cause = cause
            _log.error("%s; reading goes on, values are dropped until it takes them", cause)
        timed = [entry for entry in entries if entry.values]
        if not timed:
            return None
        self._values += sum(entry.values for entry in timed)
        self._newest_ms = max(self._newest_ms, *(entry.last_ms for entry in timed))
        if self._gap is not None:
            return None
        self._gap = Gap("", "", (), Reason.DISK, min(entry.first_ms for entry in timed))
        return self._gap

    def end(self) -> Gap | None:
        """The disk takes values again; the gap as it ends."""
        if not self.cause:
            return None
        _log.info("the buffer's disk takes values again; %d were dropped", self._values)
        gap = self._gap and replace(self._gap, to_ms=self._newest_ms + 1)
        self.cause, self._gap, self._values = "", None, 0
        self._newest_ms = self._probe_ms = 0
        return gap
