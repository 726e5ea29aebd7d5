"""The console as a process: it comes back, ends with the city, and says what is wrong."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import altair as alt
import pytest

from gateway.city.console.charts.pictures import VERSION
from tests.support.city_db import begin_migrated
from tests.support.peers import free_port
from tests.support.waiting import SOON_S, wait_until

CITY = """\
city: {{region: "330800", name_zh: 衢州, name_en: Quzhou}}
data_dir: {folder}
broker: {{url: "mqtt://127.0.0.1:{nobody}"}}
identifier: {{prefix: "88.999"}}
console: {{listen: "127.0.0.1:{port}"{more}}}
node: {{type: embedded, listen: "127.0.0.1:{node}"}}
"""


class Running:
    """A city's process."""

    def __init__(self, folder: Path, more: str = "") -> None:
        begin_migrated(folder)
        self.port = free_port()
        self.log = folder / "log"
        file = folder / "city.yaml"
        ports = {"nobody": free_port(), "port": self.port, "node": free_port()}
        text = CITY.format(folder=folder, more=more, **ports)
        file.write_text(text, encoding="utf-8")
        command = (sys.executable, "-m", "gateway", "city", str(file))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stderr=log)

    def parts(self) -> dict[str, str]:
        """What ``/healthz`` says; empty while nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                said = answer.read()
        except HTTPError as error:
            with error:
                said = error.read()
        except OSError:
            return {}
        return dict(json.loads(said)["parts"])

    def console(self) -> int:
        """Process id of the console; 0 while there is none."""
        return child_of(self.process.pid)

    def computing(self) -> int:
        """Process id of the one that computes for the pages, which the first figures start."""
        with urlopen(f"http://127.0.0.1:{self.port}/", timeout=SOON_S):
            return child_of(self.console())

    def served(self) -> bool:
        return self.parts().get("ingest") == "ok"


def child_of(pid: int) -> int:
    """The first child of a process; 0 while there is none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return next((int(one) for one in children.split()), 0)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@contextlib.contextmanager
def run(folder: Path) -> Iterator[Running]:
    running = Running(folder)
    try:
        wait_until(running.served)
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.process.kill()
        running.process.wait(SOON_S)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Running]:
    """One that a test ends."""
    with run(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that tests leave as they found it, with a console."""
    with run(tmp_path_factory.mktemp("lasting")) as running:
        yield running


def test_what_receives_values_knows_no_page_and_a_console_no_chart() -> None:
    code = (
        "import sys, gateway.city.app; print(*sys.modules)\n"
        "import gateway.city.console.process; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=SOON_S
    )
    receiving, showing = (set(line.split()) for line in done.stdout.splitlines())
    assert receiving.isdisjoint({"altair", "vl_convert", "jinja2", "uvicorn"})
    assert "gateway.city.console.charts.trend" in showing
    assert "altair.vegalite" not in showing


def test_charts_are_drawn_by_the_version_that_they_are_written_in() -> None:
    assert alt.SCHEMA_VERSION.startswith(f"v{VERSION}.")


def test_parts_of_the_city_are_seen_through_the_console(lasting: Running) -> None:
    parts = lasting.parts()
    assert parts["broker"] == "broker does not answer"
    assert {name for name, state in parts.items() if state == "ok"} == {
        "console", "ingest", "database", "store", "partitions", "clock",
    }  # fmt: skip
    with urlopen(f"http://127.0.0.1:{lasting.port}/metrics", timeout=SOON_S) as answer:
        text = answer.read().decode()
    assert "qulink_city_broker_connected 0.0" in text
    assert "qulink_console_workers_answering 1.0" in text


def test_a_console_that_dies_is_started_again(lasting: Running) -> None:
    first = lasting.console()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: lasting.console() not in {0, first})
    wait_until(lasting.served)
    log = lasting.log.read_text("utf-8")
    assert log.count("the console ended: exit code -9; trying again") == 1


def test_a_console_does_not_outlive_its_city(city: Running) -> None:
    console, computing = city.console(), wait_until(city.computing)
    city.process.kill()
    city.process.wait(SOON_S)
    wait_until(lambda: is_gone(console) and is_gone(computing))
    assert city.parts() == {}


def test_a_city_takes_its_console_with_it(city: Running) -> None:
    console, computing = city.console(), wait_until(city.computing)
    city.process.send_signal(signal.SIGTERM)
    assert city.process.wait(SOON_S) == 0
    assert is_gone(console)
    # A console that does not end in time is killed; what computes for it ends when it finds so.
    wait_until(lambda: is_gone(computing))
    log = city.log.read_text("utf-8")
    assert "the console ended" not in log
    assert "computes figures ended" not in log
    assert list((city.log.parent / "live").iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (", token: {file: nowhere}", "nowhere: No such file"),
        (", tls: {cert_file: nowhere, key_file: nowhere}", "No such file"),
    ],
)
def test_a_console_that_can_never_start_ends_the_city(tmp_path: Path, more: str, said: str) -> None:
    running = Running(tmp_path, more)
    try:
        assert running.process.wait(SOON_S) == 2
    finally:
        running.process.kill()
    assert said in running.log.read_text("utf-8").splitlines()[-1]
