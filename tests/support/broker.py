"""A real mosquitto on loopback that tests can stop, kill and start again."""

import subprocess
from pathlib import Path

from tests.support.peers import free_port, program, wait_for_port
from tests.support.server import ServerProcess


class Mosquitto(ServerProcess):
    """One mosquitto process; ``extra`` lines go into its configuration."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true") -> None:
        self.folder = folder
        self.port = free_port()
        self._program = program("mosquitto", "mosquitto")
        self._config = folder / f"mosquitto-{self.port}.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{extra}\n", encoding="utf-8")

    @property
    def url(self) -> str:
        """As in a configuration: ``mqtt://127.0.0.1:port``."""
        return f"mqtt://127.0.0.1:{self.port}"

    def extend(self, line: str) -> None:
        """One more line of configuration, from the next start on."""
        with self._config.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port)
        assert self._process.poll() is None, "another server has the port of this mosquitto"
