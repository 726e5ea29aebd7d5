"""Processes that are killed and come back, as a service manager brings them back."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.waiting import until

BACK_AFTER_S = 0.3
"""A service manager waits so long before it starts again what has ended."""


class Part:
    """One process of the plant.

    Args:
        name: in findings and as name of its log.
        command: what runs.
        folder: for its log.
        environment: added to this process's.

    Attributes:
        ended: how it ended when nobody had ended it.
        on_start: is called with the process id at each start.
        is_to_end: its end has been prepared: it is no surprise, and :meth:`gone` waits for it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.command = name, list(command)
        self.log = folder / f"{name}.log"
        self.environment = dict(environment or {})
        self.ended: list[str] = []
        self.is_to_end = False
        self.on_start: Callable[[int], None] = lambda _pid: None
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: list[int] = []

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; harmless while it runs."""
        if self.is_running:
            return
        environment = os.environ | self.environment
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._sessions.append(self._process.pid)
        self.on_start(self._process.pid)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        await self._end(signal.SIGKILL)

    def freeze(self, *, is_frozen: bool) -> None:
        """Let it stand still, as a virtual machine that is paused, or go on."""
        if self.is_running and self._process is not None:
            self._process.send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    async def stop(self, patience_s: float = 90.0) -> int:
        """SIGTERM; the exit code.

        Raises:
            TimeoutError: it does not end.
        """
        return await self._end(signal.SIGTERM, patience_s)

    async def _end(self, number: int, patience_s: float = 90.0) -> int:
        process, self._process, self.is_to_end = self._process, None, False
        if process is None:
            return 0
        with suppress(ProcessLookupError):
            process.send_signal(number)
        await until(lambda: process.poll() is not None, patience_s)
        return int(process.returncode)

    async def gone(self, patience_s: float) -> bool:
        """Wait until it has been killed by what was prepared for it; whether it was in time."""
        try:
            await until(lambda: not self.is_running, patience_s)
        except TimeoutError:
            return False
        self._process, self.is_to_end = None, False
        return True

    async def keep_running(self) -> None:
        """Start it again whenever it ends by itself, and remember that it did."""
        while True:
            await asyncio.sleep(BACK_AFTER_S)
            process = self._process
            if process is not None and process.poll() is not None and not self.is_to_end:
                self.ended.append(f"{self.name} ended by itself with {process.returncode}")
                self.start()

    def clean_up(self) -> None:
        """End all that it has ever started, and what those have started."""
        for session in self._sessions:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(session, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)
