"""The control socket of the real ``qulink run``, its command line, and clients that mean harm."""

# ruff: noqa: F811 - fixtures of another module

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.control.client import ask
from gateway.edge.control.command import Commands
from gateway.edge.control.place import listen, reachable, socket_path
from gateway.edge.control.protocol import (
    MAX_REQUEST_BYTES,
    ControlError,
    NoAnswerError,
    decode_answer,
)
from gateway.edge.control.server import MOST_CONNECTIONS, ControlServer, open_place
from tests.edge.test_run import (
    Factory,
    ended,
    factory,  # noqa: F401 - a fixture
)
from tests.support.command import qulink
from tests.support.waiting import until


@pytest.fixture
def path(factory: Factory) -> Path:
    return factory.buffer.with_suffix(".sock")


def devices(path: Path) -> dict[str, Any]:
    return {one["id"]: one for one in ask(path, "devices")}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def is_there(path: Path) -> bool:
    return path.is_socket()


def answers(path: Path) -> bool:
    try:
        return all(one["polls"] for one in devices(path).values())
    except ControlError:
        return False


async def reads_on(path: Path, device: str) -> None:
    before = devices(path)[device]["polls"]
    await until(lambda: devices(path)[device]["polls"] > before + 2)


def cli(*words: str) -> "subprocess.CompletedProcess[str]":
    return qulink("device", *words)


async def test_a_device_is_stopped_and_started_while_the_other_goes_on(
    factory: Factory, path: Path
) -> None:
    with factory.gateway() as process:
        await until(lambda: answers(path))
        assert mode(path) == 0o600
        status = ask(path, "status")
        assert (status["gateway"], status["pid"], status["up"]) == ("gw", process.pid, 2)
        assert ask(path, "stop", device="d0")["state"] == "stopped"
        at_stop = devices(path)["d0"]["polls"]
        await reads_on(path, "d1")
        assert devices(path)["d0"]["polls"] == at_stop
        assert devices(path)["d0"]["cause"] == "stopped"
        assert ask(path, "status")["stopped"] == 1
        assert ask(path, "start", device="d0")["state"] != "stopped"
        await reads_on(path, "d0")
        ask(path, "restart", device="d1")
        await reads_on(path, "d1")
        process.terminate()
        assert await ended(process) == 0
    books = factory.books()
    assert books is not None
    assert books.totals.balanced
    assert books.totals.skipped > 0
    assert not is_there(path)
    assert "Traceback" not in factory.log.read_text()


async def test_the_command_line_lists_stops_and_says_what_is_wrong(
    factory: Factory, path: Path
) -> None:
    config = str(factory.config)
    absent = cli("list", config)
    assert absent.returncode == 1
    assert absent.stderr == (
        f"no gateway runs: nobody listens at {path}; start it with `qulink run`\n"
    )
    with factory.gateway():
        await until(lambda: answers(path))
        stopped = cli("stop", config, "d1")
        assert stopped.returncode == 0, stopped.stderr
        assert "stopped" in stopped.stdout
        listed = json.loads(cli("list", config, "--json").stdout)
        assert [(one["id"], one["state"]) for one in listed] == [("d0", "up"), ("d1", "stopped")]
        last_ms = listed[1]["newest_ms"]
        assert last_ms > 0

        def goes_on() -> bool:
            return json.loads(cli("list", config, "--json").stdout)[0]["newest_ms"] > last_ms

        await until(goes_on)
        status = cli("status", config)
        assert "1 of 2 up, 1 stopped" in status.stdout
        assert json.loads(cli("status", config, "--json").stdout)["stopped"] == 1
        assert cli("start", config, "d1").returncode == 0
        assert cli("restart", config, "d1").returncode == 0
        unknown = cli("stop", config, "d9")
        assert (unknown.returncode, unknown.stderr) == (
            1,
            "there is no device 'd9'; known: d0, d1\n",
        )


async def test_a_killed_gateway_leaves_a_socket_that_the_next_one_replaces(
    factory: Factory, path: Path
) -> None:
    with factory.gateway() as process:
        await until(lambda: answers(path))
        os.kill(process.pid, signal.SIGKILL)
        await ended(process)
        assert is_there(path)
    with factory.gateway() as process:
        await until(lambda: answers(path))
        assert ask(path, "status")["pid"] == process.pid
        assert mode(path) == 0o600


async def test_a_second_gateway_at_the_same_socket_is_refused(
    factory: Factory, path: Path, tmp_path: Path
) -> None:
    with factory.gateway():
        await until(lambda: answers(path))
        other = tmp_path / "other.yaml"
        text = factory.config.read_text().replace(str(factory.buffer), str(tmp_path / "c.db"))
        other.write_text(f"{text}\ncontrol_socket: {path}\n")
        command = [sys.executable, "-m", "gateway", "run", str(other)]
        second = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=100, check=False
        )
        assert second.returncode == 1
        assert f"another process listens at {path}" in second.stderr
        assert "Traceback" not in second.stderr
        assert answers(path)


