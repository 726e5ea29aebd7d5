"""``qulink`` as a person types it, wrongly included: words, no traceback, the right exit code."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import __version__
from gateway.cli.main import COMMANDS
from gateway.cli.wording import visible
from tests.config.examples import CITY, GATEWAY, write, write_gateway
from tests.support.command import qulink
from tests.support.peers import free_port


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    """``qulink`` as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_help_names_every_command_and_the_exit_codes() -> None:
    said = started("--help").stdout
    assert [name for name in COMMANDS if name not in said] == []
    assert "Exit codes:" in " ".join(said.split())
    assert qulink("--version").stdout == f"qulink {__version__}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"simulate"}))
def test_help_of_a_command(name: str) -> None:
    done = qulink(name, "--help")
    assert qulink(name, "-h").stdout == done.stdout
    assert done.returncode == 0
    assert f"qulink {name}" in done.stdout
    assert max(done.stdout) < "\U00010000", ":100: in an address reads as a picture in Markdown"


def test_help_of_the_simulator_is_its_own() -> None:
    done = started("simulate", "--help")
    assert started("simulate", "-h").stdout == done.stdout
    assert done.returncode == 0
    assert "qulink simulate" in done.stdout


def test_a_text_of_a_machine_steers_no_terminal() -> None:
    assert visible("轴承 1\u3000é°") == "轴承 1\u3000é°"
    assert visible("\x1b[2J\r\nverified: a\u202e\x9b\u2028") == (
        r"\x1b[2J\r\nverified: a\u202e\x9b\u2028"
    )


def test_a_terminal_that_lacks_chinese_gets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = started("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "networked factory equipment" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("chek",), 2, "Did you mean 'check'"),
        (("run",), 2, "Missing argument 'config'"),
        (("run", "none.yaml"), 1, "none.yaml: cannot be read: No such file or directory"),
        (("run", "."), 1, ".: cannot be read: Is a directory"),
        (("city", "none.yaml"), 1, "none.yaml: cannot be read: No such file or directory"),
        (("demo", "stop", "door", "--data", "/nowhere"), 1, "start one with 'qulink demo'"),
    ],
)
def test_mistakes_are_told(arguments: tuple[str, ...], code: int, words: str) -> None:
    done = qulink(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


def test_a_mistake_of_a_line_is_told_by_the_simulator() -> None:
    done = started("simulate", "nonsense")
    assert (done.returncode, done.stdout) == (2, "")
    assert "invalid choice: 'nonsense'" in done.stderr


def test_an_edge_whose_console_port_is_in_use_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        console = f'console: {{listen: "127.0.0.1:{port}"}}\n'
        done = started("run", str(write_gateway(tmp_path, GATEWAY + console)))
    assert done.returncode == 1
    assert f"qulink run: console: port {port} is in use" in done.stderr
    assert "console.listen" in done.stderr


def test_an_edge_whose_buffer_has_no_folder_says_so(tmp_path: Path) -> None:
    text = GATEWAY + "buffer: {path: nowhere/buffer.db}\n"
    done = started("run", str(write_gateway(tmp_path, text)))
    assert done.returncode == 1
    assert "nowhere does not exist; create it" in done.stderr


@pytest.mark.parametrize("command", [("city",), ("city", "gateway", "list", "-c")])
def test_a_city_whose_folder_cannot_be_made_says_so(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file, no folder")
    node = f'node: {{type: embedded, listen: "127.0.0.1:{free_port()}"}}\n'
    done = started(*command, str(write(tmp_path / "city.yaml", CITY + node)))
    assert done.returncode in (1, 2)
    assert str(tmp_path / "data") in done.stderr
