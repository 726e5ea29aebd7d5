"""Child processes of the demonstration: start, wait until ready, stop, leave none behind."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

_LAST_LINES = 15
_POLL_S = 0.05
_READY_S = 180.0
_STOP_S = 5.0
_LEADER = 'trap "" HUP INT TERM; read -r _; kill -TERM 0; sleep 3; kill -KILL 0'
"""Waits for the end of its standard input, then ends its process group."""


class ProcessFailedError(Exception):
    """A process ended or did not become ready; the message holds the end of its log."""


@dataclass(slots=True)
class ProcessGroup:
    """The processes of a run, which end together."""

    leader: Process
    _members: list[Process] = field(default_factory=list, init=False)

    async def spawn(self, command: tuple[str, ...], log: Path) -> Process:
        """Start a process whose output goes to a file."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=self.leader.pid,
            )
        self._members.append(process)
        return process

    async def kill(self) -> None:
        """End all of them at once, and wait until they have ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.leader.pid, signal.SIGKILL)
        for process in (self.leader, *self._members):
            await process.wait()


@dataclass(slots=True)
class Child:
    """One process with its log file.

    Attributes:
        name: for messages and the log's name.
        command: program and arguments.
        log: file that takes its output.
        group: the processes that it joins.
        port: loopback port on which it listens when it is ready, or serial port that it makes;
            None: it is ready at once.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    group: ProcessGroup
    port: int | Path | None = None
    _process: Process | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            ProcessFailedError: it ended first, or does not listen in time.
        """
        await self.spawn()
        try:
            async with asyncio.timeout(_READY_S):
                while self.port is not None and not await _listens(self.port):
                    self.check()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            late = f"does not listen on port {self.port} after {_READY_S:g} s"
            raise ProcessFailedError(f"{self.name} {late}\n{self._tail()}") from None

    async def spawn(self) -> None:
        """Start it and wait for nothing; harmless while it runs."""
        async with self._lock:
            if self.running:
                return
            self._process = await self.group.spawn(self.command, self.log)

    def check(self) -> None:
        """Make sure that it lives.

        Raises:
            ProcessFailedError: it ended.
        """
        if not self.running:
            code = self._process.returncode if self._process else None
            raise ProcessFailedError(f"{self.name} ended with code {code}\n{self._tail()}")

    def _tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])

    async def stop(self, timeout_s: float = _STOP_S) -> None:
        """Ask it to end, kill it when it does not; harmless when it does not run."""
        async with self._lock:
            if self._process is None or not self.running:
                return
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
                try:
                    async with asyncio.timeout(timeout_s):
                        await self._process.wait()
                except TimeoutError:
                    self._process.kill()
                    await self._process.wait()


def _is_there(file: Path) -> bool:
    return file.exists()


async def _listens(port: int | Path) -> bool:
    if isinstance(port, Path):
        return _is_there(port)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


@asynccontextmanager
async def process_group() -> AsyncIterator[ProcessGroup]:
    """A group of processes that ends with the block, and with this process however that ends.

    A shell leads the group and holds the read end of a pipe from this process. When the pipe
    closes – after a kill -9, too – it ends the group. Ctrl-C in the terminal does not reach it.
    """
    leader = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", _LEADER, stdin=asyncio.subprocess.PIPE, process_group=0
    )
    group = ProcessGroup(leader)
    try:
        yield group
    finally:
        await group.kill()


def qulink(*arguments: str) -> tuple[str, ...]:
    """The command line that runs ``qulink`` with this interpreter."""
    return (sys.executable, "-m", "gateway", *arguments)