# -- clients that mean harm ----------------------------------------------------------------


@contextlib.contextmanager
def connected(path: Path) -> Iterator[socket.socket]:
    with reachable(path) as name, socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(name)
        yield client


def said(client: socket.socket) -> bytes:
    """Everything until the gateway ends the connection."""
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := client.recv(1 << 16):
            heard += chunk
    return heard


def converse(path: Path, sent: bytes) -> list[str]:
    """The errors that are answered to what is sent."""
    with connected(path) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        return [decode_answer(line).error for line in said(client).splitlines()]


async def test_what_cannot_travel_is_told_by_the_client(factory: Factory, path: Path) -> None:
    with factory.gateway():
        await until(lambda: answers(path))
        for tag, words in (
            ("\udcff", "no text in UTF-8"),
            ("x" * MAX_REQUEST_BYTES, "ask for less"),
        ):
            with pytest.raises(ControlError, match=words) as caught:
                ask(path, "write", id="c", device="d0", tag=tag, value=1, who="w")
            assert not isinstance(caught.value, NoAnswerError), "nothing was asked"


async def test_hostile_clients_harm_nobody(factory: Factory, path: Path) -> None:
    with factory.gateway() as process:
        await until(lambda: answers(path))
        (garbage,) = converse(path, b"\xff\x00garbage\n")
        assert "this is no request" in garbage
        (deep,) = converse(path, b'{"version": 1, "arguments": ' + b"[" * 60_000 + b"\n")
        assert "this is no request" in deep
        assert "feed" in converse(path, b'{"version": 1, "comm')[0]
        assert "speaks version 9" in converse(path, b'{"version": 9, "command": "status"}\n')[0]
        unknown = b'{"version": 1, "command": "explode"}\n'
        assert ["no command 'explode'" in one for one in converse(path, 2 * unknown)] == [True] * 2
        wrong = b'{"version": 1, "command": "stop", "arguments": {"device": 7}}\n'
        assert "stop: " in converse(path, wrong)[0]
        endless = converse(path, b"x" * (1 << 20))
        assert endless in ([], [f"a request has at most {MAX_REQUEST_BYTES} bytes"])
        await crowd(path)
        await until(lambda: answers(path))
        await reads_on(path, "d0")
        process.terminate()
        assert await ended(process) == 0
    assert "Traceback" not in factory.log.read_text()


async def crowd(path: Path) -> None:
    """Open fifty connections: the gateway keeps eight and says so to the others."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(path)) for _ in range(50)]
        refused = [await asyncio.to_thread(said, one) for one in clients[MOST_CONNECTIONS:]]
    errors = {decode_answer(one).error for one in refused}
    assert errors == {"8 connections are open already; try again in 10 s"}


async def test_who_says_only_half_a_request_is_let_go_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.edge.control.server.IDLE_S", 0.05)
    at = listen(tmp_path / "b.sock")
    serving = asyncio.create_task(ControlServer(at, Commands({})).run())
    with connected(at.path) as client:
        client.sendall(b'{"version": 1')
        assert await asyncio.to_thread(said, client) == b""
    serving.cancel()
    await asyncio.wait([serving])
    assert not is_there(at.path)


# -- the place -----------------------------------------------------------------------------


def test_the_socket_is_beside_the_buffer_unless_it_is_configured() -> None:
    assert socket_path(None, Path("/a/buffer.db")) == Path("/a/buffer.sock")
    assert socket_path(Path("/run/q.sock"), Path("/a/buffer.db")) == Path("/run/q.sock")


def test_a_deep_folder_is_no_hindrance_and_a_long_name_is_said(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)
    at = listen(folder / "b.sock")
    assert at.path.is_socket()
    at.close()
    assert not at.path.exists()
    with pytest.raises(ControlError, match="too long for a socket; set control_socket"):
        listen(tmp_path / ("n" * 120))


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("mine")
    with pytest.raises(ControlError, match="is another file"):
        listen(file)
    assert file.read_text() == "mine"


def test_a_socket_that_another_process_has_put_there_stays(tmp_path: Path) -> None:
    ours = listen(tmp_path / "b.sock")
    ours.path.rename(tmp_path / "elsewhere")
    theirs = listen(tmp_path / "b.sock")
    ours.close()
    assert theirs.path.is_socket()
    theirs.close()


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No such file or directory; see to its folder"):
        open_place(tmp_path / "absent" / "b.sock")
