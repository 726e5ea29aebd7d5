"""What all servers that tests start have in common: they run inside a ``with`` and not after it."""

import signal
import subprocess
from types import TracebackType
from typing import Any, Self


class Server:
    """Something that listens between ``start`` and ``stop``."""

    def start(self) -> None:
        """Start it and wait until it listens."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it; harmless when it does not run."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class ServerProcess(Server):
    """A server that is a process; ``start`` of a subclass sets ``_process``."""

    stop_signal = signal.SIGTERM
    _process: subprocess.Popen[Any] | None = None

    def stop(self, *, kill: bool = False) -> None:
        """Stop it, or kill -9 it; harmless when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else self.stop_signal)
        try:
            process.communicate(timeout=20)  # waits, and closes its pipes
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate(timeout=10)
