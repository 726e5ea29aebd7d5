"""Whether a device is up: from its first answer until its session is lost."""

import asyncio
import random
from collections.abc import Callable

from gateway.core.schedule import backoff_ms
from gateway.core.status import Reason
from gateway.edge.device.bookkeeping.bookkeeper import Bookkeeper
from gateway.edge.device.model import DeviceModel
from gateway.edge.device.standing.faults import Fault, Loss
from gateway.edge.device.standing.reports import Reports
from gateway.edge.live.view import DeviceRecord, Live


class Standing:
    """Tells books, live view and log when a device is lost and when it is back.

    Args:
        model: the device.
        books: its own.
        reports: its lines in the log.
        live: is told of its link.
        record: its failures are counted here.
        now_ms: the gateway's clock.

    Attributes:
        is_up: it has answered since its last loss; a connection is not enough.
    """

    def __init__(
        self,
        model: DeviceModel,
        books: Bookkeeper,
        reports: Reports,
        live: Live,
        record: DeviceRecord,
        now_ms: Callable[[], int],
    ) -> None:
        self.is_up = False
        self._model = model
        self._books = books
        self._reports = reports
        self._live = live
        self._record = record
        self._now_ms = now_ms

    def lost(self, loss: Loss) -> None:
        """Its session, or an attempt at one, has ended."""
        now_ms = self._now_ms()
        if self.is_up:  # further attempts would push out what led to it
            self._record.frames.fault()
        self.is_up = False
        self._record.failures += 1
        self._record.failures_in_row += 1
        self._books.lost(loss.cause, now_ms)
        self._record.fault = loss.fault
        self._live.set_link(self._model.id, "down", now_ms, loss.cause, loss.detail)
        self._reports.lost(loss.cause, loss.detail, _seconds())

    def stopped(self) -> None:
        """It was told to stop: from now on its ticks are skipped."""
        now_ms = self._now_ms()
        self.is_up = False
        self._books.lost(Reason.STOPPED, now_ms)
        self._record.retry_ms = 0
        self._record.fault = Fault.STOPPED
        self._live.set_link(self._model.id, "down", now_ms, Reason.STOPPED)

    def serves(self, time_ms: int) -> None:
        """Values come, from ``time_ms`` on if they did not before."""
        self._reports.serves(_seconds())
        if self.is_up:
            return
        self.is_up = True
        self._record.failures_in_row = self._record.retry_ms = 0
        self._books.back(time_ms)
        self._record.fault = Fault.NONE
        self._live.set_link(self._model.id, "up", self._now_ms())

    def pause_ms(self, cause: Reason) -> int:
        """How long to leave it alone now, milliseconds; it grows with the failures in a row."""
        config = self._model.config
        longest = max(config.retry_min_ms, config.retry_max_ms)
        # Who is refused is refused again until a person changes something.
        first = longest if cause is Reason.REFUSED else config.retry_min_ms
        chance = random.random()  # noqa: S311 - jitter
        pause_ms = backoff_ms(self._record.failures_in_row, first, longest, chance)
        self._record.retry_ms = self._now_ms() + pause_ms
        return pause_ms


def _seconds() -> float:
    return asyncio.get_running_loop().time()
