"""Forked processes of tests: each test runs once, and what goes wrong is told."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import SOON_S, wait_until

ROOT = Path(__file__).parents[2]
PLAIN = """
def test_a(mark): print("said by a")
def test_b(mark): assert mark.name == "popen-gw?", "b fails"
def test_c(tmp_path, mark): assert tmp_path.parent == mark
"""
INTERRUPTIBLE = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(sys.argv[1:]))
"""
"""What is begun in a shell's background would ignore it."""
DYING = """
import os
def test_first(): pass
def test_dies(): os._exit(7)
def test_after(): pass
"""
FIXTURES = """
import os, pytest
@pytest.fixture(scope="session")
def mark(tmp_path_factory):
    yield tmp_path_factory.getbasetemp()
    name = os.environ["PYTEST_XDIST_WORKER"]
    open(os.path.join(os.path.dirname(__file__), f"ended-{name}"), "x").close()
"""


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    arguments = ["-p", "tests.support.forked", "--forks", "2", "-p", "no:cacheprovider", *words]
    return subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, f"--rootdir={folder}", *arguments, folder],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, text=True,
    )  # fmt: skip


def test_each_runs_once_and_what_fails_or_dies_is_told(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FIXTURES)
    for name in "de":
        (tmp_path / f"test_{name}.py").write_text(PLAIN)
    dying = (
        "import os\ndef test_first(): pass\ndef test_dies(): os._exit(7)\ndef test_after(): pass"
    )
    (tmp_path / "test_f.py").write_text(dying)
    process = start(tmp_path, "-v")
    said, _ = process.communicate(timeout=SOON_S)
    assert process.returncode == pytest.ExitCode.TESTS_FAILED
    told = sorted(re.findall(r"^\S*test_(\w)\.py::test_(\w+) (\w+)", said, re.MULTILINE))
    each = [("a", "PASSED"), ("b", "FAILED"), ("c", "PASSED")]
    expected = [(file, *one) for file in "de" for one in each]
    assert told == [*expected, ("f", "dies", "FAILED"), ("f", "first", "PASSED")], said
    assert said.count("b fails") >= 2
    assert "its process ended with 7; what else its file has was not run" in said
    assert "3 failed, 5 passed" in said
    assert "said by a" not in said


def test_interrupted_it_ends_what_is_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FIXTURES)
    begun = [tmp_path / f"begun-{name}" for name in "gh"]
    for mark in begun:
        text = f"import time\ndef test_a(mark): open({str(mark)!r}, 'x'); time.sleep(600)"
        (tmp_path / f"test_{mark.name[-1]}.py").write_text(text)
    process = start(tmp_path)
    wait_until(lambda: all(mark.exists() for mark in begun), "both files have begun")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=SOON_S)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, said
    assert {one.name for one in tmp_path.glob("ended-*")} == {"ended-gw0", "ended-gw1"}
