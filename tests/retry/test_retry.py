"""One line when a fault begins, one when it ends, pauses that grow; nothing else is swallowed."""

import asyncio
import logging

import pytest

from gateway.retry import LONGEST_WISH_S, Retry

log = logging.getLogger("tests.retry")


class BusyError(Exception):
    """Try again later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Script:
    """Fails as it is told, then succeeds; keeps the pauses."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.pauses: list[float] = []

    async def work(self) -> str:
        if self._faults:
            raise self._faults.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def retry(self, spread: float = 1.0) -> Retry:
        return Retry(
            log,
            "the store is away",
            "the store is back",
            first_ms=100,
            longest_ms=400,
            sleep=self.sleep,
            spread=lambda: spread,
        )


async def test_the_pauses_double_up_to_the_longest() -> None:
    script = Script(*(BusyError("busy") for _ in range(5)))
    assert await script.retry().until_done(script.work, BusyError) == "done"
    assert script.pauses == [0.1, 0.2, 0.4, 0.4, 0.4]


async def test_a_pause_is_spread_over_its_second_half() -> None:
    script = Script(BusyError("busy"))
    await script.retry(spread=0.0).until_done(script.work, BusyError)
    assert script.pauses == [0.05]


async def test_a_server_that_asks_for_time_gets_it_within_reason() -> None:
    script = Script(BusyError("busy", 7.0), BusyError("busy", 86_400.0))
    await script.retry().until_done(script.work, BusyError)
    assert script.pauses == [7.0, LONGEST_WISH_S]


async def test_each_cause_is_logged_once_and_so_is_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    script = Script(*map(BusyError, ("busy", "busy", "disk full", "busy")))
    await script.retry().until_done(script.work, BusyError)
    assert caplog.messages == [
        "the store is away: busy; trying again",
        "the store is away: disk full; trying again",
        "the store is back after 4 failed attempts",
    ]


async def test_a_server_with_ever_new_words_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(*(BusyError(f"request {number}") for number in range(50)))
    await script.retry().until_done(script.work, BusyError)
    assert len(caplog.messages) < 10


async def test_a_further_fault_begins_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    script = Script(BusyError("busy"))
    retry = script.retry()
    await retry.until_done(script.work, BusyError)
    retry.failed("busy")
    assert len(caplog.messages) == 2
    assert retry.pause_s() == 0.1


async def test_other_errors_and_cancellation_pass_through() -> None:
    script = Script(ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        await script.retry().until_done(script.work, BusyError)
    waits = asyncio.Event()

    async def wait(_seconds: float) -> None:
        waits.set()
        await asyncio.Event().wait()

    slow = Retry(log, "away", "back", sleep=wait)
    task = asyncio.create_task(slow.until_done(Script(BusyError("busy")).work, BusyError))
    await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
