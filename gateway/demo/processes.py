"""Child processes of the demonstration: start, wait until ready, stop, leave none behind."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

_LAST_LINES = 15
_POLL_S = 0.05


class ProcessFailedError(Exception):
    """A process ended or did not become ready; the message holds the end of its log."""


@dataclass(slots=True)
class Child:
    """One process with its log file.

    Attributes:
        name: for messages and the log's name.
        command: program and arguments.
        log: file that takes its output.
        process: the running process, None while stopped.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    process: asyncio.subprocess.Process | None = field(default=None)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the demonstration."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, stdout=log, stderr=log, start_new_session=True
            )

    async def wait_for_port(self, port: int, timeout_s: float = 30.0) -> None:
        """Wait until somebody listens on a loopback port.

        Raises:
            ProcessFailedError: the process ended first, or the time is over.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not await _listens(port):
                    self.check()
                    await asyncio.sleep(_POLL_S)
                return
        raise ProcessFailedError(
            f"{self.name} does not listen on port {port} after {timeout_s:g} s\n{self.tail()}"
        )

    def check(self) -> None:
        """Make sure that it lives.

        Raises:
            ProcessFailedError: it ended.
        """
        if not self.running:
            code = self.process.returncode if self.process else None
            raise ProcessFailedError(f"{self.name} ended with code {code}\n{self.tail()}")

    def tail(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])

    async def stop(self, timeout_s: float = 5.0) -> int:
        """Ask it to end, kill it when it does not; harmless when it does not run.

        Returns:
            Its exit code.
        """
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(timeout_s):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def qulink(*arguments: str) -> tuple[str, ...]:
    """The command line that runs ``qulink`` with this interpreter."""
    return (sys.executable, "-m", "gateway", *arguments)
