"""Works that ended each process that did them: what they are, and until when nobody tries again."""

import logging
import time
from functools import partial

from gateway.city.console.apart.messages import Work
from gateway.web.waiting import GivenUpError

log = logging.getLogger(__name__)

TRIES = 4
"""Processes that a work may end. Each takes what memory there is from everything else."""
REST_S = 3_600.0
"""After so long it is tried again: there may be more memory, or less to compute."""


def key_of(work: Work) -> str:
    """The same for works that would compute the same.

    Numbers are left out: they say of which moment something is, and how many rows are wanted.
    """
    function = work.function.func if isinstance(work.function, partial) else work.function
    what = [one for one in work.what if not isinstance(one, int)]
    return f"{function.__qualname__}{what}"


class GivenUp:
    """What was given up, by key, and when by the monotonic clock."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def add(self, key: str) -> GivenUpError:
        """Give a work up; returns what whoever waits for it is told."""
        self._since[key] = time.monotonic()
        log.error(
            "gave up %s: each of %d processes that computed it was ended, most likely for lack of "
            "memory (the kernel's log says so); it is tried again in an hour, or after a start",
            _name(key), TRIES,
        )  # fmt: skip
        return GivenUpError(TRIES)

    def refuse(self, key: str) -> None:
        """Refuse a work that was given up.

        Raises:
            GivenUpError: it was, less than :data:`REST_S` ago.
        """
        self._forget()
        if key in self._since:
            raise GivenUpError(TRIES)

    def names(self) -> list[str]:
        """The functions of what is given up at the moment."""
        self._forget()
        return sorted(map(_name, self._since))

    def _forget(self) -> None:
        now = time.monotonic()
        self._since = {key: at for key, at in self._since.items() if now - at < REST_S}


def _name(key: str) -> str:
    return key.partition("[")[0]
