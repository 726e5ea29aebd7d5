"""The systemd units are well-formed and hardened."""

import configparser
import subprocess
from pathlib import Path

import pytest

from tests.support.peers import program

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name  # the program need not be installed where the unit says
    copy.write_text(unit.read_text().replace("/opt/qulink/bin/qulink", "/bin/true"))
    verify = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [verify, "verify", "--man=no", str(copy)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    complaints = [line for line in done.stderr.splitlines() if unit.name in line]
    assert complaints == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_service_has_no_more_rights_than_it_needs(unit: Path) -> None:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    service = parser["Service"]
    for key, value in {
        "DynamicUser": "yes",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
        "UMask": "0077",
    }.items():
        assert service[key] == value
    assert service["ExecStart"].split()[0] == "/opt/qulink/bin/qulink"


def test_both_sides_have_a_unit() -> None:
    assert [unit.name for unit in UNITS] == ["qulink-city.service", "qulink-edge.service"]
