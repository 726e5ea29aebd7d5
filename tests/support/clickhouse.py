"""A ClickHouse that answers HTTP: its engine in a process of its own, of ``make foreign-peers``."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_config.models.base import Secret
from edge_config.models.counting import ClickHouseEngine
from gateway.city.rates.engines.clickhouse import ClickHouse
from tests.support.peers import FOREIGN, missing

PASSWORD = "geheim"
SERVER = FOREIGN / "chdb" / "clickhouse_server.py"


@contextmanager
def clickhouse_server(folder: Path) -> Iterator[ClickHouseEngine]:
    """The configuration of a city that uses it."""
    python = Path(sys.prefix) / "chdb" / "bin" / "python"
    if not python.exists():
        missing("ClickHouse (chdb)", "make foreign-peers")
    secret = folder / "password"
    secret.write_text(PASSWORD)
    command = [python, SERVER, folder / "data", PASSWORD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "it did not start"
        yield ClickHouseEngine(
            type="clickhouse", url=f"http://127.0.0.1:{port}", password=Secret(file=secret)
        )
        process.kill()


@contextmanager
def clickhouse_store(folder: Path) -> Iterator[ClickHouse]:
    """It with a client."""
    with clickhouse_server(folder) as config:
        store = ClickHouse(config)
        yield store
        store.close()
