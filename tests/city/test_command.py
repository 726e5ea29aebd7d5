"""``qulink city`` as a process: what it says and how it ends when something is wrong."""

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.peers import free_port
from tests.support.waiting import wait_until

QULINK = (sys.executable, "-c", "from gateway.cli.main import main; main()")
CITY = """\
city: {{region: "330800", name_zh: 衢州, name_en: Quzhou}}
data_dir: {folder}
broker: {{url: "mqtt://127.0.0.1:{nobody}"}}
identifier: {{prefix: "88.999"}}
console: {{listen: "127.0.0.1:{console}"}}
node: {{type: embedded, listen: "127.0.0.1:{node}"}}
"""


class Written:
    """A city's file with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.console, self.node = free_port(), free_port()
        self.file = folder / "city.yaml"
        text = CITY.format(folder=folder, nobody=free_port(), console=self.console, node=self.node)
        self.file.write_text(text, encoding="utf-8")

    def add(self, line: str) -> None:
        self.file.write_text(f"{self.file.read_text('utf-8')}{line}\n", encoding="utf-8")


@pytest.fixture
def city(tmp_path: Path) -> Written:
    return Written(tmp_path)


def ended(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and what was said last."""
    done = subprocess.run(
        [*QULINK, "city", *arguments], capture_output=True, text=True, timeout=150, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_wrong_configuration_is_1(city: Written) -> None:
    city.add("silence_ms: soon")
    code, said = ended(city.file)
    assert code == 1
    assert said.startswith(f"{city.file}:7: silence_ms: must be a whole number")


def test_a_port_in_use_is_2_and_names_the_key(city: Written) -> None:
    with taken(city.console):
        code, said = ended(city.file)
    assert code == 2
    assert f"qulink city: console: port {city.console} is in use" in said
    assert "'console.listen'" in said
    with taken(city.node):
        code, said = ended(city.file)
    assert code == 2
    assert f"qulink city: node: port {city.node} is in use" in said
    assert "'node.listen'" in said


def test_databases_that_cannot_be_used(city: Written) -> None:
    assert ended("gateway", "list", "-c", city.file) == (0, "")
    with sqlite3.connect(city.folder / "city.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for arguments, expected in (((city.file,), 2), (("gateway", "list", "-c", city.file), 1)):
        code, said = ended(*arguments)
        assert code == expected
        assert "city.db was written by a newer qulink" in said
        assert "update qulink" in said
    city.add(f"database: {{url: 'postgresql://x@127.0.0.1:{free_port()}/x'}}")
    code, said = ended(city.file)
    assert code == 2
    assert "qulink city: the city's database postgresql" in said
    assert "Connection refused" in said


def test_files_of_the_node_and_of_definitions_that_cannot_be_used(city: Written) -> None:
    (city.folder / "node-credentials.json").write_text("x")
    code, said = ended(city.file)
    assert code == 2
    assert "node-credentials.json holds no credentials; restore it" in said
    city.add("definitions: {file: nowhere.yaml}")
    code, said = ended(city.file)
    assert code == 2
    assert "nowhere.yaml: cannot be read: No such file or directory" in said


def test_without_broker_and_store_it_waits_and_says_so(city: Written) -> None:
    city.add(f"store: {{type: influxdb1, url: 'http://127.0.0.1:{free_port()}', database: x}}")
    running = subprocess.Popen([*QULINK, "city", city.file], stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: _unwell(city.console), "a health page that says what is away")
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 0
    assert said.count("Connection refused; trying again") == 1
    assert said.count("the store refuses, nothing is acknowledged: InfluxDB http") == 1


def _unwell(port: int) -> bool:
    """Whether the health page says that broker and store are away."""
    try:
        urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
    except HTTPError as error:
        with error:
            said = error.read().decode()
        return "broker does not answer" in said and "InfluxDB" in said
    except OSError:
        return False
    return False


def test_several_workers_on_sqlite_are_refused(city: Written) -> None:
    code, said = ended(city.file, "--worker")
    assert code == 1
    assert said == (
        f"qulink city: {city.file}: several workers need PostgreSQL; set 'database.url' to one\n"
    )
    assert not (city.folder / "city.db").exists()
