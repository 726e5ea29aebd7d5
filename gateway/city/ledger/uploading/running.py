"""Starts the processes of uploads, one at a time, and knows how far they are."""

import asyncio
import logging
import sys
from collections.abc import Callable

import msgspec

from gateway.children import child
from gateway.city.db.hourly import PERIOD_S
from gateway.city.ledger.uploading.kept import Uploads
from gateway.city.ledger.uploading.outcome import Outcome
from gateway.city.ledger.uploading.work import Job, Step, write_job

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "gateway.city.ledger.uploading")
WAITING = Step("queue", 0, 0)
BROKEN = "the process ended before its work did"


async def sweep_hourly(uploads: Uploads, now_ms: Callable[[], int]) -> None:
    """Throw away, until cancelled, what nobody decided on."""
    while True:
        gone = await asyncio.to_thread(uploads.sweep, now_ms())
        if gone:
            log.info("%d uploads of ledgers that nobody imported are thrown away", gone)
        await asyncio.sleep(PERIOD_S)


class Running:
    """What is being done to uploads.

    Args:
        uploads: of the city.
    """

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads
        self._steps: dict[str, Step] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._alone = asyncio.Semaphore(1)

    def step(self, key: str) -> Step | None:
        """How far it is; None: nothing is done to this upload."""
        return self._steps.get(key)

    def start(self, job: Job) -> None:
        """Begin a job; one that runs for the same upload goes on instead."""
        if job.key in self._steps:
            return
        self._steps[job.key] = WAITING
        task = asyncio.create_task(self._do(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, job: Job) -> None:
        try:
            async with self._alone, child(COMMAND, write_job(job), (), answers=True) as process:
                assert process.stdout is not None  # noqa: S101 - a pipe
                while line := await process.stdout.readline():
                    self._steps[job.key] = msgspec.json.decode(line, type=Step)
                code = await process.wait()
            if await asyncio.to_thread(self._uploads.outcome, job.key, job.what) is None:
                log.error("an import ended with exit code %s", code)
                broken = Outcome(job.what, fault=BROKEN)
                await asyncio.to_thread(self._uploads.keep, job.key, broken)
        except OSError:  # the upload was thrown away meanwhile, or no process can be started
            log.exception("an import was not made")
        finally:
            self._steps.pop(job.key, None)
