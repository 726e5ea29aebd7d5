"""A whole gateway and units behind serial servers, all of them processes. Counts judge."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from gateway.core.books import Counts
from gateway.edge.buffer.buffer import read_books
from tests.edge.plant import USCC
from tests.support.peers import free_port
from tests.support.serial_server import SerialServerProcess
from tests.support.waiting import until

pytestmark = pytest.mark.long

FRAMINGS = pytest.mark.parametrize("is_rtu", [False, True], ids=["tcp", "rtu"])
UNITS = 30
BUSY = "gateway_link_busy_seconds_total{"


class Gateway:
    """A gateway whose devices are the units 1 … of one serial server."""

    def __init__(
        self,
        folder: Path,
        server: SerialServerProcess,
        *,
        is_rtu: bool,
        units: int = UNITS,
        interval_ms: int = 1_000,
        **connection: Any,
    ) -> None:
        self.log = folder / "log"
        self.config = folder / "gateway.yaml"
        self._buffer = folder / "b.db"
        self._console = free_port()
        at = {"host": "127.0.0.1", "port": server.port, "framing": "rtu" if is_rtu else "tcp"}
        tags = [{"name": "number", "address": "holding:0"}]
        groups = [{"name": "g", "interval_ms": interval_ms, "tags": tags}]
        profile = {"name": "meter", "driver": "modbus", "source": "sensor", "groups": groups}
        devices = [
            {
                "id": f"u{unit}",
                "driver": "modbus",
                "profile": "meter",
                "asset_no": f"M-{unit}",
                "timeout_ms": 10_000,
                "retry_max_ms": 2_000,
                "connection": {**at, "unit": unit, **connection},
            }
            for unit in range(1, units + 1)
        ]
        document = {
            "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [profile],
            "devices": devices,
            "buffer": {"path": str(self._buffer), "commit_interval_ms": 100},
            "console": {"listen": f"127.0.0.1:{self._console}"},
        }
        self.config.write_text(yaml.safe_dump(document), encoding="utf-8")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """It runs until the end of the block, and its books balance then."""
        command = [sys.executable, "-m", "gateway", "run", str(self.config)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
        assert self.books().balanced

    def books(self) -> Counts:
        """What it has committed."""
        return read_books(self._buffer).totals

    def failures(self, unit: int) -> int:
        """How often a unit was lost, each time with a back-off after it."""
        return int(self.metric(f'gateway_polls_failed_total{{device="u{unit}"}}'))

    def metric(self, name: str) -> float:
        """What the gateway says of itself now."""
        with urlopen(f"http://127.0.0.1:{self._console}/metrics", timeout=20) as answer:
            text = answer.read().decode()
        (found,) = re.findall(rf"^{re.escape(name)}.* (\S+)$", text, re.MULTILINE)
        return float(found)

    def lost(self) -> set[str]:
        """The devices that were ever lost, by the log."""
        return set(re.findall(r"device (u\d+) at \S+ is lost", self.log.read_text()))


def asked(server: SerialServerProcess, units: int = UNITS, but: int = 0) -> list[int]:
    """How often each unit was asked, in ascending order of that; one is left out."""
    seen = server.seen()["asked"]
    return sorted(seen.get(unit, 0) for unit in range(1, units + 1) if unit != but)


@FRAMINGS
@pytest.mark.parametrize("excess", ["close", "hang", "replace"])
async def test_thirty_units_are_read_behind_a_server_that_takes_eight_connections(
    tmp_path: Path, excess: str, is_rtu: bool
) -> None:
    """The gateway is allowed sixteen, and has more to read than eight at once."""
    with SerialServerProcess(most=8, excess=excess, is_rtu=is_rtu, answer_s=0.01) as server:
        gateway = Gateway(tmp_path, server, is_rtu=is_rtu, interval_ms=250, connections=16)
        with gateway.running():
            await until(lambda: asked(server)[0] >= 10, 120)
            seen = server.seen()
            assert gateway.metric("gateway_link_turns{") == 8
    assert (seen["turned_away"], seen["accepted"]) == (1, 9 if excess == "replace" else 8)
    assert gateway.lost() == set()


@FRAMINGS
async def test_a_bus_with_more_to_read_than_it_can_carry_is_used_to_the_full_and_fairly(
    tmp_path: Path, is_rtu: bool
) -> None:
    """Forty units of 30 ms a second: somebody always has the turn, and asks at once.

    A busy machine makes each turn longer, and lets some wait for the processor before they ask;
    but it takes nobody's turn away, and does not keep every single one waiting.
    """
    units, answer_s = 40, 0.03
    with SerialServerProcess(is_rtu=is_rtu, answer_s=answer_s) as server:
        gateway = Gateway(tmp_path, server, is_rtu=is_rtu, units=units)
        with gateway.running():
            await until(lambda: asked(server, units)[0] >= 1, 60)
            busy_s, began_s = gateway.metric(BUSY), time.monotonic()
            await until(lambda: asked(server, units)[0] >= 10, 120)
            passed_s = time.monotonic() - began_s
            busy_s = gateway.metric(BUSY) - busy_s
            counts = asked(server, units)
            seen = server.seen()
    assert busy_s >= 0.98 * passed_s
    assert seen["shortest_s"] <= answer_s / 10
    assert counts[-1] <= 2 * counts[0]
    assert (seen["accepted"], seen["turned_away"]) == (1, 0)
    assert gateway.lost() == set()
    books = gateway.books()
    assert books.skipped > 0
    assert books.failed == 0


@FRAMINGS
@pytest.mark.parametrize("dies_after", [0, 3])
async def test_a_dead_unit_costs_the_others_one_time_out_a_back_off_and_no_connection(
    tmp_path: Path, is_rtu: bool, dies_after: int
) -> None:
    dead = 5
    bus = {"dead": [dead], "dies_after": dies_after, "is_rtu": is_rtu, "answer_s": 0.005}
    with SerialServerProcess(**bus) as server:
        gateway = Gateway(tmp_path, server, is_rtu=is_rtu, request_timeout_ms=2_000)
        with gateway.running():
            await until(lambda: server.seen()["asked"].get(dead, 0) >= dies_after + 4, 120)
            await until(lambda: asked(server, but=dead)[0] >= 10, 60)
            seen, failures = server.seen(), gateway.failures(dead)
    # It is asked once more, at once, when it was answered before, and may be asked just now.
    spare = 1 + bool(dies_after)
    assert dies_after <= seen["asked"][dead] <= dies_after + failures + spare
    assert seen["accepted"] == 1
    assert gateway.lost() == {f"u{dead}"}


@FRAMINGS
async def test_every_unit_is_back_after_a_restart_of_the_server_without_a_storm(
    tmp_path: Path, is_rtu: bool
) -> None:
    with SerialServerProcess(is_rtu=is_rtu, most=1, answer_s=0.005) as server:
        gateway = Gateway(tmp_path, server, is_rtu=is_rtu)
        with gateway.running():
            await until(lambda: asked(server)[0] >= 2, 60)
            server.stop(kill=True)
            await until(lambda: gateway.failures(1) >= 2, 60)
            server.start()
            await until(lambda: asked(server)[0] >= 3, 60)
            seen = server.seen()
    assert (seen["accepted"], seen["turned_away"]) == (1, 0)
