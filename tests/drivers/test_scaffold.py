"""``qulink driver new``: what it writes passes lint, types and the kit from the first minute."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build
from gateway.drivers import scaffold

ROOT = Path(__file__).parents[2]
BESIDE = Path(pytest.__file__).parents[1]
"""Where what qulink needs is installed."""


def new(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(["driver"]), ["driver", "new", *arguments])
    return done.exit_code, done.output


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new driver, installed into an environment beside qulink; no network is needed."""
    into = tmp_path_factory.mktemp("drivers")
    status, told = new("flow_meter", "--into", str(into))
    assert (status, told.splitlines()[0].split()[0]) == (0, str(into / "qulink-flow-meter"))
    run(into, sys.executable, "-m", "venv", "--without-pip", "venv")
    (packages,) = into.glob("venv/lib/python*/site-packages")
    (packages / "beside.pth").write_text(f"{ROOT}\n{BESIDE}\n")
    python = str(into / "venv/bin/python")
    install = ("--offline", "--no-deps", "--no-build-isolation", "--python", python)
    run(into, sys.executable, "-m", "uv", "pip", "install", *install, "./qulink-flow-meter")
    return into / "qulink-flow-meter"


def in_its_environment(package: Path, *words: str) -> str:
    return run(package, str(package.parent / "venv/bin/python"), "-m", *words)


def test_it_passes_lint(package: Path) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    run(package, ruff, "check", "--no-cache", ".")
    run(package, ruff, "format", "--no-cache", "--check", ".")


def test_it_passes_strict_types(package: Path) -> None:
    assert "no issues found in 7 source files" in in_its_environment(package, "mypy")


def test_it_passes_the_kit_and_leaves_out_no_rule(package: Path) -> None:
    told = in_its_environment(package, "pytest", "-q", "-W", "error")
    assert "qulink kit: tests/test_driver.py::TestFlowMeter keeps 20 rules\n" in told
    one = in_its_environment(package, "pytest", "-q", "--qulink-rule", "d-07")
    assert "TestFlowMeter keeps 1 rules\n" in one


def test_its_sample_is_good_and_it_is_listed(package: Path) -> None:
    assert "reads 2 devices (flow_meter)" in in_its_environment(
        package, "gateway", "check", "sample.yaml"
    )
    assert "FlowMeter counter / FlowMeter 计数器  (poll; bronze)" in in_its_environment(
        package, "gateway", "drivers"
    )


@pytest.mark.parametrize("name", ["Acme", "7acme", "acme-1", "acme__1", "ac me", "测", "", "../x"])
def test_what_cannot_name_a_driver_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a driver"):
        scaffold.write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refusals_are_sentences(tmp_path: Path) -> None:
    assert new("modbus", "--into", str(tmp_path)) == (
        1,
        "a driver 'modbus' is installed already: gateway.drivers.modbus:SPEC\n",
    )
    (tmp_path / "qulink-acme").mkdir()
    assert new("acme", "--into", str(tmp_path)) == (
        1,
        f"{tmp_path}/qulink-acme is there already; give another name or folder\n",
    )
    (tmp_path / "file").touch()
    status, told = new("acme", "--into", str(tmp_path / "file"))
    assert (status, told.startswith("cannot write driver 'acme': ")) == (1, True)
    assert (tmp_path / "qulink-acme").exists()
    assert list((tmp_path / "qulink-acme").iterdir()) == []
