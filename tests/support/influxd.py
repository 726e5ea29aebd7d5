"""A real InfluxDB 1.x on loopback, in a folder of its own."""

import subprocess
from itertools import count
from pathlib import Path

import httpx

from tests.support.peers import free_port, program, wait_for_port
from tests.support.server import ServerProcess


class Influxd(ServerProcess):
    """One server with a database ``qulink``; with ``auth`` there is a user admin/secret."""

    def __init__(self, folder: Path, *, auth: bool = False) -> None:
        self._program = program("influxd", "influxdb")
        self._folder = folder / "influxd"
        self._auth = auth
        self._numbers = count(1)
        self.port = free_port()

    @property
    def url(self) -> str:
        """As in a configuration."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, wait until it listens, make user and database."""
        self._folder.mkdir(exist_ok=True)
        config = self._folder / "influxdb.conf"
        config.write_text(self._text(), encoding="utf-8")
        self._process = subprocess.Popen(
            [self._program, "-config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)
        if self._auth:
            self.query("CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
        self.query("CREATE DATABASE qulink")

    def database(self) -> str:
        """Make an empty database beside ``qulink``; returns its name."""
        made = f"own{next(self._numbers)}"
        self.query(f"CREATE DATABASE {made}")
        return made

    def _text(self) -> str:
        return f"""
reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
  dir = "{self._folder}/meta"
[data]
  dir = "{self._folder}/data"
  wal-dir = "{self._folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{self.port}"
  log-enabled = false
  auth-enabled = {str(self._auth).lower()}
"""

    def query(self, text: str) -> None:
        """Run a statement as the administrator."""
        auth = ("admin", "secret") if self._auth and "CREATE USER admin" not in text else None
        httpx.post(
            f"{self.url}/query", params={"q": text}, auth=auth, timeout=20, trust_env=False
        ).raise_for_status()
