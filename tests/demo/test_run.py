"""The demonstration as its user runs it: real processes, a real browser, books that balance."""

import json
import os
import re
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
import yaml

from gateway.core.books import COUNTERS
from tests.support.chromium import chromium
from tests.support.command import qulink
from tests.support.peers import free_port, missing, program
from tests.support.waiting import SOON_S, wait_until

ENDS_WITHIN_S = 180
WHOLE_RUN_S = 300

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # a whole city starts, on a busy machine


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "demo", *arguments]


def processes() -> list[tuple[int, int, int, str]]:
    """Parent, process group, id and command line of every living process."""
    listed = subprocess.run(
        [program("ps", "procps"), "-A", "-o", "ppid=,pgid=,pid=,stat=,args="],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split(maxsplit=4) for line in listed.stdout.splitlines()]
    return [(int(r[0]), int(r[1]), int(r[2]), r[4]) for r in rows if r[3][0] != "Z"]


def group_of(demo: int) -> int:
    """Process group of a demonstration's children; 0 before it has any.

    A child that has just been forked is still in the group of its parent.
    """
    own = os.getpgid(demo)
    of_demo = (group for parent, group, *_ in processes() if parent == demo)
    return next((group for group in of_demo if group != own), 0)


def members(group: int) -> list[str]:
    return [command for _, their, _, command in processes() if their == group]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=SOON_S) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One run; the tests below look at it while it runs, the last one ends it."""
    folder = tmp_path_factory.mktemp("demo")
    data, report, port = folder / "data", folder / "demo.json", free_port()
    process = subprocess.Popen(
        command("--port", str(port), "--data", str(data), "--report", str(report)),
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    console = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: get(f"{console}/healthz")["status"] == "ok", "healthy city", 240)
        yield {"process": process, "data": data, "report": report, "console": console}
    finally:
        process.kill()
        process.communicate()


async def test_a_line_is_stopped_by_the_button_and_shows_with_its_cause(
    running: dict[str, Any],
) -> None:
    async with chromium() as page:
        await page.goto(running["console"] + "/?lang=en")  # as the README says
        await page.until("location.pathname === '/login'")
        assert await page.barriers() == []
        await page.click("button[value=administrator]")
        await page.until("location.pathname === '/'")
        await page.goto(running["console"] + "/?lang=en")
        text = await page.evaluate("document.body.innerText")
        assert "演示数据" in text
        await page.click("#line-fire")
        await page.until("document.querySelector('#line-fire')?.className === ''")
        # Only of its gateway: what others read too late on a busy machine fills the first page.
        await page.goto(running["console"] + "/gaps?lang=en&gateway=gw-fire")
        rows = "document.querySelector('[data-live=list]').innerText"
        try:
            await page.until(f"{rows}.includes('connection lost')")
        except AssertionError as error:
            error.add_note(f"shown: {await page.evaluate(rows)}")
            raise
        gaps = await page.evaluate("fetch('/gaps?format=json').then(answer => answer.text())")
    assert "gw-fire" in gaps


def test_machines_of_every_driver_are_live_and_a_serial_line_returns(
    running: dict[str, Any],
) -> None:
    data = running["data"]
    wait_until(lambda: states(data, "gw-roller") == {"up"}, "MELSEC and S7 controllers", 120)
    meters = yaml.safe_load((data / "gw-paper.yaml").read_text())["devices"][-3:]
    assert {one["driver"] for one in meters} == {"dlt645"}
    assert {one["connection"]["serial"] for one in meters} == {str(data / "line-meters")}
    names = [one["id"] for one in meters]

    def switch(action: str) -> None:
        assert qulink("demo", action, "meters", "--data", str(data)).returncode == 0

    wait_until(lambda: states(data, "gw-paper", *names) == {"up"}, "meters on one port", 120)
    switch("stop")
    wait_until(lambda: "up" not in states(data, "gw-paper", *names), "lost meters", 120)
    switch("start")
    wait_until(lambda: states(data, "gw-paper", *names) == {"up"}, "meters again", 120)


def states(data: Path, gateway: str, *devices: str) -> set[str]:
    """States of devices of a gateway, or of all that it has."""
    done = qulink("device", "list", str(data / f"{gateway}.yaml"), "--json")
    found = json.loads(done.stdout) if done.returncode == 0 else []
    return {one["state"] for one in found if not devices or one["id"] in devices}


def test_a_second_demonstration_leaves_the_folder_alone(running: dict[str, Any]) -> None:
    said = refused("--data", str(running["data"]), "--port", str(free_port()))
    assert "another demonstration runs in" in said
    assert get(running["console"] + "/healthz")["status"] == "ok"


def test_commands_stop_a_line_and_start_it_again(running: dict[str, Any]) -> None:
    def said(*words: str) -> str:
        done = qulink("demo", *words, "--data", str(running["data"]))
        return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"

    assert said("stop", "fire") == "fire is stopped\n"
    assert "fire           is stopped" in said("lines")
    assert said("start", "fire") == "fire runs\n"
    wrong = said("stop", "fir")
    assert wrong.startswith("exit 1")
    assert "there are: bearing, door, paper, meters, fire, bearing-small, press" in wrong


def test_no_outgoing_connection_is_given_a_port_of_the_demonstration(
    running: dict[str, Any],
) -> None:
    """It would keep a process from its port: a demonstration on a busy machine ended so."""
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    written = "".join(file.read_text() for file in running["data"].glob("*.yaml"))
    ports = {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", written)}
    ports.remove(int(running["console"].rpartition(":")[2]))
    assert len(ports) > 5
    assert max(ports) < int(given[0])


def test_a_city_says_what_listens_where(running: dict[str, Any]) -> None:
    node = yaml.safe_load((running["data"] / "city.yaml").read_text())["node"]["listen"]
    said = (running["data"] / "logs" / "city.log").read_text()
    assert f"console: listening on {running['console']}" in said
    assert f"node: listening on http://{node}" in said


def test_the_report_balances_and_nothing_is_left_behind(running: dict[str, Any]) -> None:
    group = group_of(running["process"].pid)
    # leader, broker, nodes, lines, city with its console and what that computes with, gateways
    wait_until(lambda: len(members(group)) == 1 + 1 + 2 + 7 + 3 + 5, "all of its processes")
    running["process"].send_signal(signal.SIGINT)
    _, said = running["process"].communicate(timeout=ENDS_WITHIN_S)
    assert running["process"].returncode == 0, said
    assert f"qulink demo stop bearing --data {running['data']};" in said
    report = json.loads(running["report"].read_text())
    values = report["values"]
    assert report["balance_ok"]
    assert values["due"] == values["ok"] + values["failed"] + values["skipped"]
    assert values["ok"] == values["suppressed"] + values["buffered"]
    assert values["buffered"] == values["stored"] + values["pending"] + values["dropped"]
    assert values["stored"] > 100
    assert set(COUNTERS) <= values.keys()
    equipment = report["ledger"]["equipment"]
    assert report["identifiers"] == dict.fromkeys(
        ("assigned", "registered", "resolved", "walked"), equipment
    )
    rates = report["rates"]
    assert rates["month"] == time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    assert 46 < rates["pooled"] < 50
    assert rates["pooled"] == round(100 * rates["networked"] / rates["equipment"], 2)
    assert sum(cell["networked"] for cell in rates["by_county"].values()) == rates["networked"]
    assert sum(cell["equipment"] for cell in rates["by_county"].values()) == rates["equipment"]
    assert members(group) == []


ALONE = """
from dataclasses import replace
from gateway.cli import main
from gateway.demo import app
whole = app.load_cast()
app.load_cast = lambda: replace(whole, enterprises=whole.enterprises[:1])
main()
"""
"""The command, with the first enterprise only: every step of a run, with a third of the work."""


def alone(*arguments: str) -> list[str]:
    return [sys.executable, "-c", ALONE, "demo", *arguments]


def test_a_timed_run_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        alone(*quick(tmp_path)), capture_output=True, text=True, check=False, timeout=WHOLE_RUN_S
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["gateways"] == 1
    assert report["seconds"] >= 5
    assert report["balance_ok"]


def refused(*arguments: str) -> str:
    """What a demonstration says that is refused before anything is prepared."""
    done = qulink("demo", *arguments)
    assert done.returncode == 1
    return done.stderr


def failed(*arguments: str) -> str:
    """What a demonstration says that does not start, as a process."""
    done = subprocess.run(
        alone(*arguments), capture_output=True, text=True, check=False, timeout=SOON_S
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_in_use_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("--port", port, "--data", str(tmp_path / "data"))
    assert f"port {port} on 127.0.0.1 is in use" in said
    assert "--port" in said
    assert not (tmp_path / "data").exists()


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    said = refused("--port", str(free_port()), "--data", str(tmp_path))
    assert "choose another with --data" in said
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--report", "/nowhere/demo.json"), "/nowhere/demo.json: No such file or directory"),
        (("--data", "/dev/null"), "/dev/null: Not a directory"),
        (("--broker", "mqtt://127.0.0.1:1"), "no broker answers at mqtt://127.0.0.1:1"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(
    arguments: tuple[str, str], words: str, tmp_path: Path
) -> None:
    assert words in refused(*quick(tmp_path), *arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--broker", "localhost:1883"), "broker.url: must be mqtt://host:port"),
        (("--influx", "http://127.0.0.1:1"), "InfluxDB http://127.0.0.1:1"),
    ],
)
def test_what_is_found_to_be_wrong_later_ends_it(
    arguments: tuple[str, str], words: str, tmp_path: Path
) -> None:
    assert words in failed(*quick(tmp_path), *arguments)


def quick(folder: Path) -> tuple[str, ...]:
    return ("--port", str(free_port()), "--data", str(folder / "data"), "--for", "5")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        missing("permission to mount a tmpfs", "(run the tests as root, or with CAP_SYS_ADMIN)")
    try:
        said = failed("--port", str(free_port()), "--data", str(tmp_path / "data"))
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)
    assert said.endswith(f"database in {tmp_path / 'data'}: database or disk is full\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_however_it_ends_no_process_is_left_behind(number: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        alone("--port", str(free_port()), "--data", str(tmp_path / "data")),
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            group = wait_until(lambda: group_of(process.pid), "children")
            wait_until(lambda: len(members(group)) > 3, "lines")
            process.send_signal(number)
            _, said = process.communicate(timeout=SOON_S)
        finally:
            process.kill()
    wait_until(lambda: not members(group), "all have ended")
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert said.endswith("ended at once; the books were not closed\n")
