"""A real PostgreSQL on loopback, in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tests.support.peers import free_port, program, wait_for_port
from tests.support.server import ServerProcess

READY_S = 60.0
PLACES = tuple(f"/usr/lib/postgresql/{version}/bin" for version in (18, 17, 16, 15, 14, 13))


class Postgres(ServerProcess):
    """One server with an empty database ``qulink``; durability is off, it lives for a test."""

    stop_signal = signal.SIGQUIT
    """At once, without waiting for sessions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "postgres"
        self._server = program("postgres", "postgresql", *PLACES)
        self._initdb = program("initdb", "postgresql", *PLACES)
        self.port = free_port()

    @property
    def url(self) -> str:
        """As in a configuration."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make the cluster if it is not there, start it and wait until it listens."""
        if not self._folder.exists():
            self._make()
        self._process = subprocess.Popen(
            self._as_user(
                self._server, "-D", str(self._folder / "data"), "-p", str(self.port),
                "-h", "127.0.0.1", "-k", "", "-F", "-c", "shared_buffers=16MB",
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )  # fmt: skip
        wait_for_port(self.port)
        self._wait_until_ready()

    def _make(self) -> None:
        self._folder.mkdir(mode=0o755)
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(self._folder, "postgres")
            for parent in self._folder.parents[:4]:
                if parent.name.startswith(("pytest-", "test_")) or parent.stat().st_mode & 1 == 0:
                    parent.chmod(parent.stat().st_mode | 0o011)
        data = str(self._folder / "data")
        subprocess.run(
            self._as_user(
                self._initdb, "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ),
            check=True,
            capture_output=True,
            cwd="/",
        )  # fmt: skip

    def _wait_until_ready(self) -> None:
        """It listens before it has recovered, and refuses until then."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def _as_user(self, *command: str) -> list[str]:
        if os.geteuid() != 0:
            return list(command)
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]


class SharedPostgres:
    """The server of this test process, begun with the first test that needs one.

    To make one, and in it what cities are copied from, is seconds of work: each folder of tests
    had its own in each process. Tests make databases of other names.
    """

    def __init__(self) -> None:
        self._server: Postgres | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def running(self) -> Postgres:
        """The server, which runs; below no folder of pytest, which closes those to other users."""
        if self._server is None:
            self._folder = tempfile.TemporaryDirectory(prefix="qulink-", ignore_cleanup_errors=True)
            self._server = Postgres(Path(self._folder.name))
            self._server.start()
        return self._server

    def close(self) -> None:
        """End it; nothing of it remains."""
        if self._server is not None and self._folder is not None:
            self._server.stop()
            self._folder.cleanup()
            self._server = self._folder = None


POSTGRES = SharedPostgres()
