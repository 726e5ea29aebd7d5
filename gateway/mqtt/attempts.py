"""Attempts at a session with the broker: how long to wait, and what is said of them."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.mqtt.faults import reason
from gateway.retry import SOUND_S, Retry

_log = logging.getLogger(__name__)


_RETRY_MIN_MS = 500


class Attempts:
    """One log line when the broker is lost, and one when it is back.

    Args:
        url: the broker, for people.
        retry_max_ms: longest wait between attempts.
    """

    def __init__(self, url: str, retry_max_ms: int) -> None:
        self._url = url
        self._retry = Retry(
            _log,
            f"broker {url}",
            f"broker {url}: connected",
            first_ms=_RETRY_MIN_MS,
            longest_ms=retry_max_ms,
        )
        self._is_shaky = False

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

    @property
    def failures(self) -> int:
        """Failed attempts since a session last counted as sound."""
        return self._retry.failures

    def _back(self) -> None:
        if not self.failures:
            _log.info("broker %s: connected", self._url)
        self._retry.succeeded()

    def failed(self, fault: BaseException) -> str:
        """Count a failed attempt or a lost session; why, in words."""
        words = reason(fault)
        self._retry.failed(words)
        return words

    @property
    def pause_s(self) -> float:
        """Wait before the next attempt, seconds; random, so that clients do not come together."""
        return self._retry.pause_s()
