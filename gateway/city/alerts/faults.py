"""Defects of alerting: they end no process, are logged once, counted, and tried again later."""

import logging

from gateway.core.schedule import backoff_ms

log = logging.getLogger(__name__)

FIRST_MS, LONGEST_MS = 5_000, 600_000
"""Waits before what failed by a defect is tried again: it seldom helps, and costs each time."""


class Faults:
    """What failed by a defect, of one process.

    Attributes:
        count: how often, since the process began.
    """

    def __init__(self) -> None:
        self.count = 0
        self._failures: dict[str, int] = {}
        self._said: set[tuple[str, str]] = set()

    @property
    def going_on(self) -> bool:
        """Whether something fails now: of its alerts nobody knows."""
        return bool(self._failures)

    def met(self, what: str, error: Exception) -> int:
        """Count a failure of something; gives the wait before it is tried again, milliseconds.

        The first of its kind is logged, with where it happened, until it has been well again.
        """
        self.count += 1
        self._failures[what] = self._failures.get(what, 0) + 1
        said = (what, type(error).__name__)
        if said not in self._said:
            self._said.add(said)
            log.error("alerts: %s failed by a defect; trying again", what, exc_info=error)
        return backoff_ms(self._failures[what], FIRST_MS, LONGEST_MS)

    def over(self, what: str) -> None:
        """Note that something works."""
        if self._failures.pop(what, 0):
            log.info("alerts: %s works again", what)
            self._said = {one for one in self._said if one[0] != what}
