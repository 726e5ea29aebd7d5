"""What all servers that tests start have in common: one process, stopped whatever happens."""

import signal
import subprocess
from types import TracebackType
from typing import Self


class ServerProcess:
    """A server with ``start``; as a context it runs inside the ``with`` and not after it."""

    stop_signal = signal.SIGTERM
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        raise NotImplementedError

    def stop(self, *, kill: bool = False) -> None:
        """Stop it, or kill -9 it; harmless when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGKILL if kill else self.stop_signal)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)

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
