"""``make`` on a machine that lacks something, with a Python of the test's own."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Notes what it is asked for, and makes "virtual environments" whose Python is itself.
PYTHON = """#!/bin/sh
echo "$*" >>'{log}'
case "$*" in {fails}) exit 1 ;; esac
if [ "$2" = venv ]; then mkdir -p "$4/bin" && ln -sf "$0" "$4/bin/python"; fi
"""
TOO_OLD = "*version_info*"
NO_VENV = "*ensurepip*"
NO_NETWORK = "*require-hashes*"
INSTALLED = (
    "-m pip --disable-pip-version-check -q install --require-hashes -r requirements/demo.txt",
    "-m pip --disable-pip-version-check -q install --no-deps --no-build-isolation --no-index -e .",
)


def made(folder: Path, fails: str = "nothing") -> tuple[int, str, Sequence[str]]:
    """The exit code of installing for the demonstration, what was said, what Python was asked."""
    python, log, venv = folder / "python3", folder / "log", folder / "venv"
    python.write_text(PYTHON.format(log=log, fails=fails))
    python.chmod(0o755)
    command = ("make", f"PYTHON={python}", f"VENV={venv}", f"{venv}/demo.stamp")
    outer = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")  # of `make test`
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    return ended.returncode, ended.stdout + ended.stderr, log.read_text().splitlines()


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        (TOO_OLD, "qulink needs Python 3.11 or newer"),
        (NO_VENV, "apt install python3-venv"),
    ],
)
def test_an_unfit_python_is_named_before_anything_is_made(
    tmp_path: Path, fails: str, expected: str
) -> None:
    code, said, _ = made(tmp_path, fails)
    assert code == 2
    assert expected in said
    assert str(tmp_path / "python3") in said
    assert not (tmp_path / "venv").exists()


def test_it_says_what_it_does_and_does_it_once(tmp_path: Path) -> None:
    code, said, asked = made(tmp_path)
    assert code == 0
    assert said.startswith(f"Installing requirements/demo.txt into {tmp_path / 'venv'}")
    assert tuple(asked[-2:]) == INSTALLED
    assert "is up to date" in made(tmp_path)[1]


def test_a_half_made_environment_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(tmp_path / "gone")
    code, _, asked = made(tmp_path)
    assert code == 0
    assert f"-m venv --clear {tmp_path / 'venv'}" in asked
    assert tuple(asked[-2:]) == INSTALLED


def test_an_installation_that_fails_is_tried_again_in_the_same_environment(tmp_path: Path) -> None:
    assert made(tmp_path, NO_NETWORK)[0] == 2
    code, _, asked = made(tmp_path)
    assert code == 0
    assert len([line for line in asked if "-m venv" in line]) == 1
    assert tuple(asked[-2:]) == INSTALLED
