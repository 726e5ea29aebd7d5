"""Wakes the devices of an edge at their ticks: all that wait for one tick by one timer."""

import asyncio

from gateway.edge.device.clock import Clock

LONGEST_SLEEP_MS = 1_000
"""The timer is never set further ahead, so that a clock that is set ahead is noticed."""


class Alarms:
    """Lets devices wait for a time of a clock that may step.

    Args:
        clock: the gateway's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms = 0

    async def wait(self, tick_ms: int) -> None:
        """Wait until the clock shows a time, or has been set: look again at what is due.

        Args:
            tick_ms: UTC milliseconds.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tick_ms, []).append(future)
        if self._timer is None or tick_ms < self._timer_ms:
            self._set()
        await future

    async def wait_for_company(self, slot_ms: int) -> None:
        """Wait for the end of the slot that runs, to do one's work together with others.

        Args:
            slot_ms: width of the slots; 0: do not wait.
        """
        if slot_ms:
            await self.wait((self._clock.now_ms() // slot_ms + 1) * slot_ms)

    def wake_all(self) -> None:
        """The clock has leapt: let everybody look again; to be called once the books know of it."""
        self._wake(list(self._waiting))

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ms = min(self._waiting)
        wait_ms = min(max(self._timer_ms - self._clock.now_ms(), 0), LONGEST_SLEEP_MS)
        self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, self._ring)

    def _ring(self) -> None:
        now_ms = self._clock.now_ms()
        self._wake([tick_ms for tick_ms in self._waiting if tick_ms <= now_ms])
        self._timer = None
        if self._waiting:
            self._set()

    def _wake(self, ticks: list[int]) -> None:
        for tick_ms in ticks:
            for future in self._waiting.pop(tick_ms):
                if not future.done():  # else its device was stopped
                    future.set_result(None)
