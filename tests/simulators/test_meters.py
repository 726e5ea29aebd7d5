"""The simulated meters on a serial port of this machine, read by the driver."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_config.models.validation import validated
from gateway.drivers.api import NotConnectedError
from gateway.drivers.dlt645 import SPEC
from simulators.line import meters
from simulators.servers.answering import Cutter
from simulators.servers.serving import PortInUseError
from simulators.servers.terminal import Terminal
from tests.drivers.dlt645.test_foreign import values
from tests.simulators.process import COMMAND, PATIENCE_S, simulator


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "line"
    with simulator("meters", "--serial", str(path)) as running:
        assert running.ready == f"ready meters dlt645={path}\n"
        yield path
    assert not path.is_symlink()


async def test_every_meter_answers_for_itself_on_one_port(port: Path) -> None:
    for address in meters():
        written = {"meter": address, "serial": str(port)}
        driver = SPEC.make(validated(SPEC.connection, written))
        await driver.connect()
        try:
            assert await values(driver, "04000402") == [address]
            assert 225 < (await values(driver, "0201FF00[2]"))[0] < 233
        finally:
            await driver.close()


async def test_a_port_that_a_killed_simulator_left_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "line"
    with simulator("meters", "--serial", str(path)) as running:
        running.process.kill()
        running.process.wait(PATIENCE_S)
    assert path.is_symlink()
    driver = SPEC.make(validated(SPEC.connection, {"meter": "1", "serial": str(path)}))
    with pytest.raises(NotConnectedError):
        await driver.connect()
    with simulator("meters", "--serial", str(path)):
        await driver.connect()
        await driver.close()


async def test_what_stands_at_the_path_stays(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    there = Terminal(tmp_path / "thesis.doc", Whole(), bytes)
    with pytest.raises(PortInUseError, match=r"thesis\.doc: File exists"):
        there.__enter__()
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


class Whole(Cutter):
    """All that came is a frame."""

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:
        return [data], b""


def test_other_lines_have_no_serial_port(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "bearing", "--serial", str(tmp_path / "line")],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 2
    assert "--serial is for meters" in done.stderr
