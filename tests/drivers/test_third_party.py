"""A stranger's driver: what ``qulink driver new`` writes, installed as it would be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.drivers import scaffold
from gateway.drivers.registry import Registry

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^`qulink-acme/([\w./]+)` – [^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
METADATA = "from setuptools import build_meta; build_meta.prepare_metadata_for_build_wheel('.')"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter in a folder whose distributions count as installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = scaffold.write("acme", tmp_path_factory.mktemp("acme"))
    made = run(folder, "-c", METADATA)
    assert made.returncode == 0, made.stderr
    return folder


def test_the_example_passes_the_kit(installed: Path) -> None:
    done = run(installed, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\n\d\d passed in", done.stdout), f"a rule is left out:\n{done.stdout}"


def test_its_configuration_is_checked_like_any_other(installed: Path) -> None:
    good = run(installed, "-m", "gateway", "check", "sample.yaml")
    assert good.returncode == 0, good.stdout + good.stderr
    text = (installed / "sample.yaml").read_text(encoding="utf-8")
    (installed / "wrong.yaml").write_text(text.replace("host:", "hots:"), encoding="utf-8")
    wrong = run(installed, "-m", "gateway", "check", "wrong.yaml")
    assert wrong.returncode == 1
    assert "wrong.yaml:5: devices.0.connection.hots: unknown key; did you mean 'host'?" in (
        wrong.stdout + wrong.stderr
    )


def test_the_contract_page_quotes_what_is_written() -> None:
    page = (ROOT / "docs/driver-contract.md").read_text(encoding="utf-8")
    files, quoted = scaffold.rendered("acme"), dict(_BLOCK.findall(page))
    assert len(quoted) == 8
    assert quoted == {path: files[path] for path in quoted}


def bring(folder: Path, package: str, entry_point: str) -> None:
    """A distribution with one driver."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[qulink.drivers]\n{entry_point}\n")


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(tmp_path, "impostor", "modbus = gateway.drivers.opcua:SPEC")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImportError, match="'modbus' comes from both impostor and qulink"):
        Registry()["modbus"]
    assert Registry()["opcua"].name == "opcua"


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("fanuc = gateway.drivers.modbus:SPEC", r"'fanuc' calls itself 'modbus'"),
        ("fanuc = gateway.drivers.modbus:kind", r"'fanuc' .* is no DriverSpec"),
    ],
)
def test_what_an_entry_point_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry_point: str, message: str
) -> None:
    bring(tmp_path, "acme-fanuc", entry_point)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TypeError, match=message):
        Registry()["fanuc"]


@pytest.fixture(scope="module")
def broken(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same configuration, but the driver's package does not survive its import."""
    folder = tmp_path_factory.mktemp("broken")
    bring(folder, "acme-counter", "acme = acme_broken:SPEC")
    (folder / "acme_broken.py").write_text("raise RuntimeError('out of order')\n")
    for name in ("sample.yaml", "profile.yaml"):
        (folder / name).write_bytes((installed / name).read_bytes())
    return folder


BROKEN = "acme-counter 1.0 is broken (RuntimeError: out of order); reinstall or uninstall it"


def test_a_broken_package_is_a_mistake_in_the_configuration(broken: Path) -> None:
    done = run(broken, "-m", "gateway", "check", "sample.yaml")
    assert done.returncode == 1
    assert f"driver: driver 'acme' cannot be loaded: {BROKEN}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_package_hides_no_other(broken: Path) -> None:
    done = run(broken, "-m", "gateway", "drivers")
    assert done.returncode == 1
    assert {"modbus", "opcua"} <= {line.split()[0] for line in done.stdout.splitlines()}
    assert done.stderr == f"acme         cannot be loaded: {BROKEN}\n"
    schema = run(broken, "-m", "gateway", "schema", "gateway")
    assert (schema.returncode, schema.stderr) == (
        1,
        f"an installed driver cannot be loaded: {BROKEN}\n",
    )


def test_a_missing_protocol_library_is_a_refusal_with_remedy(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['asyncua'] = None\n"
        "from gateway.drivers.opcua import SPEC\n"
        "SPEC.make(SPEC.connection(url='opc.tcp://plc'))\n"
    )
    done = run(tmp_path, "-c", code)
    assert done.stderr.splitlines()[-1] == (
        "gateway.drivers.api.RefusedError: asyncua is missing: pip install 'qulink[opcua]'"
    )
