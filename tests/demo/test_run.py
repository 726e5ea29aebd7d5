"""The demonstration as its user runs it: real processes, a real browser, books that balance."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.core.books import COUNTERS
from tests.support.chromium import chromium
from tests.support.peers import free_port

RUN_S = 25


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "demo", *arguments]


def children_of(folder: Path) -> list[str]:
    """Command lines of living processes that belong to a run."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(folder) in line and entry.name.isdigit():
                found.append(line)
    return found


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())


def until(what: str, condition: Any, timeout_s: float = 30.0) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if found := condition():
                return found
        time.sleep(0.1)
    raise TimeoutError(what)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One timed run; the tests below look at it while it runs, the last one at its report."""
    folder = tmp_path_factory.mktemp("demo")
    data, report, port = folder / "data", folder / "demo.json", free_port()
    process = subprocess.Popen(
        command("--for", str(RUN_S), "--port", str(port), "--data", str(data),
                "--report", str(report)),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    console = f"http://127.0.0.1:{port}"
    try:
        until("healthy city", lambda: get(f"{console}/healthz")["status"] == "ok")
        yield {"process": process, "data": data, "report": report, "console": console}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=40)


async def test_a_line_is_stopped_by_the_button_and_shows_with_its_cause(
    running: dict[str, Any],
) -> None:
    async with chromium() as page:
        await page.goto(running["console"] + "/?lang=en")
        text = await page.evaluate("document.body.innerText")
        assert "演示数据" in text
        await page.click("#line-fire")
        shown = "document.querySelector('[data-live=gaps]').innerText.includes('connection lost')"
        assert await page.until(shown, 15)
    gaps = get(running["console"] + "/gaps?format=json")
    assert "gw-fire" in json.dumps(gaps)


def test_the_command_starts_the_line_again(running: dict[str, Any]) -> None:
    data = str(running["data"])
    listed = subprocess.run(
        command("lines", "--data", data), capture_output=True, text=True, check=True
    )
    assert "fire         is stopped" in listed.stdout
    done = subprocess.run(
        command("start", "fire", "--data", data), capture_output=True, text=True, check=True
    )
    assert done.stdout == "fire runs\n"
    wrong = subprocess.run(
        command("stop", "fir", "--data", data), capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 1
    assert "there are: bearing, door, paper, fire" in wrong.stderr


@pytest.mark.timeout(120)
def test_the_report_balances_and_nothing_is_left_behind(running: dict[str, Any]) -> None:
    _, said = running["process"].communicate(timeout=RUN_S + 40)
    assert running["process"].returncode == 0, said
    report = json.loads(running["report"].read_text())
    values = report["values"]
    assert report["balance_ok"]
    assert values["due"] == values["ok"] + values["failed"] + values["skipped"]
    assert values["ok"] == values["suppressed"] + values["buffered"]
    assert values["buffered"] == values["stored"] + values["pending"] + values["dropped"]
    assert values["stored"] > 1000
    assert set(COUNTERS) <= values.keys()
    equipment = report["ledger"]["equipment"]
    assert report["identifiers"] == dict.fromkeys(("assigned", "registered", "resolved"), equipment)
    rates = report["rates"]
    assert rates["month"] == time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    assert 46 < rates["pooled"] < 50
    assert rates["pooled"] == round(100 * rates["networked"] / rates["equipment"], 2)
    assert sum(cell["networked"] for cell in rates["by_county"].values()) == rates["networked"]
    assert sum(cell["equipment"] for cell in rates["by_county"].values()) == rates["equipment"]
    assert children_of(running["data"]) == []


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            command("--port", port, "--data", str(tmp_path / "data")),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    done = subprocess.run(
        command("--port", str(free_port()), "--data", str(tmp_path)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "choose another with --data" in done.stderr
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        command("--port", str(free_port()), "--data", str(data)),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    until("children", lambda: len(children_of(data)) > 3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=50)
    assert children_of(data) == []
