"""Attempts at a session with the broker: how long to wait, and what is said of them."""

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.core.schedule import backoff_ms
from gateway.mqtt.faults import reason

_log = logging.getLogger(__name__)

SOUND_S = 10.0
"""A session that ends earlier is one more failed attempt: two clients that take the session from
each other would else fill the log and the network."""

_RETRY_MIN_MS = 500


class Attempts:
    """One log line when the broker is lost, and one when it is back.

    Args:
        url: the broker, for people.
        retry_max_ms: longest wait between attempts.
    """

    def __init__(self, url: str, retry_max_ms: int) -> None:
        self._url = url
        self._retry_max_ms = retry_max_ms
        self._is_told = False
        self._is_shaky = False
        self.failures = 0

    @contextmanager
    def session(self) -> Iterator[None]:
        """From the moment a session stands to its end."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        timer = loop.call_later(SOUND_S if self._is_shaky else 0, self._back)
        try:
            yield
        finally:
            timer.cancel()
            self._is_shaky = loop.time() - begin < SOUND_S

    def _back(self) -> None:
        _log.info("broker %s: connected after %d failed attempts", self._url, self.failures)
        self.failures, self._is_told = 0, False

    def failed(self, fault: BaseException) -> str:
        """Count a failed attempt or a lost session; why, in words."""
        self.failures += 1
        words = reason(fault)
        if not self._is_told:
            self._is_told = True
            _log.warning("broker %s: %s; trying again", self._url, words)
        return words

    @property
    def pause_s(self) -> float:
        """Wait before the next attempt, seconds; random, so that clients do not come together."""
        longest = backoff_ms(max(self.failures, 1), _RETRY_MIN_MS, self._retry_max_ms)
        return longest * random.uniform(0.5, 1.0) / 1000  # noqa: S311 - no secret
