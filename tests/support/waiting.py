"""Waiting for what comes when it comes: no test depends on an idle machine."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

SOON_S = 120.0
"""Long after any machine, however busy, should be there."""
_REST = 9
"""After a look, nobody looks for so many times as long as it took."""


async def until(
    condition: Callable[[], object | Awaitable[object]], timeout_s: float = SOON_S
) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(timeout_s):
        while True:
            began_s = time.monotonic()
            found = condition()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(_pause_s(began_s))


def _pause_s(began_s: float) -> float:
    """How long not to look again: a page that is fetched all the time is most of a test's work."""
    return min(max(0.01, _REST * (time.monotonic() - began_s)), 0.1)


def wait_until(condition: Callable[[], T], what: str = "", timeout_s: float = SOON_S) -> T:
    """Block until a condition holds that another process makes true, and return what it found.

    Args:
        condition: while it raises what a process that is still starting causes, it does not hold.
        what: is waited for.
        timeout_s: for how long.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if found := condition():
                return found
        time.sleep(0.05)
    raise TimeoutError(what)
